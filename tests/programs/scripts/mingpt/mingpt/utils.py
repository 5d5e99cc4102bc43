import json
import os
import random
from ast import literal_eval

import numpy as np
import torch


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)


def setup_logging(config):
    work_dir = config.system.work_dir
    os.makedirs(work_dir, exist_ok=True)
    with open(os.path.join(work_dir, "config.json"), "w") as f:
        f.write(json.dumps(config.to_dict(), indent=4))


class CfgNode:
    """A tree of settings."""

    def __init__(self, **kwargs):
        self.__dict__.update(kwargs)

    def __str__(self):
        return self._str_helper(0)

    def _str_helper(self, indent):
        parts = []
        for k, v in self.__dict__.items():
            if isinstance(v, CfgNode):
                parts.append("%s:\n" % k)
                parts.append(v._str_helper(indent + 1))
            else:
                parts.append("%s: %s\n" % (k, v))
        return "".join(" " * (indent * 4) + p for p in parts)

    def to_dict(self):
        return {k: v.to_dict() if isinstance(v, CfgNode) else v for k, v in self.__dict__.items()}

    def merge_from_dict(self, d):
        self.__dict__.update(d)

    def merge_from_args(self, args):
        """Settings from the command line: --trainer.batch_size=32."""
        for arg in args:
            key, val = arg.split("=")
            assert key.startswith("--")
            try:
                val = literal_eval(val)
            except (SyntaxError, ValueError):
                pass
            *path, leaf = key[2:].split(".")
            obj = self
            for name in path:
                obj = getattr(obj, name)
            assert hasattr(obj, leaf), f"{key} is not a setting"
            print("command line overwriting config attribute %s with %s" % (key[2:], val))
            setattr(obj, leaf, val)
