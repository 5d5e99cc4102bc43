"""The functions of `torch`, a file for each family. Those that are also methods are listed in `methods.py`.

Elementwise: `arithmetic`, `exponentials`, `trigonometry`, `rounding`, `selection` (clamp, maximum, where),
`special_functions`, `complex_numbers`, `activations`, `comparison`. In-place: `in_place` and the files named after it,
`write_back`. New tensors: `creation`, `ranges`, `drawing` (random numbers), `conversion`, `copying`, `storage`. Over
dimensions: `reductions`, `ordering`, `counting`, `calculus`. Arrangement: `shapes`, `reordering`, `diagonals`,
`joining`, `splitting`, `gathering`, `scattering`. Matrices: `products`, `einsum`, `linear_algebra`, `decompositions`,
`norms`, `linalg_older`. What all of them share: `operands` and `signatures`.
"""

from gradus.engine.functions.activations import *  # noqa: F403
from gradus.engine.functions.arithmetic import *  # noqa: F403
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
from gradus.engine.functions.exponentials import *  # noqa: F403
from gradus.engine.functions.gathering import *  # noqa: F403
from gradus.engine.functions.in_place import *  # noqa: F403
from gradus.engine.functions.in_place_elementwise import *  # noqa: F403
from gradus.engine.functions.joining import *  # noqa: F403
from gradus.engine.functions.linalg_older import *  # noqa: F403
from gradus.engine.functions.ordering import *  # noqa: F403
from gradus.engine.functions.products import *  # noqa: F403
from gradus.engine.functions.ranges import *  # noqa: F403
from gradus.engine.functions.reductions import *  # noqa: F403
from gradus.engine.functions.reordering import *  # noqa: F403
from gradus.engine.functions.rounding import *  # noqa: F403
from gradus.engine.functions.scattering import *  # noqa: F403
from gradus.engine.functions.selection import *  # noqa: F403
from gradus.engine.functions.shapes import *  # noqa: F403
from gradus.engine.functions.signatures import BY_THEMSELVES, WITH_OUT, with_out
from gradus.engine.functions.special_functions import *  # noqa: F403
from gradus.engine.functions.splitting import *  # noqa: F403
from gradus.engine.functions.storage import *  # noqa: F403
from gradus.engine.functions.trigonometry import *  # noqa: F403

for _name in set(WITH_OUT).difference(BY_THEMSELVES):
    globals()[_name] = with_out(globals()[_name])
del BY_THEMSELVES, WITH_OUT, with_out
