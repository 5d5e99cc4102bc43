"""Datasets, the orders in which to visit them, and the loader that makes batches, as `torch.utils.data` has them."""

from gradus.engine.compat.absent import refuse
from gradus.engine.utils.data import collate, dataloader, dataset, distributed, sampler
from gradus.engine.utils.data.collate import default_collate, default_convert
from gradus.engine.utils.data.dataloader import DataLoader, get_worker_info
from gradus.engine.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from gradus.engine.utils.data.distributed import DistributedSampler
from gradus.engine.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "collate",
    "dataloader",
    "dataset",
    "default_collate",
    "default_convert",
    "distributed",
    "get_worker_info",
    "random_split",
    "sampler",
]

__getattr__ = refuse(__name__)
