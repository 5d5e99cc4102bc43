"""The Learning tab: all its views, whose functions lie in the files beside this one."""

from gradus.explorer.learning import compare, curves, lines, moment, motion
from gradus.explorer.view import View

VIEWS: dict[str, View] = {
    **curves.VIEWS,
    **lines.VIEWS,
    **moment.VIEWS,
    **motion.VIEWS,
    **compare.VIEWS,
}
