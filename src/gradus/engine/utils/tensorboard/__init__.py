"""Logs that TensorBoard reads, as `torch.utils.tensorboard` writes them; neither TensorBoard nor protobuf is needed."""

from gradus.engine.utils.tensorboard.writer import SummaryWriter

__all__ = ["SummaryWriter"]
