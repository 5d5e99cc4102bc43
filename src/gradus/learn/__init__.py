"""Exercises, and their checker: what is learned is built, by the learner, one small piece at a time.

    from gradus.learn import check

    check("slope")  # in a notebook: checks the file of the exercise in your folder
    check(slope)    # or a function that a cell of the notebook defines

On the command line it is `gradus learn`, which watches a file and checks it at each save.
"""

from gradus.lazy import lazy

TYPE_CHECKING = False  # as in gradus.lazy
if TYPE_CHECKING:
    from gradus.learn.notebook import check

__all__ = ["check"]

__getattr__ = lazy(__name__, {"check": "notebook"})
