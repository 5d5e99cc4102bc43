"""The functions of `torch`, a room for each family. Those that are methods, too, become methods in `tensor.py`.

`creation`, `drawing`, `conversion` make tensors; `pointwise`, `activations`, `comparison` work number by number;
`reductions`, `ordering` make many numbers fewer, or sort them; `shapes`, `joining`, `selecting` arrange them;
`products` multiply matrices; `in_place` are the methods that end in an underscore; `operands` is what all rooms share.
"""

from gradus.engine.functions.activations import *  # noqa: F403
from gradus.engine.functions.comparison import *  # noqa: F403
from gradus.engine.functions.complex_numbers import *  # noqa: F403
from gradus.engine.functions.conversion import *  # noqa: F403
from gradus.engine.functions.creation import *  # noqa: F403
from gradus.engine.functions.drawing import *  # noqa: F403
from gradus.engine.functions.joining import *  # noqa: F403
from gradus.engine.functions.ordering import *  # noqa: F403
from gradus.engine.functions.pointwise import *  # noqa: F403
from gradus.engine.functions.products import *  # noqa: F403
from gradus.engine.functions.reductions import *  # noqa: F403
from gradus.engine.functions.selecting import *  # noqa: F403
from gradus.engine.functions.shapes import *  # noqa: F403
