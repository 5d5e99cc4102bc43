"""An optimizer of one's own over lists of tensors, an operation of one's own, and the modules that come along."""
import importlib.metadata
import os

import torch
import torch._dynamo
import torch._inductor.config as inductor_config
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
import torch.onnx
from torch.autograd.function import Function, once_differentiable
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.nn.modules.module import Module
from torch.nn.modules.utils import _pair
from torch.nn.parameter import Parameter
from torch.optim.optimizer import Optimizer
from torch.types import Number

inductor_config.coordinate_descent_tuning = True
torch._dynamo.config.suppress_errors = True
if hasattr(torch, "xpu") and torch.xpu.is_available():
    device = torch.device("xpu")
else:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
assert torch.__version__ >= "1.10" and importlib.metadata.version("torch").startswith("2.")
assert _pair(3) == (3, 3) and mp.cpu_count() > 0 and not isinstance(3, ZeroRedundancyOptimizer)
ddp = int(os.environ.get("RANK", -1)) != -1


class Lion(Optimizer):
    def __init__(self, params, lr: Number = 1e-2, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            grads = [p.grad for p in params]
            for p in params:
                if not self.state[p]:
                    self.state[p]["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            averages = [self.state[p]["exp_avg"] for p in params]
            beta1, beta2 = group["betas"]
            torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
            update = torch._foreach_mul(averages, beta1)
            torch._foreach_add_(update, grads, alpha=1 - beta1)
            torch._foreach_add_(params, [u.sign_() for u in update], alpha=-group["lr"])
            torch._foreach_lerp_(averages, grads, 1 - beta2)


class Clipped(Function):
    @staticmethod
    def forward(x, low=-1.0, high=1.0):
        return x.clamp(low, high)

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.low, ctx.high = inputs
        ctx.save_for_backward(x)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ((x >= ctx.low) & (x <= ctx.high)), None, None


class Scale(Module):
    def __init__(self, n):
        super().__init__()
        self.weight = Parameter(torch.Tensor(n))
        self.register_buffer("count", torch.zeros(1, dtype=torch.long))
        self.reset_parameters()

    def reset_parameters(self):
        self.weight.data.normal_(1, 0.1)

    def forward(self, x):
        self.count.add_(1)
        return Clipped.apply(x * self.weight)


torch.manual_seed(5)
with torch.device(device):
    model = nn.Sequential(nn.Linear(6, 16), Scale(16), nn.Linear(16, 1))
    x = torch.normal(0.0, 1.0, (64, 6))
    y = x.prod(1, keepdim=True) + x.sum(1, keepdim=True)
model = torch.compile(model, disable=True)
optimizer = Lion(model.parameters(), lr=torch.tensor(0.01), weight_decay=0.01)


@torch.no_grad()
def batches(n):
    for i in range(n):
        noise = torch.randn_like(x) * 0.05
        yield x + noise, y


for step, (a, b) in enumerate(batches(40)):
    assert torch.is_grad_enabled()
    loss = F.mse_loss(model(a), b)
    with torch.autograd.set_detect_anomaly(True):
        optimizer.zero_grad()
        loss.backward()
    norms = torch._foreach_norm([p.grad for p in model.parameters()])
    optimizer.step()
    if step % 8 == 7:
        print("step %d loss %.4f norm %.4f" % (step, loss, torch.stack(norms).norm()))
print(model.state_dict()["1.count"], sorted(optimizer.state_dict()["param_groups"][0])[:2])
torch.testing.assert_close(model(x), model(x))
J = torch.autograd.functional.jacobian(lambda v: model[2](torch.tanh(model[0](v))), x[0])
print(J)
print(torch.func.functional_call(model[0], {"bias": torch.zeros(16)}, x[:1])[0, :3])
