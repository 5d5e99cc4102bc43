"""The table of a tensor's methods: PyTorch's names, and the functions of `functions/` that they are.

Methods that change their tensor are in `in_place_methods.py`; operators and properties are in `tensor.py`.
"""

from __future__ import annotations

from gradus.engine.functions import (
    activations,
    arithmetic,
    calculus,
    comparison,
    complex_numbers,
    conversion,
    copying,
    counting,
    creation,
    diagonals,
    drawing,
    exponentials,
    gathering,
    linalg_older,
    ordering,
    products,
    reductions,
    reordering,
    rounding,
    scattering,
    selection,
    shapes,
    special_functions,
    splitting,
    storage,
    trigonometry,
)
from gradus.engine.in_place_methods import InPlaceMethods


class Methods(InPlaceMethods):
    """What can be computed with a tensor: functions whose first argument is the tensor."""

    # arithmetic
    abs = arithmetic.abs
    absolute = arithmetic.absolute
    add = arithmetic.add
    addcdiv = arithmetic.addcdiv
    addcmul = arithmetic.addcmul
    copysign = arithmetic.copysign
    div = arithmetic.div
    divide = arithmetic.divide
    float_power = arithmetic.float_power
    floor_divide = arithmetic.floor_divide
    fmod = arithmetic.fmod
    lerp = arithmetic.lerp
    mul = arithmetic.mul
    multiply = arithmetic.multiply
    neg = arithmetic.neg
    negative = arithmetic.negative
    positive = arithmetic.positive
    pow = arithmetic.pow
    reciprocal = arithmetic.reciprocal
    remainder = arithmetic.remainder
    square = arithmetic.square
    sub = arithmetic.sub
    subtract = arithmetic.subtract
    true_divide = arithmetic.true_divide

    # exponentials
    exp = exponentials.exp
    exp2 = exponentials.exp2
    expm1 = exponentials.expm1
    log = exponentials.log
    log10 = exponentials.log10
    log1p = exponentials.log1p
    log2 = exponentials.log2
    logaddexp = exponentials.logaddexp
    logaddexp2 = exponentials.logaddexp2
    rsqrt = exponentials.rsqrt
    sqrt = exponentials.sqrt
    xlogy = exponentials.xlogy

    # trigonometry
    acos = trigonometry.acos
    acosh = trigonometry.acosh
    arccos = trigonometry.arccos
    arccosh = trigonometry.arccosh
    arcsin = trigonometry.arcsin
    arcsinh = trigonometry.arcsinh
    arctan = trigonometry.arctan
    arctan2 = trigonometry.arctan2
    arctanh = trigonometry.arctanh
    asin = trigonometry.asin
    asinh = trigonometry.asinh
    atan = trigonometry.atan
    atan2 = trigonometry.atan2
    atanh = trigonometry.atanh
    cos = trigonometry.cos
    cosh = trigonometry.cosh
    deg2rad = trigonometry.deg2rad
    hypot = trigonometry.hypot
    rad2deg = trigonometry.rad2deg
    sin = trigonometry.sin
    sinc = trigonometry.sinc
    sinh = trigonometry.sinh
    tan = trigonometry.tan
    tanh = trigonometry.tanh

    # rounding
    ceil = rounding.ceil
    fix = rounding.fix
    floor = rounding.floor
    frac = rounding.frac
    heaviside = rounding.heaviside
    round = rounding.round
    sign = rounding.sign
    signbit = rounding.signbit
    trunc = rounding.trunc

    # selection
    clamp = selection.clamp
    clamp_max = selection.clamp_max
    clamp_min = selection.clamp_min
    clip = selection.clip
    fmax = selection.fmax
    fmin = selection.fmin
    masked_fill = selection.masked_fill
    maximum = selection.maximum
    minimum = selection.minimum
    nan_to_num = selection.nan_to_num
    relu = selection.relu
    where = selection.where_method

    # activations
    hardshrink = activations.hardshrink
    log_softmax = activations.log_softmax
    prelu = activations.prelu
    softmax = activations.softmax

    # special functions
    digamma = special_functions.digamma
    erf = special_functions.erf
    erfc = special_functions.erfc
    erfinv = special_functions.erfinv
    frexp = special_functions.frexp
    gcd = special_functions.gcd
    i0 = special_functions.i0
    igamma = special_functions.igamma
    igammac = special_functions.igammac
    lcm = special_functions.lcm
    ldexp = special_functions.ldexp
    lgamma = special_functions.lgamma
    logit = special_functions.logit
    mvlgamma = special_functions.mvlgamma
    nextafter = special_functions.nextafter
    polygamma = special_functions.polygamma
    sigmoid = special_functions.sigmoid

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
    isfinite = comparison.isfinite
    isin = comparison.isin
    isinf = comparison.isinf
    isnan = comparison.isnan
    isneginf = comparison.isneginf
    isposinf = comparison.isposinf
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
    clone = copying.clone
    diagonal_scatter = copying.diagonal_scatter
    narrow_copy = copying.narrow_copy
    select_scatter = copying.select_scatter
    slice_scatter = copying.slice_scatter

    # storage
    as_strided = storage.as_strided
    new_empty_strided = storage.new_empty_strided

    # gathering
    argwhere = gathering.argwhere
    gather = gathering.gather
    index_select = gathering.index_select
    masked_select = gathering.masked_select
    nonzero = gathering.nonzero
    nonzero_static = gathering.nonzero_static
    take = gathering.take
    take_along_dim = gathering.take_along_dim

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
