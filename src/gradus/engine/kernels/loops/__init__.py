"""The fused loops, compiled by Numba for float32: each does in one pass over memory what NumPy does in several.

Imported only when the first large array needs one, because importing Numba takes half a second. The first use on a
machine compiles a loop, later processes find it in the cache. A loop comes in two functions: `_name`, over start..stop,
and `name`, which runs it in parts on the thread pool. A loop is vectorized only if no index can be negative (and count
from the end), hence the slices first.
"""

from gradus.engine.kernels.loops.activations import gelu as gelu
from gradus.engine.kernels.loops.activations import gelu_backward as gelu_backward
from gradus.engine.kernels.loops.activations import gelu_tanh as gelu_tanh
from gradus.engine.kernels.loops.activations import gelu_tanh_backward as gelu_tanh_backward
from gradus.engine.kernels.loops.cross_entropy import cross_entropy as cross_entropy
from gradus.engine.kernels.loops.cross_entropy import cross_entropy_and_gradient as cross_entropy_and_gradient
from gradus.engine.kernels.loops.cross_entropy import cross_entropy_backward as cross_entropy_backward
from gradus.engine.kernels.loops.elementary import parts as parts
from gradus.engine.kernels.loops.normalization import layer_norm as layer_norm
from gradus.engine.kernels.loops.normalization import layer_norm_backward as layer_norm_backward
from gradus.engine.kernels.loops.normalization import rms_norm as rms_norm
from gradus.engine.kernels.loops.normalization import rms_norm_backward as rms_norm_backward
from gradus.engine.kernels.loops.optimizer import adamw as adamw
from gradus.engine.kernels.loops.optimizer import sum_of_squares as sum_of_squares
from gradus.engine.kernels.loops.softmax import log_softmax as log_softmax
from gradus.engine.kernels.loops.softmax import log_softmax_backward as log_softmax_backward
from gradus.engine.kernels.loops.softmax import softmax as softmax
from gradus.engine.kernels.loops.softmax import softmax_backward as softmax_backward
from gradus.engine.kernels.loops.sums import add as add
from gradus.engine.kernels.loops.sums import add_rows as add_rows
from gradus.engine.kernels.loops.sums import column_sums as column_sums
