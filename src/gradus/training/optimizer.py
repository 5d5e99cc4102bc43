"""The optimizer that a configuration asks for, and its learning rate at each step."""

from __future__ import annotations

from gradus.backend import nn, torch
from gradus.training.config import TrainConfig
from gradus.training.schedule import learning_rate_factor


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter, 2019), Adam (Kingma and Ba, 2015) or SGD over a model's parameters.

    Weight decay applies to tensors of two dimensions or more, the matrices and embeddings, and not to biases and
    gains. In AdamW it is decoupled from the gradient; in Adam and SGD it is the gradient of weight_decay / 2 · ‖W‖²,
    so they converge to the minimum of the loss with that penalty.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    decay = [p for p in parameters if p.dim() >= 2]
    rest = [p for p in parameters if p.dim() < 2]
    groups = [
        {"params": params, "weight_decay": rate}
        for params, rate in ((decay, config.weight_decay), (rest, 0.0))
        if params
    ]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum)
    rule = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return rule(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2))


def set_learning_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, progress: float) -> float:
    """Set the learning rate that the schedule has at a point of the budget, 0 to 1, and return it."""
    lr = config.learning_rate * learning_rate_factor(
        progress, schedule=config.schedule, warmup=config.warmup, min_ratio=config.min_lr_ratio
    )
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr
