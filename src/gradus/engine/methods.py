"""The table of a tensor's methods: PyTorch's names, and the functions of `functions/` that they are.

Methods that change their tensor are in `in_place_methods.py`; operators and properties are in `tensor.py`.
"""

from __future__ import annotations

from gradus.engine.functions import (
    activations,
    calculus,
    comparison,
    complex_numbers,
    conversion,
    copying,
    counting,
    creation,
    diagonals,
    drawing,
    linalg_older,
    ordering,
    pointwise,
    products,
    reductions,
    reordering,
    scattering,
    selecting,
    shapes,
    special_functions,
    splitting,
    storage,
)
from gradus.engine.in_place_methods import InPlaceMethods


class Methods(InPlaceMethods):
    """What can be computed with a tensor: functions whose first argument is the tensor."""

    # pointwise
    abs = pointwise.abs
    absolute = pointwise.absolute
    acos = pointwise.acos
    acosh = pointwise.acosh
    add = pointwise.add
    addcdiv = pointwise.addcdiv
    addcmul = pointwise.addcmul
    arccos = pointwise.arccos
    arccosh = pointwise.arccosh
    arcsin = pointwise.arcsin
    arcsinh = pointwise.arcsinh
    arctan = pointwise.arctan
    arctan2 = pointwise.arctan2
    arctanh = pointwise.arctanh
    asin = pointwise.asin
    asinh = pointwise.asinh
    atan = pointwise.atan
    atan2 = pointwise.atan2
    atanh = pointwise.atanh
    ceil = pointwise.ceil
    clamp = pointwise.clamp
    clamp_max = pointwise.clamp_max
    clamp_min = pointwise.clamp_min
    clip = pointwise.clip
    clone = pointwise.clone
    copysign = pointwise.copysign
    cos = pointwise.cos
    cosh = pointwise.cosh
    deg2rad = pointwise.deg2rad
    div = pointwise.div
    divide = pointwise.divide
    erf = pointwise.erf
    erfc = pointwise.erfc
    exp = pointwise.exp
    exp2 = pointwise.exp2
    expm1 = pointwise.expm1
    fix = pointwise.fix
    float_power = pointwise.float_power
    floor = pointwise.floor
    floor_divide = pointwise.floor_divide
    fmax = pointwise.fmax
    fmin = pointwise.fmin
    fmod = pointwise.fmod
    frac = pointwise.frac
    heaviside = pointwise.heaviside
    hypot = pointwise.hypot
    isfinite = pointwise.isfinite
    isinf = pointwise.isinf
    isnan = pointwise.isnan
    isneginf = pointwise.isneginf
    isposinf = pointwise.isposinf
    lerp = pointwise.lerp
    log = pointwise.log
    log10 = pointwise.log10
    log1p = pointwise.log1p
    log2 = pointwise.log2
    logaddexp = pointwise.logaddexp
    logaddexp2 = pointwise.logaddexp2
    logit = pointwise.logit
    masked_fill = pointwise.masked_fill
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    mul = pointwise.mul
    multiply = pointwise.multiply
    nan_to_num = pointwise.nan_to_num
    neg = pointwise.neg
    negative = pointwise.negative
    positive = pointwise.positive
    pow = pointwise.pow
    rad2deg = pointwise.rad2deg
    reciprocal = pointwise.reciprocal
    relu = pointwise.relu
    remainder = pointwise.remainder
    round = pointwise.round
    rsqrt = pointwise.rsqrt
    sigmoid = pointwise.sigmoid
    sign = pointwise.sign
    signbit = pointwise.signbit
    sin = pointwise.sin
    sinc = pointwise.sinc
    sinh = pointwise.sinh
    sqrt = pointwise.sqrt
    square = pointwise.square
    sub = pointwise.sub
    subtract = pointwise.subtract
    tan = pointwise.tan
    tanh = pointwise.tanh
    true_divide = pointwise.true_divide
    trunc = pointwise.trunc
    where = pointwise.where_method
    xlogy = pointwise.xlogy

    # activations
    hardshrink = activations.hardshrink
    log_softmax = activations.log_softmax
    prelu = activations.prelu
    softmax = activations.softmax

    # special functions
    digamma = special_functions.digamma
    erfinv = special_functions.erfinv
    frexp = special_functions.frexp
    gcd = special_functions.gcd
    i0 = special_functions.i0
    igamma = special_functions.igamma
    igammac = special_functions.igammac
    lcm = special_functions.lcm
    ldexp = special_functions.ldexp
    lgamma = special_functions.lgamma
    mvlgamma = special_functions.mvlgamma
    nextafter = special_functions.nextafter
    polygamma = special_functions.polygamma

    # complex numbers
    angle = complex_numbers.angle
    conj = complex_numbers.conj
    conj_physical = complex_numbers.conj_physical
    is_conj = complex_numbers.is_conj
    isreal = complex_numbers.isreal
    resolve_conj = complex_numbers.resolve_conj
    sgn = complex_numbers.sgn

    # comparison
    all = comparison.all
    allclose = comparison.allclose
    any = comparison.any
    bitwise_and = comparison.bitwise_and
    bitwise_left_shift = comparison.bitwise_left_shift
    bitwise_not = comparison.bitwise_not
    bitwise_or = comparison.bitwise_or
    bitwise_right_shift = comparison.bitwise_right_shift
    bitwise_xor = comparison.bitwise_xor
    count_nonzero = comparison.count_nonzero
    eq = comparison.eq
    equal = comparison.equal
    ge = comparison.ge
    greater = comparison.greater
    greater_equal = comparison.greater_equal
    gt = comparison.gt
    isclose = comparison.isclose
    isin = comparison.isin
    le = comparison.le
    less = comparison.less
    less_equal = comparison.less_equal
    logical_and = comparison.logical_and
    logical_not = comparison.logical_not
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor
    lt = comparison.lt
    ne = comparison.ne
    not_equal = comparison.not_equal

    # reductions
    corrcoef = reductions.corrcoef
    cov = reductions.cov
    cumprod = reductions.cumprod
    cumsum = reductions.cumsum
    dist = reductions.dist
    logcumsumexp = reductions.logcumsumexp
    logsumexp = reductions.logsumexp
    mean = reductions.mean
    nanmean = reductions.nanmean
    nansum = reductions.nansum
    norm = reductions.norm
    prod = reductions.prod
    renorm = reductions.renorm
    std = reductions.std
    sum = reductions.sum
    trace = reductions.trace
    var = reductions.var

    # ordering
    amax = ordering.amax
    amin = ordering.amin
    aminmax = ordering.aminmax
    argmax = ordering.argmax
    argmin = ordering.argmin
    argsort = ordering.argsort
    cummax = ordering.cummax
    cummin = ordering.cummin
    kthvalue = ordering.kthvalue
    max = ordering.max
    median = ordering.median
    min = ordering.min
    mode = ordering.mode
    msort = ordering.msort
    nanmedian = ordering.nanmedian
    nanquantile = ordering.nanquantile
    quantile = ordering.quantile
    sort = ordering.sort
    topk = ordering.topk

    # counting
    bincount = counting.bincount
    histc = counting.histc
    histogram = counting.histogram
    unique = counting.unique
    unique_consecutive = counting.unique_consecutive

    # calculus
    diff = calculus.diff

    # shapes
    broadcast_to = shapes.broadcast_to
    contiguous = shapes.contiguous
    expand = shapes.expand
    expand_as = shapes.expand_as
    flatten = shapes.flatten
    ravel = shapes.ravel
    repeat = shapes.repeat
    repeat_interleave = shapes.repeat_interleave
    reshape = shapes.reshape
    reshape_as = shapes.reshape_as
    squeeze = shapes.squeeze
    sum_to_size = shapes.sum_to_size
    tile = shapes.tile
    unflatten = shapes.unflatten
    unfold = shapes.unfold
    unsqueeze = shapes.unsqueeze
    view = shapes.view
    view_as = shapes.view_as

    # reordering
    adjoint = reordering.adjoint
    flip = reordering.flip
    fliplr = reordering.fliplr
    flipud = reordering.flipud
    moveaxis = reordering.moveaxis
    movedim = reordering.movedim
    permute = reordering.permute
    roll = reordering.roll
    rot90 = reordering.rot90
    swapaxes = reordering.swapaxes
    swapdims = reordering.swapdims
    t = reordering.t
    transpose = reordering.transpose

    # diagonals
    diag = diagonals.diag
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    diagonal = diagonals.diagonal
    tril = diagonals.tril
    triu = diagonals.triu

    # splitting
    chunk = splitting.chunk
    dsplit = splitting.dsplit
    hsplit = splitting.hsplit
    narrow = splitting.narrow
    select = splitting.select
    split = splitting.split
    split_with_sizes = splitting.split_with_sizes
    tensor_split = splitting.tensor_split
    unbind = splitting.unbind
    unsafe_chunk = splitting.unsafe_chunk
    unsafe_split = splitting.unsafe_split
    vsplit = splitting.vsplit

    # copying
    as_strided_scatter = copying.as_strided_scatter
    diagonal_scatter = copying.diagonal_scatter
    narrow_copy = copying.narrow_copy
    select_scatter = copying.select_scatter
    slice_scatter = copying.slice_scatter

    # storage
    as_strided = storage.as_strided
    new_empty_strided = storage.new_empty_strided

    # selecting
    argwhere = selecting.argwhere
    gather = selecting.gather
    index_select = selecting.index_select
    masked_select = selecting.masked_select
    nonzero = selecting.nonzero
    nonzero_static = selecting.nonzero_static
    take = selecting.take
    take_along_dim = selecting.take_along_dim

    # scattering
    index_add = scattering.index_add
    index_copy = scattering.index_copy
    index_fill = scattering.index_fill
    index_put = scattering.index_put
    index_reduce = scattering.index_reduce
    masked_scatter = scattering.masked_scatter
    put = scattering.put
    scatter = scattering.scatter
    scatter_add = scattering.scatter_add
    scatter_reduce = scattering.scatter_reduce

    # products
    addbmm = products.addbmm
    addmm = products.addmm
    addmv = products.addmv
    addr = products.addr
    baddbmm = products.baddbmm
    bmm = products.bmm
    cross = products.cross
    dot = products.dot
    ger = products.ger
    inner = products.inner
    kron = products.kron
    matmul = products.matmul
    mm = products.mm
    mv = products.mv
    outer = products.outer
    vdot = products.vdot

    # linalg older
    cholesky = linalg_older.cholesky
    cholesky_inverse = linalg_older.cholesky_inverse
    cholesky_solve = linalg_older.cholesky_solve
    det = linalg_older.det
    geqrf = linalg_older.geqrf
    inverse = linalg_older.inverse
    logdet = linalg_older.logdet
    lu = linalg_older.lu
    lu_solve = linalg_older.lu_solve
    matrix_exp = linalg_older.matrix_exp
    matrix_power = linalg_older.matrix_power
    orgqr = linalg_older.orgqr
    pinverse = linalg_older.pinverse
    qr = linalg_older.qr
    slogdet = linalg_older.slogdet
    svd = linalg_older.svd
    triangular_solve = linalg_older.triangular_solve

    # drawing
    bernoulli = drawing.bernoulli
    multinomial = drawing.multinomial

    # creation
    new = creation.new_like
    new_empty = creation.new_zeros
    new_full = creation.new_full
    new_ones = creation.new_ones
    new_tensor = creation.new_tensor
    new_zeros = creation.new_zeros

    # conversion; the names of the types come last, so that nothing above mistakes them
    bfloat16 = conversion.to_bfloat16
    bool = conversion.to_bool
    byte = conversion.to_uint8
    cdouble = conversion.to_complex128
    cfloat = conversion.to_complex64
    char = conversion.to_int8
    cpu = conversion.as_is
    cuda = conversion.cuda
    double = conversion.to_float64
    float = conversion.to_float32
    half = conversion.to_float16
    int = conversion.to_int32
    is_nonzero = conversion.is_nonzero
    is_same_size = conversion.is_same_size
    long = conversion.to_int64
    pin_memory = conversion.as_is
    short = conversion.to_int16
    to = conversion.to
    type = conversion.type_
    type_as = conversion.type_as
