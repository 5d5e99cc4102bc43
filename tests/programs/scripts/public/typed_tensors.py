"""Networks by hand in the style of 2016: a dtype that is a tensor type, old orders of arguments, a network of numbers."""
import numpy as np
import torch
from torch.autograd import Variable

torch.manual_seed(0)
np.random.seed(0)
use_gpu = torch.cuda.is_available()
dtype = torch.cuda.FloatTensor if use_gpu else torch.FloatTensor
N, D_in, H, D_out = 64, 20, 16, 3

# by hand
x = torch.randn(N, D_in).type(dtype)
y = torch.randn(N, D_out).type(dtype)
w1 = torch.randn(D_in, H).type(dtype)
w2 = torch.randn(H, D_out).type(dtype)
learning_rate = 1e-4
for t in range(60):
    h = x.mm(w1)
    h_relu = h.clamp(min=0)
    y_pred = h_relu.mm(w2)
    loss = (y_pred - y).pow(2).sum()
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.t().mm(grad_y_pred)
    grad_h = grad_y_pred.mm(w2.t()).clone()
    grad_h[h < 0] = 0
    w1.addmm_(1, -learning_rate, x.t(), grad_h)
    w2.add_(-learning_rate, grad_w2)
    if t % 20 == 19:
        print(t, "%.3f" % loss)

# with autograd and momentum
assert isinstance(w1, dtype) and not isinstance(w1, torch.DoubleTensor)
params = [Variable(w.clone().normal_().type(dtype), requires_grad=True) for w in (w1, w2)]
state = [torch.zeros(p.size()).type_as(p.data) for p in params]
bias = Variable(torch.zeros(D_out).type(dtype), requires_grad=True)
for t in range(60):
    h = Variable(x).mm(params[0]).tanh()
    out = torch.addmm(1, bias.expand(N, D_out), 0.5, h, params[1])
    loss = torch.nn.functional.mse_loss(out, Variable(y), size_average=False) / N
    for p in params + [bias]:
        if p.grad is not None:
            p.grad.data.zero_()
    loss.backward()
    for p, v in zip(params, state):
        v.mul_(0.9).add_(0.1, p.grad.data).addcmul_(1e-3, p.data, p.data.abs())
        p.data.addcdiv_(-0.05, v, v.norm().clamp(min=1).expand_as(v))
    bias.data.sub_(0.05, bias.grad.data)
    if t % 20 == 19:
        print(t, "%.4f %.5f" % (loss.data.item(), bias.grad.norm()))

# integers, bytes and masks
labels = torch.from_numpy(np.random.randint(0, 5, 12)).type(torch.LongTensor)
onehot = torch.FloatTensor(12, 5).zero_().scatter_(1, labels.view(-1, 1), 1)
mask = labels.gt(2).type(torch.ByteTensor)
print(onehot.sum(0), mask.sum().item(), mask.type(), torch.masked_select(labels, mask.bool()))
print(torch.DoubleTensor([1, 2, 3]).type("torch.HalfTensor"), torch.IntTensor(np.arange(3)), labels.new([7, 8]))
torch.set_default_tensor_type("torch.DoubleTensor")
print(torch.ones(2).type(), torch.tensor(0.1).item())
torch.set_default_tensor_type(torch.FloatTensor)
