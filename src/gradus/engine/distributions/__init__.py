"""`torch.distributions`: densities, samples, entropies and divergences of probability distributions."""

from gradus.engine.compat.absent import refuse
from gradus.engine.distributions import constraints, transforms
from gradus.engine.distributions.bernoulli import Bernoulli
from gradus.engine.distributions.beta import Beta
from gradus.engine.distributions.binomial import Binomial
from gradus.engine.distributions.categorical import Categorical
from gradus.engine.distributions.chi2 import Chi2
from gradus.engine.distributions.dirichlet import Dirichlet
from gradus.engine.distributions.distribution import Distribution, ExponentialFamily
from gradus.engine.distributions.exponential import Exponential
from gradus.engine.distributions.gamma import Gamma
from gradus.engine.distributions.geometric import Geometric
from gradus.engine.distributions.half_normal import HalfNormal
from gradus.engine.distributions.independent import Independent
from gradus.engine.distributions.kl import kl_divergence, register_kl
from gradus.engine.distributions.laplace import Laplace
from gradus.engine.distributions.log_normal import LogNormal
from gradus.engine.distributions.mixture_same_family import MixtureSameFamily
from gradus.engine.distributions.multinomial import Multinomial
from gradus.engine.distributions.multivariate_normal import MultivariateNormal
from gradus.engine.distributions.normal import Normal
from gradus.engine.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from gradus.engine.distributions.poisson import Poisson
from gradus.engine.distributions.transformed_distribution import TransformedDistribution
from gradus.engine.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from gradus.engine.distributions.uniform import Uniform

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Chi2",
    "ComposeTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "ExponentialFamily",
    "Gamma",
    "Geometric",
    "HalfNormal",
    "Independent",
    "Laplace",
    "LogNormal",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Poisson",
    "PowerTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "constraints",
    "identity_transform",
    "kl_divergence",
    "register_kl",
    "transforms",
]
__getattr__ = refuse(__name__)
