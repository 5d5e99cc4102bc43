"""`Tensor`: an array of numbers that remembers where it came from.

Here are what a tensor says about itself, its place in the graph, and the way to Python and NumPy. What can be computed
with it is in the rooms of `functions/`; the table at the end of the class makes methods of those functions, under
PyTorch's names. The operations behind them are in `ops/`, the record of them in `variable.py`, the walk in `walk.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from gradus.engine import autograd, dtypes, printing
from gradus.engine.autograd.grad_mode import state as grad_state
from gradus.engine.autograd.node import LEAF, Node, Output, RemovableHook
from gradus.engine.autograd.record import Variable, results_are
from gradus.engine.compat import absent
from gradus.engine.compat.untyped_storage import UntypedStorage, storage_of
from gradus.engine.dtypes import Array, Size, layouts
from gradus.engine.functions import activations as ac
from gradus.engine.functions import calculus as ca
from gradus.engine.functions import comparison as cp
from gradus.engine.functions import complex_numbers as cn
from gradus.engine.functions import conversion as cv
from gradus.engine.functions import copying as cy
from gradus.engine.functions import counting as ct
from gradus.engine.functions import creation as cr
from gradus.engine.functions import drawing as dr
from gradus.engine.functions import in_place as ip
from gradus.engine.functions import linalg_older as lo
from gradus.engine.functions import ordering as od
from gradus.engine.functions import pointwise as pw
from gradus.engine.functions import products as pr
from gradus.engine.functions import reductions as rd
from gradus.engine.functions import scattering as sc
from gradus.engine.functions import selecting as sl
from gradus.engine.functions import shapes as sh
from gradus.engine.functions import special_functions as sf
from gradus.engine.functions import splitting as sp
from gradus.engine.functions import storage as st
from gradus.engine.functions import write_back as wb
from gradus.engine.functions.operands import axis_of
from gradus.engine.functions.operands import floating_only as floating_only

_new = object.__new__

# Inside the class `int`, `float`, `bool`, `dtype` and `device` are its methods; these are the types.
Int = int
Float = float
Bool = bool
DType = dtypes.dtype
Device = dtypes.device


# Says of an attribute that is not here whether PyTorch has it. Not by `__getattr__`: every tensor's attributes, slots
# too, would be found more slowly (an MLP's step in 119 instead of 110 µs).
if TYPE_CHECKING:
    _Missing = object
else:
    _Missing = absent.missing_attributes("torch.Tensor")


class Tensor(Variable, _Missing):
    """An n-dimensional array of numbers, with its place in the computation it is part of.

    `Tensor(data)` makes a float32 tensor of data, `Tensor(2, 3)` one of that shape; most programs use `torch.tensor`.
    """

    __array_priority__ = 1000  # NumPy leaves `array * tensor` to the tensor

    def __init__(self, *data: Any, device: Any = None) -> None:
        given = data[0] if len(data) == 1 and isinstance(data[0], Variable) else None
        kind = dtypes.get_default_dtype().numpy if given is None else given._array.dtype
        made = cr.new(kind, *data, device=device)
        self._array, self._base, self._counter, self._node = made._array, made._base, made._counter, made._node

    # ---- what it is

    @property
    def shape(self) -> Size:
        return Size(self._array.shape)

    def size(self, dim: Int | None = None) -> Any:
        return self.shape if dim is None else self._array.shape[axis_of(dim, self._array.ndim)]

    @property
    def ndim(self) -> Int:
        return self._array.ndim

    def dim(self) -> Int:
        return self._array.ndim

    ndimension = dim

    def numel(self) -> Int:
        return self._array.size

    nelement = numel

    @property
    def dtype(self) -> DType:
        return dtypes.of_numpy(self._array.dtype)

    @property
    def device(self) -> Device:
        return dtypes.CPU

    @property
    def itemsize(self) -> Int:
        return self._array.itemsize

    def element_size(self) -> Int:
        return self._array.itemsize

    @property
    def nbytes(self) -> Int:
        return self._array.nbytes

    def stride(self, dim: Int | None = None) -> Any:
        steps = tuple(s // self._array.itemsize for s in self._array.strides)
        return steps if dim is None else steps[dim]

    def storage_offset(self) -> Int:
        """How many numbers into its base's memory a view starts."""
        start = self._array.__array_interface__["data"][0]
        root = self._array if self._base is None else self._base._array
        return int((start - root.__array_interface__["data"][0]) // self._array.itemsize)

    def untyped_storage(self) -> UntypedStorage:
        """The bytes of this tensor's memory, of its base's if it is a view."""
        return storage_of(self)

    def data_ptr(self) -> Int:
        return int(self._array.__array_interface__["data"][0])

    def is_contiguous(self) -> Bool:
        return self._array.flags.c_contiguous

    def is_floating_point(self) -> Bool:
        return self._array.dtype.kind in dtypes.REAL

    def is_complex(self) -> Bool:
        return self._array.dtype.kind == "c"

    @property
    def layout(self) -> layouts.layout:
        return layouts.strided

    def get_device(self) -> Int:
        """-1, the number of no GPU."""
        return -1

    def is_signed(self) -> Bool:
        return self.dtype.is_signed

    def is_pinned(self) -> Bool:
        return False

    @property
    def is_cuda(self) -> Bool:
        return False

    @property
    def is_cpu(self) -> Bool:
        return True

    @property
    def is_mps(self) -> Bool:
        return False

    @property
    def is_xpu(self) -> Bool:
        return False

    @property
    def is_quantized(self) -> Bool:
        return False

    @property
    def is_sparse(self) -> Bool:
        return False

    @property
    def is_meta(self) -> Bool:
        return False

    # ---- its place in the graph

    @property
    def requires_grad(self) -> Bool:
        return self._node is not None or (self._base is not None and self._edge() is not None)

    @requires_grad.setter
    def requires_grad(self, wanted: Bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: Bool = True) -> Tensor:
        made = self._node is not None and self._node is not LEAF
        if made and not requires_grad:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in "
                "a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self._array.dtype.kind not in dtypes.FLOATING:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if not made:
            self._node = LEAF if requires_grad else None
        return self

    @property
    def is_leaf(self) -> Bool:
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for a leaf."""
        node = self._node if self._base is None else self._edge()
        return node.of if isinstance(node, Output) else None if node is LEAF or node is self else cast("Node", node)

    @property
    def output_nr(self) -> Int:
        return self._node.index if isinstance(self._node, Output) else 0

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` left here; None if there was none yet."""
        grad = self._grad
        if grad is None and self._node is not None and self._node is not LEAF and not self._retains:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
                UserWarning,
                stacklevel=2,
            )
        return grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
                    f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        self._grad = value

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph: a change through it goes unnoticed by autograd."""
        made = _new(Tensor)  # as `wrap`, written out: each update of a parameter asks for this
        made._array = self._array
        made._base = made._counter = made._grad = made._node = None
        return made

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array = value._array

    @property
    def _version(self) -> Int:
        return self._version_counter[0]

    def detach(self) -> Tensor:
        """The same memory outside the graph; changes in place are noticed by autograd."""
        out = Tensor._wrap(self._array)
        out._counter = self._version_counter
        return out

    def detach_(self) -> Tensor:
        self._node = None
        return self

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: Bool | None = None,
        create_graph: Bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add the derivative of this number by every leaf it depends on to the leaves' `.grad`.

        Args:
            gradient: the derivative of something by this tensor, needed when it has more than one element.
            retain_graph: keep what a second walk would need.
            create_graph: not offered; derivatives of derivatives need a graph of the walk itself.
            inputs: accumulate only into these leaves.
        """
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Keep `.grad` of this tensor although it is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is not None and self._node is not LEAF and not self._retains:
            self._retains = True
            self._become(self._node)

    @property
    def retains_grad(self) -> Bool:
        return self._retains and self._node is not None and self._node is not LEAF

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHook:
        """Call `hook(grad)` each time this tensor's gradient is computed; a tensor it returns replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        owner: Any = self._edge()
        name, watched = ("_hooks", "_watched") if owner is self else ("hooks", "watched")
        entry = (hook,)
        setattr(owner, name, [*(getattr(owner, name) or ()), entry])
        setattr(owner, watched, True)
        return RemovableHook(owner, name, entry)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHook:
        """Call `hook` with this leaf each time `backward` has added to its `.grad`."""
        if self._node is not LEAF:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        self._after_accumulation = [*(self._after_accumulation or ()), hook]
        self._watched = True
        return RemovableHook(self, "_after_accumulation", hook)

    # ---- to and from Python and NumPy

    def item(self) -> Any:
        """The one number in this tensor, as Python's."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return self._array.item()

    def tolist(self) -> Any:
        return self._array.tolist()

    def numpy(self, *, force: Bool = False) -> Array:
        """The array itself, not a copy. One that requires a gradient gives it under `no_grad` only, or by force."""
        if self.requires_grad and not force and grad_state.enabled:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._array.dtype.kind == "V":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._array

    def __array__(self, dtype: Any = None, copy: Bool | None = None) -> Array:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __float__(self) -> Float:
        return float(self._real_item())

    def __int__(self) -> Int:
        return int(self._real_item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def _real_item(self) -> Any:
        number = self.item()
        if isinstance(number, complex):
            if number.imag:
                raise RuntimeError("value cannot be converted to type double without overflow")
            return number.real
        return number

    def __index__(self) -> Int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> Bool:
        if self._array.size > 1:
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        if not self._array.size:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        return bool(self.item())

    def __len__(self) -> Int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self) -> Tensor:
        return self.flip(0) if self.ndim else self

    def __contains__(self, x: Any) -> Bool:
        return bool((self._array == (x._array if isinstance(x, Tensor) else x)).any())

    def __hash__(self) -> Int:
        return id(self)

    def __repr__(self, **_: Any) -> str:
        return printing.represent(self)

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        if not self._array.ndim:
            return format(self.item(), spec)
        return str(self) if not spec else object.__format__(self, spec)

    def __deepcopy__(self, memo: dict[Int, Any]) -> Tensor:
        if self._node is not None and self._node is not LEAF:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                "the moment."
            )
        if id(self) not in memo:
            copied = type(self)._wrap(self._array.copy())
            copied._node = self._node
            copied._grad = None if self._grad is None else self._grad.clone()
            memo[id(self)] = copied
        return memo[id(self)]

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self._array, self._node is LEAF)

    # ---- what can be computed with it, room by room

    # comparison
    all = cp.all
    allclose = cp.allclose
    any = cp.any
    bitwise_and = cp.bitwise_and
    bitwise_left_shift = cp.bitwise_left_shift
    bitwise_not = cp.bitwise_not
    bitwise_or = cp.bitwise_or
    bitwise_right_shift = cp.bitwise_right_shift
    bitwise_xor = cp.bitwise_xor
    count_nonzero = cp.count_nonzero
    eq = cp.eq
    equal = cp.equal
    ge = cp.ge
    greater = cp.greater
    greater_equal = cp.greater_equal
    gt = cp.gt
    isclose = cp.isclose
    isin = cp.isin
    le = cp.le
    less = cp.less
    less_equal = cp.less_equal
    logical_and = cp.logical_and
    logical_not = cp.logical_not
    logical_or = cp.logical_or
    logical_xor = cp.logical_xor
    lt = cp.lt
    ne = cp.ne
    not_equal = cp.not_equal
    __eq__ = cp.equals
    __ne__ = cp.differs
    __lt__, __le__, __gt__, __ge__ = cp.lt, cp.le, cp.gt, cp.ge
    __invert__ = cp.invert
    __and__ = __rand__ = cp.bitwise_and
    __or__ = __ror__ = cp.bitwise_or
    __xor__ = __rxor__ = cp.bitwise_xor
    __lshift__, __rshift__ = cp.bitwise_left_shift, cp.bitwise_right_shift
    __rlshift__, __rrshift__ = cp.rlshift, cp.rrshift

    # pointwise
    abs = pw.abs
    absolute = pw.absolute
    hardshrink, prelu = ac.hardshrink, ac.prelu
    acos = pw.acos
    acosh = pw.acosh
    add = pw.add
    addcdiv = pw.addcdiv
    addcmul = pw.addcmul
    arccos = pw.arccos
    arccosh = pw.arccosh
    arcsin = pw.arcsin
    arcsinh = pw.arcsinh
    arctan = pw.arctan
    arctan2 = pw.arctan2
    arctanh = pw.arctanh
    asin = pw.asin
    asinh = pw.asinh
    atan = pw.atan
    atan2 = pw.atan2
    atanh = pw.atanh
    ceil = pw.ceil
    clamp = pw.clamp
    clamp_max = pw.clamp_max
    clamp_min = pw.clamp_min
    clip = pw.clip
    clone = pw.clone
    copysign = pw.copysign
    cos = pw.cos
    cosh = pw.cosh
    deg2rad = pw.deg2rad
    div = pw.div
    divide = pw.divide
    erf = pw.erf
    erfc = pw.erfc
    exp = pw.exp
    exp2 = pw.exp2
    expm1 = pw.expm1
    fix = pw.fix
    floor = pw.floor
    floor_divide = pw.floor_divide
    fmax = pw.fmax
    fmin = pw.fmin
    fmod = pw.fmod
    frac = pw.frac
    hypot = pw.hypot
    isfinite = pw.isfinite
    isinf = pw.isinf
    isnan = pw.isnan
    isposinf, isneginf = pw.isposinf, pw.isneginf
    heaviside, float_power, logaddexp2 = pw.heaviside, pw.float_power, pw.logaddexp2
    lerp = pw.lerp
    log = pw.log
    log10 = pw.log10
    log1p = pw.log1p
    log2 = pw.log2
    logaddexp = pw.logaddexp
    logit = pw.logit
    masked_fill = pw.masked_fill
    maximum = pw.maximum
    minimum = pw.minimum
    mul = pw.mul
    multiply = pw.multiply
    nan_to_num = pw.nan_to_num
    neg = pw.neg
    negative = pw.negative
    positive = pw.positive
    pow = pw.pow
    rad2deg = pw.rad2deg
    reciprocal = pw.reciprocal
    relu = pw.relu
    remainder = pw.remainder
    round = pw.round
    rsqrt = pw.rsqrt
    sigmoid = pw.sigmoid
    sign = pw.sign
    signbit = pw.signbit
    sin = pw.sin
    sinc = pw.sinc
    sinh = pw.sinh
    sqrt = pw.sqrt
    square = pw.square
    sub = pw.sub
    subtract = pw.subtract
    tan = pw.tan
    tanh = pw.tanh
    true_divide = pw.true_divide
    trunc = pw.trunc
    xlogy = pw.xlogy
    digamma, erfinv, i0, lgamma, mvlgamma = sf.digamma, sf.erfinv, sf.i0, sf.lgamma, sf.mvlgamma
    polygamma, igamma, igammac, frexp = sf.polygamma, sf.igamma, sf.igammac, sf.frexp
    gcd, lcm, ldexp, nextafter = sf.gcd, sf.lcm, sf.ldexp, sf.nextafter
    where = pw.where_method
    __add__ = __radd__ = pw.plus
    __sub__, __rsub__ = pw.sub, pw.rsub
    __mul__ = __rmul__ = pw.mul
    __truediv__, __floordiv__, __mod__, __pow__ = pw.div, pw.floor_divide, pw.remainder, pw.pow
    __neg__, __pos__, __abs__ = pw.neg, pw.positive, pw.abs

    def __rtruediv__(self, other: Any) -> Tensor:
        return self.reciprocal() * other

    def __rfloordiv__(self, other: Any) -> Tensor:
        return pw.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return pw.remainder(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return pw.pow(other, self)

    # reductions
    cumprod = rd.cumprod
    cumsum = rd.cumsum
    dist = rd.dist
    log_softmax = ac.log_softmax
    logcumsumexp = rd.logcumsumexp
    logsumexp = rd.logsumexp
    mean = rd.mean
    nanmean = rd.nanmean
    nansum = rd.nansum
    norm = rd.norm
    prod = rd.prod
    softmax = ac.softmax
    renorm = rd.renorm
    std = rd.std
    sum = rd.sum
    trace = rd.trace
    var = rd.var
    cov, corrcoef = rd.cov, rd.corrcoef

    # ordering
    amax = od.amax
    amin = od.amin
    aminmax = od.aminmax
    argmax = od.argmax
    argmin = od.argmin
    argsort = od.argsort
    cummax = od.cummax
    cummin = od.cummin
    kthvalue = od.kthvalue
    max = od.max
    median = od.median
    min = od.min
    mode = od.mode
    msort = od.msort
    nanmedian = od.nanmedian
    nanquantile = od.nanquantile
    quantile = od.quantile
    sort = od.sort
    topk = od.topk

    # calculus
    diff = ca.diff

    # counting
    bincount = ct.bincount
    histc = ct.histc
    histogram = ct.histogram
    unique = ct.unique
    unique_consecutive = ct.unique_consecutive

    # shapes
    adjoint = sh.adjoint
    broadcast_to = sh.broadcast_to
    contiguous = sh.contiguous
    diag = sh.diag
    diag_embed = sh.diag_embed
    diagonal = sh.diagonal
    diagflat, sum_to_size = sh.diagflat, sh.sum_to_size
    expand = sh.expand
    expand_as = sh.expand_as
    flatten = sh.flatten
    flip = sh.flip
    fliplr = sh.fliplr
    flipud = sh.flipud
    moveaxis = sh.moveaxis
    movedim = sh.movedim
    permute = sh.permute
    ravel = sh.ravel
    repeat = sh.repeat
    repeat_interleave = sh.repeat_interleave
    reshape = sh.reshape
    reshape_as = sh.reshape_as
    roll = sh.roll
    rot90 = sh.rot90
    squeeze = sh.squeeze
    swapaxes = sh.swapaxes
    swapdims = sh.swapdims
    t = sh.t
    tile = sh.tile
    transpose = sh.transpose
    tril = sh.tril
    triu = sh.triu
    unflatten = sh.unflatten
    unfold = sh.unfold
    unsqueeze = sh.unsqueeze
    view = sh.view
    view_as = sh.view_as

    # splitting
    chunk = sp.chunk
    dsplit, hsplit, vsplit = sp.dsplit, sp.hsplit, sp.vsplit
    narrow = sp.narrow
    narrow_copy = cy.narrow_copy
    select = sp.select
    split = sp.split
    split_with_sizes = sp.split_with_sizes
    tensor_split = sp.tensor_split
    unbind = sp.unbind
    unsafe_chunk, unsafe_split = sp.unsafe_chunk, sp.unsafe_split
    as_strided_scatter, diagonal_scatter = cy.as_strided_scatter, cy.diagonal_scatter
    select_scatter, slice_scatter = cy.select_scatter, cy.slice_scatter

    # storage
    as_strided, as_strided_ = st.as_strided, st.as_strided_
    new_empty_strided = st.new_empty_strided
    resize_, resize_as_ = st.resize_, st.resize_as_

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
        return sh.reverse(self)

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
            )
        return self.transpose(-2, -1)

    @property
    def mH(self) -> Tensor:
        """The last two dimensions exchanged, and conjugated."""
        return cn.conj(self.mT)

    @property
    def H(self) -> Tensor:
        """A matrix transposed and conjugated."""
        return cn.conj(self.mT)

    # complex numbers
    angle = cn.angle
    conj = cn.conj
    conj_physical = cn.conj_physical
    is_conj = cn.is_conj
    isreal = cn.isreal
    resolve_conj = cn.resolve_conj
    sgn = cn.sgn

    @property
    def real(self) -> Tensor:
        """The real part, a view."""
        return cn.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        cn.real(self).copy_(value)

    @property
    def imag(self) -> Tensor:
        """The imaginary part, a view."""
        return cn.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        cn.imag(self).copy_(value)

    # selecting
    __getitem__, __setitem__ = sl.getitem, sl.setitem
    argwhere = sl.argwhere
    gather = sl.gather
    index_select = sl.index_select
    masked_select = sl.masked_select
    nonzero = sl.nonzero
    nonzero_static = sl.nonzero_static
    take = sl.take
    take_along_dim = sl.take_along_dim

    # scattering
    index_add, index_add_ = sc.index_add, sc.index_add_
    index_copy, index_copy_ = sc.index_copy, sc.index_copy_
    index_fill, index_fill_ = sc.index_fill, sc.index_fill_
    index_put, index_put_ = sc.index_put, sc.index_put_
    index_reduce, index_reduce_ = sc.index_reduce, sc.index_reduce_
    masked_scatter, masked_scatter_ = sc.masked_scatter, sc.masked_scatter_
    put, put_ = sc.put, sc.put_
    scatter, scatter_ = sc.scatter, sc.scatter_
    scatter_add, scatter_add_ = sc.scatter_add, sc.scatter_add_
    scatter_reduce, scatter_reduce_ = sc.scatter_reduce, sc.scatter_reduce_

    # products
    addbmm = pr.addbmm
    addmm = pr.addmm
    addmv = pr.addmv
    addr = pr.addr
    addr = pr.addr
    baddbmm = pr.baddbmm
    bmm = pr.bmm
    cross = pr.cross
    dot = pr.dot
    ger = pr.ger
    inner = pr.inner
    kron = pr.kron
    matmul = pr.matmul
    mm = pr.mm
    mv = pr.mv
    outer = pr.outer
    vdot = pr.vdot
    __matmul__ = pr.matmul

    # linear algebra
    cholesky = lo.cholesky
    cholesky_inverse = lo.cholesky_inverse
    cholesky_solve = lo.cholesky_solve
    det = lo.det
    geqrf = lo.geqrf
    inverse = lo.inverse
    logdet = lo.logdet
    lu = lo.lu
    lu_solve = lo.lu_solve
    matrix_exp = lo.matrix_exp
    matrix_power = lo.matrix_power
    orgqr = lo.orgqr
    pinverse = lo.pinverse
    qr = lo.qr
    slogdet = lo.slogdet
    svd = lo.svd
    triangular_solve = lo.triangular_solve

    # in place
    abs_ = ip.abs_
    add_ = ip.add_
    addcdiv_ = ip.addcdiv_
    addcmul_ = ip.addcmul_
    addmm_, addmv_, addr_, addbmm_, baddbmm_ = ip.addmm_, ip.addmv_, ip.addr_, ip.addbmm_, ip.baddbmm_
    ceil_ = ip.ceil_
    clamp_ = ip.clamp_
    copy_ = ip.copy_
    cos_ = ip.cos_
    div_ = ip.div_
    exp_ = ip.exp_
    fill_ = ip.fill_
    fill_diagonal_ = ip.fill_diagonal_
    floor_ = ip.floor_
    floor_divide_ = ip.floor_divide_
    fmod_ = ip.fmod_
    lerp_ = ip.lerp_
    log1p_ = ip.log1p_
    log_ = ip.log_
    masked_fill_ = ip.masked_fill_
    mul_ = ip.mul_
    nan_to_num_ = ip.nan_to_num_
    neg_ = ip.neg_
    pow_ = ip.pow_
    reciprocal_ = ip.reciprocal_
    relu_ = ip.relu_
    remainder_ = ip.remainder_
    round_ = ip.round_
    rsqrt_ = ip.rsqrt_
    sigmoid_ = ip.sigmoid_
    sign_ = ip.sign_
    sin_ = ip.sin_
    sqrt_ = ip.sqrt_
    square_ = ip.square_
    squeeze_ = ip.squeeze_
    sub_ = ip.sub_
    t_ = ip.t_
    tanh_ = ip.tanh_
    transpose_ = ip.transpose_
    swapaxes_ = swapdims_ = ip.swapdims_
    tril_ = ip.tril_
    triu_ = ip.triu_
    trunc_ = ip.trunc_
    unsqueeze_ = ip.unsqueeze_
    zero_ = ip.zero_
    clip_ = ip.clamp_
    exp2_, expm1_, log2_, log10_, erf_, tan_, cumsum_ = (
        ip.exp2_,
        ip.expm1_,
        ip.log2_,
        ip.log10_,
        ip.erf_,
        ip.tan_,
        ip.cumsum_,
    )
    subtract_, multiply_, divide_, true_divide_, negative_, absolute_ = (
        ip.sub_,
        ip.mul_,
        ip.div_,
        ip.div_,
        ip.neg_,
        ip.abs_,
    )
    acos_, acosh_, asin_, asinh_, atan_, atanh_, arccos_ = (
        ip.written(f) for f in (pw.acos, pw.acosh, pw.asin, pw.asinh, pw.atan, pw.atanh, pw.arccos)
    )
    arccosh_, arcsin_, arcsinh_, arctan_, arctanh_, cosh_, sinh_ = (
        ip.written(f) for f in (pw.arccosh, pw.arcsin, pw.arcsinh, pw.arctan, pw.arctanh, pw.cosh, pw.sinh)
    )
    sinc_, erfc_, frac_, fix_, deg2rad_, rad2deg_, logit_ = (
        ip.written(f) for f in (pw.sinc, pw.erfc, pw.frac, pw.fix, pw.deg2rad, pw.rad2deg, pw.logit)
    )
    atan2_, arctan2_, copysign_, heaviside_, hypot_, xlogy_ = (
        ip.written(f) for f in (pw.atan2, pw.arctan2, pw.copysign, pw.heaviside, pw.hypot, pw.xlogy)
    )
    eq_, ne_, not_equal_, lt_, less_, le_ = (ip.written(f) for f in (cp.eq, cp.ne, cp.not_equal, cp.lt, cp.less, cp.le))
    less_equal_, gt_, greater_, ge_, greater_equal_, logical_and_ = (
        ip.written(f) for f in (cp.less_equal, cp.gt, cp.greater, cp.ge, cp.greater_equal, cp.logical_and)
    )
    logical_or_, logical_xor_ = (ip.written(f) for f in (cp.logical_or, cp.logical_xor))
    cumprod_ = ip.written(rd.cumprod)
    apply_ = ip.apply_to_each_
    swapaxes_ = swapdims_ = ip.transpose_
    is_nonzero, is_same_size = cv.is_nonzero, cv.is_same_size
    share_memory_ = cv.as_is
    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = ip.iadd, ip.isub, ip.mul_, ip.div_, ip.pow_
    __ifloordiv__, __imod__ = ip.floor_divide_, ip.remainder_
    __iand__, __ior__, __ixor__ = wb.bitwise_and_, wb.bitwise_or_, wb.bitwise_xor_
    clamp_min_, clamp_max_, logical_not_ = ip.clamp_min_, ip.clamp_max_, ip.written(cp.logical_not)
    bitwise_and_, bitwise_or_, bitwise_xor_, bitwise_not_ = (
        wb.bitwise_and_,
        wb.bitwise_or_,
        wb.bitwise_xor_,
        ip.written(cp.bitwise_not),
    )
    bitwise_left_shift_, bitwise_right_shift_ = wb.bitwise_left_shift_, wb.bitwise_right_shift_
    __ilshift__, __irshift__ = wb.bitwise_left_shift_, wb.bitwise_right_shift_
    float_power_ = wb.float_power_
    digamma_ = ip.written(sf.digamma)
    erfinv_ = ip.written(sf.erfinv)
    i0_ = ip.written(sf.i0)
    lgamma_ = ip.written(sf.lgamma)
    mvlgamma_ = ip.written(sf.mvlgamma)
    polygamma_ = ip.written(sf.polygamma)
    igamma_ = ip.written(sf.igamma)
    igammac_ = ip.written(sf.igammac)
    gcd_ = ip.written(sf.gcd)
    lcm_ = ip.written(sf.lcm)
    ldexp_ = ip.written(sf.ldexp)
    nextafter_ = ip.written(sf.nextafter)
    sgn_ = ip.sign_

    # drawing
    bernoulli = dr.bernoulli
    bernoulli_ = dr.bernoulli_
    exponential_ = dr.exponential_
    multinomial = dr.multinomial
    normal_ = dr.normal_
    random_ = dr.random_
    uniform_ = dr.uniform_

    # creation
    new = cr.new_like
    new_full = cr.new_full
    new_ones = cr.new_ones
    new_tensor = cr.new_tensor
    new_zeros = cr.new_zeros
    new_empty = cr.new_zeros

    # conversion; the names of the types come last, so that nothing above mistakes them
    to, type_as, cuda = cv.to, cv.type_as, cv.cuda
    cpu = pin_memory = cv.as_is
    cfloat, cdouble = cv.to_complex64, cv.to_complex128
    double, half, bfloat16, long, short = cv.to_float64, cv.to_float16, cv.to_bfloat16, cv.to_int64, cv.to_int16
    char, byte, type = cv.to_int8, cv.to_uint8, cv.type_
    float, int, bool = cv.to_float32, cv.to_int32, cv.to_bool


results_are(Tensor)


def _rebuild(kind: type[Tensor], array: Array, requires_grad: bool) -> Tensor:
    made = kind._wrap(array)
    made._node = LEAF if requires_grad else None
    return made
