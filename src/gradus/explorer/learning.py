"""The Learning tab: all its views, whose functions lie in the files learning_*.py."""

from gradus.explorer import learning_compare, learning_curves, learning_lines, learning_moment, learning_motion
from gradus.explorer.view import View

VIEWS: dict[str, View] = {
    **learning_curves.VIEWS,
    **learning_lines.VIEWS,
    **learning_moment.VIEWS,
    **learning_motion.VIEWS,
    **learning_compare.VIEWS,
}
