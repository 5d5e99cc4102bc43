"""The table of the methods that change their tensor, whose names end in an underscore."""

from __future__ import annotations

from gradus.engine.autograd.record import Variable
from gradus.engine.functions import (
    arithmetic,
    comparison,
    conversion,
    drawing,
    exponentials,
    in_place,
    in_place_arithmetic,
    in_place_elementwise,
    reductions,
    rounding,
    scattering,
    special_functions,
    storage,
    trigonometry,
    write_back,
)
from gradus.engine.functions.in_place import written


class InPlaceMethods(Variable):
    """What can be written into a tensor: functions whose first argument is the tensor."""

    # in place: copies and shapes
    apply_ = in_place.apply_to_each_
    copy_ = in_place.copy_
    fill_ = in_place.fill_
    fill_diagonal_ = in_place.fill_diagonal_
    squeeze_ = in_place.squeeze_
    swapaxes_ = in_place.transpose_
    swapdims_ = in_place.transpose_
    t_ = in_place.t_
    transpose_ = in_place.transpose_
    tril_ = in_place.tril_
    triu_ = in_place.triu_
    unsqueeze_ = in_place.unsqueeze_
    zero_ = in_place.zero_

    # in place: arithmetic
    add_ = in_place_arithmetic.add_
    addbmm_ = in_place_arithmetic.addbmm_
    addcdiv_ = in_place_arithmetic.addcdiv_
    addcmul_ = in_place_arithmetic.addcmul_
    addmm_ = in_place_arithmetic.addmm_
    addmv_ = in_place_arithmetic.addmv_
    addr_ = in_place_arithmetic.addr_
    baddbmm_ = in_place_arithmetic.baddbmm_
    div_ = in_place_arithmetic.div_
    divide_ = in_place_arithmetic.div_
    floor_divide_ = in_place_arithmetic.floor_divide_
    fmod_ = in_place_arithmetic.fmod_
    lerp_ = in_place_arithmetic.lerp_
    mul_ = in_place_arithmetic.mul_
    multiply_ = in_place_arithmetic.mul_
    pow_ = in_place_arithmetic.pow_
    remainder_ = in_place_arithmetic.remainder_
    sub_ = in_place_arithmetic.sub_
    subtract_ = in_place_arithmetic.sub_
    true_divide_ = in_place_arithmetic.div_

    # in place: elementwise functions
    abs_ = in_place_elementwise.abs_
    absolute_ = in_place_elementwise.abs_
    ceil_ = in_place_elementwise.ceil_
    clamp_ = in_place_elementwise.clamp_
    clamp_max_ = in_place_elementwise.clamp_max_
    clamp_min_ = in_place_elementwise.clamp_min_
    clip_ = in_place_elementwise.clamp_
    cos_ = in_place_elementwise.cos_
    cumsum_ = in_place_elementwise.cumsum_
    erf_ = in_place_elementwise.erf_
    exp2_ = in_place_elementwise.exp2_
    exp_ = in_place_elementwise.exp_
    expm1_ = in_place_elementwise.expm1_
    floor_ = in_place_elementwise.floor_
    log10_ = in_place_elementwise.log10_
    log1p_ = in_place_elementwise.log1p_
    log2_ = in_place_elementwise.log2_
    log_ = in_place_elementwise.log_
    masked_fill_ = in_place_elementwise.masked_fill_
    nan_to_num_ = in_place_elementwise.nan_to_num_
    neg_ = in_place_elementwise.neg_
    negative_ = in_place_elementwise.neg_
    reciprocal_ = in_place_elementwise.reciprocal_
    relu_ = in_place_elementwise.relu_
    round_ = in_place_elementwise.round_
    rsqrt_ = in_place_elementwise.rsqrt_
    sgn_ = in_place_elementwise.sign_
    sigmoid_ = in_place_elementwise.sigmoid_
    sign_ = in_place_elementwise.sign_
    sin_ = in_place_elementwise.sin_
    sqrt_ = in_place_elementwise.sqrt_
    square_ = in_place_elementwise.square_
    tan_ = in_place_elementwise.tan_
    tanh_ = in_place_elementwise.tanh_
    trunc_ = in_place_elementwise.trunc_

    # write back
    bitwise_and_ = write_back.bitwise_and_
    bitwise_left_shift_ = write_back.bitwise_left_shift_
    bitwise_or_ = write_back.bitwise_or_
    bitwise_right_shift_ = write_back.bitwise_right_shift_
    bitwise_xor_ = write_back.bitwise_xor_
    float_power_ = write_back.float_power_

    # storage
    as_strided_ = storage.as_strided_
    resize_ = storage.resize_
    resize_as_ = storage.resize_as_

    # scattering
    index_add_ = scattering.index_add_
    index_copy_ = scattering.index_copy_
    index_fill_ = scattering.index_fill_
    index_put_ = scattering.index_put_
    index_reduce_ = scattering.index_reduce_
    masked_scatter_ = scattering.masked_scatter_
    put_ = scattering.put_
    scatter_ = scattering.scatter_
    scatter_add_ = scattering.scatter_add_
    scatter_reduce_ = scattering.scatter_reduce_

    # drawing
    bernoulli_ = drawing.bernoulli_
    cauchy_, exponential_, geometric_ = drawing.cauchy_, drawing.exponential_, drawing.geometric_
    log_normal_ = drawing.log_normal_
    normal_ = drawing.normal_
    random_ = drawing.random_
    uniform_ = drawing.uniform_

    # conversion
    share_memory_ = conversion.as_is

    # computed apart, then written into the tensor
    acos_ = written(trigonometry.acos)
    acosh_ = written(trigonometry.acosh)
    arccos_ = written(trigonometry.arccos)
    arccosh_ = written(trigonometry.arccosh)
    arcsin_ = written(trigonometry.arcsin)
    arcsinh_ = written(trigonometry.arcsinh)
    arctan2_ = written(trigonometry.arctan2)
    arctan_ = written(trigonometry.arctan)
    arctanh_ = written(trigonometry.arctanh)
    asin_ = written(trigonometry.asin)
    asinh_ = written(trigonometry.asinh)
    atan2_ = written(trigonometry.atan2)
    atan_ = written(trigonometry.atan)
    atanh_ = written(trigonometry.atanh)
    bitwise_not_ = written(comparison.bitwise_not)
    copysign_ = written(arithmetic.copysign)
    cosh_ = written(trigonometry.cosh)
    cumprod_ = written(reductions.cumprod)
    deg2rad_ = written(trigonometry.deg2rad)
    digamma_ = written(special_functions.digamma)
    eq_ = written(comparison.eq)
    erfc_ = written(special_functions.erfc)
    erfinv_ = written(special_functions.erfinv)
    fix_ = written(rounding.fix)
    frac_ = written(rounding.frac)
    gcd_ = written(special_functions.gcd)
    ge_ = written(comparison.ge)
    greater_ = written(comparison.greater)
    greater_equal_ = written(comparison.greater_equal)
    gt_ = written(comparison.gt)
    heaviside_ = written(rounding.heaviside)
    hypot_ = written(trigonometry.hypot)
    i0_ = written(special_functions.i0)
    igamma_ = written(special_functions.igamma)
    igammac_ = written(special_functions.igammac)
    lcm_ = written(special_functions.lcm)
    ldexp_ = written(special_functions.ldexp)
    le_ = written(comparison.le)
    less_ = written(comparison.less)
    less_equal_ = written(comparison.less_equal)
    lgamma_ = written(special_functions.lgamma)
    logical_and_ = written(comparison.logical_and)
    logical_not_ = written(comparison.logical_not)
    logical_or_ = written(comparison.logical_or)
    logical_xor_ = written(comparison.logical_xor)
    logit_ = written(special_functions.logit)
    lt_ = written(comparison.lt)
    mvlgamma_ = written(special_functions.mvlgamma)
    ne_ = written(comparison.ne)
    nextafter_ = written(special_functions.nextafter)
    not_equal_ = written(comparison.not_equal)
    polygamma_ = written(special_functions.polygamma)
    rad2deg_ = written(trigonometry.rad2deg)
    sinc_ = written(trigonometry.sinc)
    sinh_ = written(trigonometry.sinh)
    xlogy_ = written(exponentials.xlogy)
