"""The functions of `torch`, a room for each family. Those that are methods, too, are listed in `methods.py`.

`creation`, `drawing`, `conversion`, `storage` make tensors; `pointwise`, `activations`, `comparison` work number by
number; `reductions`, `ordering`, `counting` make many numbers fewer, or sort them; `shapes`, `joining`, `selecting`
arrange them, `scattering` writes into them; `products` multiply matrices; `linear_algebra`,
`decompositions`, `norms` are `torch.linalg`, `linalg_older` its functions in `torch`; `in_place` are the methods that
end in an underscore; `operands` and `signatures` are what all rooms share.
"""

from gradus.engine.functions.activations import *  # noqa: F403
from gradus.engine.functions.calculus import *  # noqa: F403
from gradus.engine.functions.comparison import *  # noqa: F403
from gradus.engine.functions.complex_numbers import *  # noqa: F403
from gradus.engine.functions.conversion import *  # noqa: F403
from gradus.engine.functions.copying import *  # noqa: F403
from gradus.engine.functions.counting import *  # noqa: F403
from gradus.engine.functions.creation import *  # noqa: F403
from gradus.engine.functions.diagonals import *  # noqa: F403
from gradus.engine.functions.drawing import *  # noqa: F403
from gradus.engine.functions.einsum import *  # noqa: F403
from gradus.engine.functions.in_place import *  # noqa: F403
from gradus.engine.functions.in_place_pointwise import *  # noqa: F403
from gradus.engine.functions.joining import *  # noqa: F403
from gradus.engine.functions.linalg_older import *  # noqa: F403
from gradus.engine.functions.ordering import *  # noqa: F403
from gradus.engine.functions.pointwise import *  # noqa: F403
from gradus.engine.functions.products import *  # noqa: F403
from gradus.engine.functions.ranges import *  # noqa: F403
from gradus.engine.functions.reductions import *  # noqa: F403
from gradus.engine.functions.reordering import *  # noqa: F403
from gradus.engine.functions.scattering import *  # noqa: F403
from gradus.engine.functions.selecting import *  # noqa: F403
from gradus.engine.functions.shapes import *  # noqa: F403
from gradus.engine.functions.signatures import BY_THEMSELVES, WITH_OUT, with_out
from gradus.engine.functions.special_functions import *  # noqa: F403
from gradus.engine.functions.splitting import *  # noqa: F403
from gradus.engine.functions.storage import *  # noqa: F403

for _name in set(WITH_OUT).difference(BY_THEMSELVES):
    globals()[_name] = with_out(globals()[_name])
del BY_THEMSELVES, WITH_OUT, with_out
