"""The optimizer that a configuration asks for, and its learning rate at each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradus.backend import nn, torch
from gradus.models import LanguageModel
from gradus.models.lora import output_layer
from gradus.training.config import TrainConfig
from gradus.training.schedule import learning_rate_factor


def build_optimizer(model: LanguageModel, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter, 2019), Adam (Kingma and Ba, 2015), SGD, or Muon with AdamW, over a model's
    parameters.

    Weight decay applies to tensors of two dimensions or more, the matrices and embeddings, and not to biases and
    gains. In AdamW and Muon it is decoupled from the gradient; in Adam and SGD it is the gradient of weight_decay / 2 ·
    ‖W‖², so they converge to the minimum of the loss with that penalty.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer: torch.optim.Optimizer
    if config.optimizer == "sgd":
        optimizer = torch.optim.SGD(_groups(parameters, config), lr=config.learning_rate, momentum=config.momentum)
    elif config.optimizer == "muon":
        optimizer = MuonWithAdamW(hidden_matrices(model), parameters, config)
    else:
        rule = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
        betas = (config.beta1, config.beta2)
        optimizer = rule(_groups(parameters, config), lr=config.learning_rate, betas=betas, fused=True)
    for group in optimizer.param_groups:
        group["peak_lr"] = group["lr"]
    return optimizer


def set_learning_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, progress: float) -> float:
    """Set the learning rates that the schedule has at a point of the budget, 0 to 1, and return that of
    `config.learning_rate`."""
    factor = learning_rate_factor(
        progress, schedule=config.schedule, warmup=config.warmup, min_ratio=config.min_lr_ratio
    )
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor
    return config.learning_rate * factor


def hidden_matrices(model: LanguageModel) -> list[nn.Parameter]:
    """The matrices between hidden layers: all but embeddings and the head. That is the last linear layer if it has a
    row for each token or label; of some models it is the embedding."""
    outside = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
    output = output_layer(model)
    outside += [] if output is None else [output.weight]
    return [p for p in model.parameters() if p.requires_grad and p.dim() == 2 and not any(p is o for o in outside)]


class MuonWithAdamW(torch.optim.Optimizer):
    """Muon (Jordan et al., 2024) for the hidden matrices, AdamW for the rest, as one optimizer.

    Muon makes each step of a matrix orthogonal: all its directions move by the same amount, the rare ones too. That is
    not what an embedding wants, of which a batch touches only some rows, nor is it defined for vectors.
    """

    def __init__(self, matrices: list[nn.Parameter], parameters: list[nn.Parameter], config: TrainConfig) -> None:
        rest = [p for p in parameters if not any(p is matrix for matrix in matrices)]
        self.parts: list[torch.optim.Optimizer] = []
        if matrices:
            self.parts.append(torch.optim.Muon(matrices, lr=config.muon_lr, weight_decay=config.weight_decay))
        if rest:
            betas = (config.beta1, config.beta2)
            self.parts.append(
                torch.optim.AdamW(_groups(rest, config), lr=config.learning_rate, betas=betas, fused=True)
            )
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """Let the parts work on this optimizer's groups and state, so that it is saved and loaded as any other."""
        groups = iter(self.param_groups)
        for part in self.parts:
            part.param_groups = [next(groups) for _ in part.param_groups]
            part.state = self.state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update of every parameter that has a gradient."""
        loss = None if closure is None else closure()
        for part in self.parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, as `state_dict` gave it."""
        super().load_state_dict(dict(state_dict))
        self._share()


def _groups(parameters: list[nn.Parameter], config: TrainConfig) -> list[dict[str, Any]]:
    """Matrices and embeddings, which decay, and the rest, which does not."""
    decay = [p for p in parameters if p.dim() >= 2]
    rest = [p for p in parameters if p.dim() < 2]
    both = ((decay, config.weight_decay), (rest, 0.0))
    return [{"params": params, "weight_decay": rate} for params, rate in both if params]
