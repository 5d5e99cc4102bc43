"""The explorer: what a trained model does with a text, how it samples, what its backward pass computes, how it learned.

Every number is that of a plain function which takes an `Opened` run and returns a dict, so that a notebook can call it;
`gradus.explorer.server` shows the same numbers on a page, and is the only part that needs the extra `web`.
"""

from gradus.explorer.opened import Opened, open_run
from gradus.explorer.view import Parameter, View
from gradus.explorer.views import VIEWS
from gradus.explorer.wire import quantised, to_wire

__all__ = ["VIEWS", "Opened", "Parameter", "View", "open_run", "quantised", "to_wire"]
