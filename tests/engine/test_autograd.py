"""The backward walk as a learner meets it: leaves, hooks, retained gradients, grad(), custom functions, and what
stays in memory.
"""

# ruff: noqa: ARG004, ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

import gc
import math
import subprocess
import sys
import weakref
from typing import Any

import pytest

import gradus.engine as engine
from tests.engine.compare import Program, agree, numbers, same_error


def custom(t: Any) -> dict[str, Any]:
    """Operations of a learner's own, on either engine."""

    class Cube(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x**2 * dy

    class Scale(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any, k: float) -> Any:
            ctx.save_for_backward(x, w)
            ctx.k = k
            return x * w * k

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, w = ctx.saved_tensors
            dx = dy * w * ctx.k if ctx.needs_input_grad[0] else None
            dw = dy * x * ctx.k if ctx.needs_input_grad[1] else None
            return dx, dw, None

    class Exp(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0]

    class Both(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, da: Any, db: Any) -> Any:
            return da * 2 + db * 3

    class Straight(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy

    class NewStyle(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(x: Any) -> Any:
            return x.sin()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0].cos()

    class Wrong(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy

    class WrongShape(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.sum()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy.new_ones(7)

    class Same(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * -1

    return {k: v for k, v in locals().items() if k != "t"}


WALKS: dict[str, Program] = {
    "leaf": lambda t, x: [x.is_leaf, (x * 1).is_leaf, x.detach().is_leaf, (x.detach() * 1).is_leaf, x.requires_grad],
    "adds up": lambda t, x: _thrice(x),
    "one element": lambda t, x: _run(x, lambda x: (x * 2).sum().view(1, 1).backward()),
    "with gradient": lambda t, x: _run(x, lambda x: (x * 2).backward(t.ones(3, 4, dtype=x.dtype))),
    "gradient of other type": lambda t, x: _run(x, lambda x: (x * 2).backward(gradient=t.ones(3, 4))),
    "retain_graph": lambda t, x: _run(x, lambda x: _both(x)),
    "inputs": lambda t, x: _inputs(t, x),
    "autograd.grad": lambda t, x: t.autograd.grad((x**2).sum(), x),
    "autograd.grad of several": lambda t, x: t.autograd.grad([(x**2).sum(), x.sum()], [x]),
    "autograd.grad with grad_outputs": lambda t, x: t.autograd.grad(x**2, x, grad_outputs=x.detach()),
    "autograd.grad by middle": lambda t, x: _middle(t, x),
    "autograd.grad leaves .grad": lambda t, x: [t.autograd.grad(x.sum(), x), x.grad is None],
    "autograd.grad allow_unused": lambda t, x: [
        g is None for g in t.autograd.grad(x.sum(), [x, t.ones(1, requires_grad=True)], allow_unused=True)
    ],
    "autograd.grad materialized": lambda t, x: t.autograd.grad(
        x.sum(), [x, t.ones(1, requires_grad=True)], materialize_grads=True
    ),
    "autograd.grad then backward": lambda t, x: _grad_then_backward(t, x),
    "autograd.backward of two": lambda t, x: _run(x, lambda x: t.autograd.backward([x.sum(), (x * x).sum()])),
    "retain_grad": lambda t, x: _retained(x),
    "retain_grad of leaf": lambda t, x: _run(x, lambda x: [x.retain_grad(), x.sum().backward(), x.retains_grad]),
    "hook sees": lambda t, x: _hook(x, lambda g, seen: seen.append(g * 1)),
    "hook changes": lambda t, x: _hook(x, lambda g, seen: g * 10),
    "hook of middle": lambda t, x: _hook_middle(x),
    "hook writes into the first gradient": lambda t, x: _hook_first(t, x),
    "the first gradient of a leaf": lambda t, x: _first_of_a_leaf(t),
    "hook removed": lambda t, x: _hook_removed(x),
    "hooks in order": lambda t, x: _hooks(x),
    "hook and retain_grad": lambda t, x: _hook_retain(x),
    "post accumulate hook": lambda t, x: _after(x),
    "node hook": lambda t, x: _node_hook(x),
    "next_functions": lambda t, x: _names(x * 2 + x.exp()),
    "no_grad": lambda t, x: _without(t, x),
    "no_grad decorator": lambda t, x: t.no_grad()(lambda: (x * 2).requires_grad)(),
    "no_grad bare decorator": lambda t, x: t.no_grad(lambda: (x * 2).requires_grad)(),
    "enable_grad inside": lambda t, x: _enabled(t, x),
    "set_grad_enabled": lambda t, x: _set_enabled(t, x),
    "inference_mode": lambda t, x: _inference(t, x),
    "is_grad_enabled": lambda t, x: t.is_grad_enabled(),
    "detach": lambda t, x: x.detach() * 2 + x,
    "diamond": lambda t, x: _diamond(x),
    "deep": lambda t, x: _deep(x),
    "ints have no grad": lambda t, x: [x.argmax().requires_grad, (x > 0).requires_grad, x.max(1).indices.requires_grad],
    "int through float": lambda t, x: x.long().double() * 2 + x,
    "zero_grad": lambda t, x: _zeroed(x),
    "grad set to None": lambda t, x: _grad_none(x),
    "grad type and name": lambda t, x: _run(x, lambda x: x.float().sum().backward()),
    "grad_fn of leaf": lambda t, x: [x.grad_fn is None, x.output_nr, (x * 1).grad_fn.name()],
    "unbind output_nr": lambda t, x: [u.output_nr for u in x.unbind()],
    "expand grad": lambda t, x: x[0].expand(5, 4) * 2,
    "shared weight": lambda t, x: (x @ x.t()) @ x,
    "broadcast bias": lambda t, x: t.zeros(3, 4, dtype=x.dtype) + x[0],
    "Cube": lambda t, x: custom(t)["Cube"].apply(x),
    "Scale": lambda t, x: custom(t)["Scale"].apply(x, x * 2, 5.0),
    "Scale of constant": lambda t, x: custom(t)["Scale"].apply(x.detach(), x, 5.0),
    "Exp": lambda t, x: custom(t)["Exp"].apply(x) * x,
    "Both": lambda t, x: custom(t)["Both"].apply(x),
    "Both in part": lambda t, x: custom(t)["Both"].apply(x)[1],
    "Straight": lambda t, x: custom(t)["Straight"].apply(x),
    "NewStyle": lambda t, x: custom(t)["NewStyle"].apply(x),
    "Same": lambda t, x: custom(t)["Same"].apply(x),
    "custom without grad": lambda t, x: custom(t)["Cube"].apply(x.detach()),
    "custom under no_grad": lambda t, x: t.no_grad()(lambda: custom(t)["Cube"].apply(x))(),
    "custom name": lambda t, x: custom(t)["Cube"].apply(x).grad_fn.name(),
    "custom printed": lambda t, x: repr(custom(t)["Cube"].apply(x.sum())),
}


def _run(x: Any, do: Any) -> Any:
    do(x)
    return x.grad


def _thrice(x: Any) -> Any:
    for _ in range(3):
        (x * x).sum().backward()
    return x.grad


def _both(x: Any) -> None:
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()


def _inputs(t: Any, x: Any) -> Any:
    w = t.ones(4, dtype=x.dtype, requires_grad=True)
    (x * w).sum().backward(inputs=[w])
    return w.grad, x.grad is None


def _middle(t: Any, x: Any) -> Any:
    y = x * 2
    z = y**3
    return t.autograd.grad(z.sum(), [y, x])


def _grad_then_backward(t: Any, x: Any) -> Any:
    h = x.exp()
    loss = (h * h).sum()
    (dh,) = t.autograd.grad(loss, h)
    h.backward(dh)
    return x.grad


def _retained(x: Any) -> Any:
    y = x * 2
    y.retain_grad()
    z = y.exp()
    z.retain_grad()
    z.sum().backward()
    return y.grad, z.grad, y.retains_grad, x.retains_grad


def _hook(x: Any, do: Any) -> Any:
    seen: list[Any] = []
    x.register_hook(lambda g: do(g, seen))
    (x * x).sum().backward()
    return x.grad, seen


def _hook_middle(x: Any) -> Any:
    seen: list[Any] = []
    y = x * 2
    y.register_hook(lambda g: g.clamp(-1, 1))
    y.register_hook(lambda g: seen.append(g.sum()))
    (y**2).sum().backward()
    return x.grad, seen


def _hook_first(t: Any, x: Any) -> Any:
    """A mean cross entropy is the one operation that looks at whether the walk begins with it."""
    logits = x.float().view(-1, 1) * t.tensor([1.0, -1.0, 0.5])
    loss = t.nn.functional.cross_entropy(logits, t.tensor([0, 1] * (x.numel() // 2)))
    loss.backward(retain_graph=True)
    once = x.grad.clone()
    loss.backward(retain_graph=True)
    twice = x.grad.clone()
    logits.register_hook(lambda g: g.mul_(2) and None)
    loss.backward(retain_graph=True)
    written = x.grad.clone()
    loss.register_hook(lambda g: g.mul_(3) and None)
    loss.backward()
    return once, twice, written, x.grad


def _first_of_a_leaf(t: Any) -> Any:
    a, b = (t.tensor(2.0, requires_grad=True) for _ in range(2))
    a.backward()
    a.grad += 1
    a.backward()
    b.backward()
    return a.grad, b.grad


def _hook_removed(x: Any) -> Any:
    y = x * 2
    handle = y.register_hook(lambda g: g * 100)
    handle.remove()
    y.sum().backward()
    return x.grad


def _hooks(x: Any) -> Any:
    y = x * 2
    y.register_hook(lambda g: g + 1)
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return x.grad


def _hook_retain(x: Any) -> Any:
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return y.grad, x.grad


def _after(x: Any) -> Any:
    seen: list[Any] = []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.sum()))
    (x * x).sum().backward()
    x.sum().backward()
    return seen


def _node_hook(x: Any) -> Any:
    seen: list[Any] = []
    y = x * 2
    y.grad_fn.register_hook(
        lambda grad_inputs, grad_outputs: seen.append((grad_inputs[0].sum(), grad_outputs[0].sum()))
    )
    y.sum().backward()
    return seen


def _names(y: Any) -> Any:
    found, waiting = [], [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None:
            found.append(node.name())
            waiting += [n for n, _ in node.next_functions]
    return found


def _without(t: Any, x: Any) -> Any:
    with t.no_grad():
        y = x * 2
        inside = t.is_grad_enabled()
    return y.requires_grad, inside, t.is_grad_enabled(), y + x


def _enabled(t: Any, x: Any) -> Any:
    with t.no_grad(), t.enable_grad():
        return x * 2


def _set_enabled(t: Any, x: Any) -> Any:
    with t.set_grad_enabled(False):
        a = (x * 2).requires_grad
    with t.set_grad_enabled(mode=True):
        b = (x * 2).requires_grad
    return a, b


def _inference(t: Any, x: Any) -> Any:
    with t.inference_mode():
        y = x * 2
    return y.requires_grad


def _diamond(x: Any) -> Any:
    a = x * 2
    b, c = a.exp(), a.sin()
    return b * c + a


def _deep(x: Any) -> Any:
    y = x
    for _ in range(3000):
        y = y + 0.001
    return y


def _zeroed(x: Any) -> Any:
    x.sum().backward()
    x.grad.zero_()
    (x * 3).sum().backward()
    return x.grad


def _grad_none(x: Any) -> Any:
    x.sum().backward()
    before = x.grad
    x.grad = None
    (x * 3).sum().backward()
    return before, x.grad


@pytest.mark.parametrize("name", WALKS)
def test_walk_does_as_pytorch(name: str) -> None:
    agree(WALKS[name], numbers(3, 4, low=-1, high=1), tolerance=1e-6)


ERRORS: dict[str, tuple[Program, str]] = {
    "many numbers": (lambda t, x: x.exp().backward(), "grad can be implicitly created only for scalar outputs"),
    "no graph": (
        lambda t, x: x.detach().sum().backward(),
        "element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "wrong gradient shape": (
        lambda t, x: (x * 2).backward(t.ones(2)),
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape of "
        "torch.Size([3, 4]).",
    ),
    "unused input": (
        lambda t, x: t.autograd.grad(x.sum(), t.ones(1, requires_grad=True)),
        "The differentiated Tensor at index 0 appears to not have been used in the graph.",
    ),
    "input without grad": (
        lambda t, x: t.autograd.grad(x.sum(), t.ones(1)),
        "One of the differentiated Tensors does not require grad",
    ),
    "int requires grad": (lambda t, x: t.ones(1, dtype=t.long).requires_grad_(), "nly Tensors of floating point"),
    "hook without grad": (
        lambda t, x: x.detach().register_hook(lambda g: g),
        "cannot register a hook on a tensor that doesn't require gradient",
    ),
    "retain_grad without grad": (
        lambda t, x: x.detach().retain_grad(),
        "can't retain_grad on Tensor that has requires_grad=False",
    ),
    "numpy with grad": (
        lambda t, x: x.numpy(),
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    ),
    "grad of wrong shape": (
        lambda t, x: setattr(x, "grad", t.ones(2, dtype=x.dtype)),
        "attempting to assign a gradient of size '[2]' to a tensor of size '[3, 4]'",
    ),
    "grad of wrong kind": (
        lambda t, x: setattr(x, "grad", 1.0),
        "assigned grad expected to be a Tensor or None but got grad of type",
    ),
    "deepcopy of computed": (
        lambda t, x: __import__("copy").deepcopy(x * 2),
        "Only Tensors created explicitly by the user",
    ),
    "second walk": (lambda t, x: _second(x), "Trying to backward through the graph a second time"),
    "too few gradients": (
        lambda t, x: custom(t)["Wrong"].apply(x, x).sum().backward(),
        "returned an incorrect number of gradients (expected 2, got 1)",
    ),
    "gradient of wrong shape": (
        lambda t, x: custom(t)["WrongShape"].apply(x).backward(),
        "returned an invalid gradient at index 0 - got [7] but expected shape compatible with [3, 4]",
    ),
    "add shapes": (
        lambda t, x: x + t.ones(5),
        "The size of tensor a (4) must match the size of tensor b (5) at non-singleton dimension 1",
    ),
    "matmul shapes": (lambda t, x: x @ x, "mat1 and mat2 shapes cannot be multiplied (3x4 and 3x4)"),
    "matmul vector": (lambda t, x: x @ t.ones(3, dtype=x.dtype), "size mismatch, got input (3), mat (3x4), vec (3)"),
    "dot shapes": (
        lambda t, x: x[0] @ t.ones(3, dtype=x.dtype),
        "inconsistent tensor size, expected tensor [4] and src [3] to have the same number of elements, but "
        "got 4 and 3 elements respectively",
    ),
    "matmul types": (
        lambda t, x: x @ t.ones(4, 2),
        "expected m1 and m2 to have the same dtype, but got: double != float",
    ),
    "view": (lambda t, x: x.view(5, 2), "shape '[5, 2]' is invalid for input of size 12"),
    "view strides": (
        lambda t, x: x.t().view(-1),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
        "two contiguous subspaces). Use .reshape(...) instead.",
    ),
    "dim": (lambda t, x: x.sum(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    "index": (lambda t, x: x[3], "index 3 is out of bounds for dimension 0 with size 3"),
    "index type": (lambda t, x: x[t.tensor([1.0])], "tensors used as indices must be long, int, byte or bool tensors"),
    "too many indices": (lambda t, x: x[0, 0, 0], "too many indices for tensor of dimension 2"),
    "index of number": (lambda t, x: x.sum()[0], "invalid index of a 0-dim tensor. Use `tensor.item()` in Python"),
    "item": (lambda t, x: x.item(), "a Tensor with 12 elements cannot be converted to Scalar"),
    "bool": (lambda t, x: bool(x), "Boolean value of Tensor with more than one value is ambiguous"),
    "mask shape": (
        lambda t, x: x[t.tensor([True, False])],
        "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3, 4] at index 0",
    ),
    "cat": (
        lambda t, x: t.cat([x, x[:, :2]]),
        "Sizes of tensors must match except in dimension 0. Expected size 4 but got size 2 for tensor number 1 "
        "in the list.",
    ),
    "stack": (
        lambda t, x: t.stack([x, x[0]]),
        "stack expects each tensor to be equal size, but got [3, 4] at entry 0 and [4] at entry 1",
    ),
    "expand": (
        lambda t, x: x.expand(3, 5),
        "The expanded size of the tensor (5) must match the existing size (4) at non-singleton dimension 1.  "
        "Target sizes: [3, 5].  Tensor sizes: [3, 4]",
    ),
    "split": (
        lambda t, x: x.split([1, 1]),
        "split_with_sizes expects split_sizes to sum exactly to 3 (input tensor's size at dimension 0), but "
        "got split_sizes=[1, 1]",
    ),
    "mean of ints": (
        lambda t, x: t.tensor([1]).mean(),
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long",
    ),
    "int power": (lambda t, x: t.tensor([2]) ** -1, "Integers to negative integer powers are not allowed."),
    "bool sub": (
        lambda t, x: t.tensor([True]) - t.tensor([True]),
        "Subtraction, the `-` operator, with two bool tensors is not supported.",
    ),
    "cuda": (lambda t, x: x.to("cuda"), "Torch not compiled with CUDA enabled"),
    "ragged": (lambda t, x: t.tensor([[1, 2], [3]]), "expected sequence of length 2 at dim 1 (got 1)"),
    "setitem shape": (
        lambda t, x: _put(x * 1, 0, t.ones(5)),
        "The expanded size of the tensor (4) must match the existing size (5) at non-singleton dimension 0.  "
        "Target sizes: [4].  Tensor sizes: [5]",
    ),
    "setitem by index": (
        lambda t, x: _put(x * 1, t.tensor([0, 1]), t.ones(3, 4, dtype=x.dtype)),
        "shape mismatch: value tensor of shape [3, 4] cannot be broadcast to indexing result of shape [2, 4]",
    ),
    "gather": (lambda t, x: x.gather(1, t.tensor([[9]])), "index 9 is out of bounds for dimension 1 with size 4"),
    "index_put type": (
        lambda t, x: _put(x * 1, t.tensor([0]), t.ones(4)),
        "Index put requires the source and destination dtypes match, got Double for the destination and Float "
        "for the source.",
    ),
    "cross_entropy range": (
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 1, 4])),
        "Target 4 is out of bounds.",
    ),
    "cross_entropy batch": (
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 1])),
        "Expected input batch_size (3) to match target batch_size (2).",
    ),
    "cross_entropy type": (
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0.0, 1.0, 2.0])),
        "expected target dtype to be Long or Byte, but got Float",
    ),
    "embedding range": (lambda t, x: t.nn.functional.embedding(t.tensor([3]), x), "index out of range in self"),
    "one_hot": (
        lambda t, x: t.nn.functional.one_hot(t.tensor([3]), 3),
        "Class values must be smaller than num_classes.",
    ),
    "layer_norm": (
        lambda t, x: t.nn.functional.layer_norm(x, (3,)),
        "Given normalized_shape=[3], expected input with shape [*, 3], but got input of size[3, 4]",
    ),
    "dropout": (
        lambda t, x: t.nn.functional.dropout(x, 1.5),
        "dropout probability has to be between 0 and 1, but got 1.5",
    ),
    "topk": (lambda t, x: x.topk(5), "selected index k out of range"),
    "squeeze": (lambda t, x: x.unsqueeze(4), "Dimension out of range (expected to be in range of [-3, 2], but got 4)"),
    "permute": (
        lambda t, x: x.permute(0),
        "number of dimensions in the tensor input does not match the length of the desired ordering of "
        "dimensions i.e. input.dim() = 2 is not equal to len(dims) = 1",
    ),
    "linear": (
        lambda t, x: t.nn.functional.linear(x, t.ones(2, 3, dtype=x.dtype)),
        "mat1 and mat2 shapes cannot be multiplied (3x4 and 3x2)",
    ),
    "clamp": (lambda t, x: x.clamp(), "torch.clamp: At least one of 'min' or 'max' must not be None"),
    "slice backwards": (lambda t, x: x[::-1], "step must be greater than zero"),
    "randint": (
        lambda t, x: t.randint(3, 3, (2,)),
        "random_ expects 'from' to be less than 'to', but got from=3 >= to=3",
    ),
    "len": (lambda t, x: len(x.sum()), "len() of a 0-d tensor"),
    "iter": (lambda t, x: list(x.sum()), "iteration over a 0-d tensor"),
    "masked_fill": (
        lambda t, x: x.masked_fill(x.long(), 0),
        "masked_fill_ only supports boolean masks, but got mask with dtype",
    ),
    "isclose": (lambda t, x: t.isclose(x, x.float()), "did not match"),
}


def _second(x: Any) -> None:
    y = x.exp().sum()
    y.backward()
    y.backward()


def _put(x: Any, index: Any, value: Any) -> None:
    x[index] = value


@pytest.mark.parametrize("name", ERRORS)
def test_error_has_pytorchs_type_and_words(name: str) -> None:
    program, words = ERRORS[name]
    ours, theirs = same_error(program, numbers(3, 4))
    assert words in theirs
    assert words in ours


def test_reading_grad_of_a_computed_tensor_warns_as_in_pytorch() -> None:
    y = engine.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="that is not a leaf Tensor is being accessed"):
        assert y.grad is None


def test_create_graph_is_refused_with_a_reason() -> None:
    x = engine.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="create_graph=True is not supported"):
        (x * x).sum().backward(create_graph=True)


@pytest.fixture
def _no_collector() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(
    "program",
    [
        lambda x: (x * 2).exp(),
        lambda x: x.clone().mul_(3),
        lambda x: _set(x * 1),
        lambda x: (x @ x.t()).softmax(1),
        lambda x: custom(engine)["Exp"].apply(x * 1),
        lambda x: engine.nn.functional.cross_entropy(x, engine.tensor([0, 1])),
        lambda x: x[engine.tensor([0])] ** 2,
        lambda x: (x * 2).view(-1)[1:],
    ],
)
def test_a_graph_dies_with_its_result_without_the_garbage_collector(program: Any) -> None:
    x = engine.randn(2, 2, requires_grad=True)
    middle = program(x)
    loss = middle.sum()
    watched = [weakref.ref(middle), weakref.ref(middle.grad_fn), weakref.ref(loss.grad_fn)]
    del middle
    loss.backward()
    del loss
    assert [w() for w in watched] == [None, None, None]


def _set(y: Any) -> Any:
    y[0] = 1.0
    return y


@pytest.mark.usefixtures("_no_collector")
def test_backward_frees_what_it_used() -> None:
    x = engine.randn(4, requires_grad=True)
    middle = x.exp()
    kept = weakref.ref(middle._array)
    loss = (middle * middle).sum()
    del middle
    assert kept() is not None
    loss.backward()
    assert kept() is None


def test_a_leafs_gradient_is_its_own_array() -> None:
    a, b = engine.ones(3, requires_grad=True), engine.ones(3, requires_grad=True)
    seed = engine.ones(3)
    (a + b).backward(seed)
    assert a.grad is not None
    assert b.grad is not None
    a.grad.add_(1)
    assert b.grad.tolist() == seed.tolist() == [1.0, 1.0, 1.0]


def test_what_overflows_or_has_no_answer_is_silent() -> None:
    program = (
        "import gradus.engine as t; x = t.tensor([1000.0, 0.0], requires_grad=True); "
        "y = (x.exp() - x.exp()).log() / x; y.sum().backward(); print(y)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout == "tensor([nan, -inf], grad_fn=<DivBackward0>)\n"


def _returning(what: Any) -> Program:
    def program(t: Any, x: Any) -> Any:
        x.register_hook(lambda g: what(g))
        (t.ones(3) * x).sum().backward()

    return program


@pytest.mark.parametrize(
    "what", [lambda g: g[:2], lambda g: g.float(), lambda g: 3.0], ids=["another shape", "another type", "a number"]
)
def test_a_hook_returns_a_tensor_like_the_gradient(what: Any) -> None:
    same_error(_returning(what), numbers(3))


def test_grad_runs_only_what_leads_to_its_inputs() -> None:
    def program(t: Any, x: Any, y: Any) -> Any:
        called: list[str] = []
        aside, beside = y * 2, x * y
        for name, tensor in {"leaf": y, "aside": aside, "on the way": beside}.items():
            tensor.register_hook(lambda g, name=name: called.append(name))
        (dx,) = t.autograd.grad((beside * aside).sum(), [x])
        return dx, *called

    agree(program, numbers(3), numbers(3, seed=2))


def test_retained_gradients_come_from_grad_too() -> None:
    def program(t: Any, x: Any) -> Any:
        y = x * 2
        y.retain_grad()
        z = (y * y).sum()
        t.autograd.grad(z, [x], retain_graph=True)
        first = y.grad.clone()
        z.backward()
        return first, y.grad

    agree(program, numbers(3), gradients=False)


def test_a_piece_of_a_split_may_be_changed_in_place() -> None:
    x = engine.ones(3, 4, requires_grad=True)
    a, b = x.split(2, 1)
    a = a.clone()
    a[0] = 0
    (2 * a.sum() + b.sum()).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 0, 1, 1], [2, 2, 1, 1], [2, 2, 1, 1]]


class _Doubled(engine.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        assert ctx.saved_tensors
        return dy * 2


def test_an_operation_of_ones_own_in_place_on_a_view_is_walked_once() -> None:
    x = engine.ones(4, requires_grad=True)
    _Doubled.apply((whole := x.clone())[:2])
    loss = whole.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2, 1, 1]


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (3,)])
def test_the_gradient_of_a_divisor_keeps_its_range(shape: tuple[int, ...]) -> None:
    a, b = engine.full((2, 3), 1e38), engine.full(shape, 1e20, requires_grad=True)
    (a / b).backward(engine.full((2, 3), 1e-25))
    rows = 6 // math.prod(shape)
    assert b.grad is not None
    assert b.grad.flatten().tolist() == pytest.approx([-rows * 1e-27] * math.prod(shape), rel=1e-5)


def test_the_gradient_a_walk_starts_with_stays_the_callers() -> None:
    x, g, h = engine.ones(3, requires_grad=True), engine.ones(3), engine.ones(3)
    x.backward(g)
    g.add_(5)
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 1]
    assert engine.autograd.grad([x, x], [x], [g, h])[0].tolist() == [7, 7, 7]  # type: ignore[union-attr]
    x.register_hook(lambda gradient: gradient.mul_(2))
    x.backward(h)
    assert g.tolist() == [6, 6, 6]
    assert h.tolist() == [1, 1, 1]


class _Several(engine.autograd.Function):
    """x + y in x's place, and 2y; the place of the changed one is `at`."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, at: int) -> Any:
        ctx.mark_dirty(x.add_(y))
        ctx.at = at
        return (x, y * 2)[:: 1 if at == 0 else -1]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        dx, dy = gradients[:: 1 if ctx.at == 0 else -1]
        return dx, dx + 2 * dy, None


@pytest.mark.parametrize("at", [0, 1])
def test_one_of_several_results_may_be_an_input_changed_in_place(at: int) -> None:
    x, y = engine.ones(3, requires_grad=True), engine.ones(3, requires_grad=True)
    a, b = _Several.apply(x * 1, y, at)
    (a.sum() + 10 * b.sum()).backward()
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.tolist() == [1 if at == 0 else 10] * 3
    assert y.grad.tolist() == [21 if at == 0 else 12] * 3
    a, b = _Several.apply(x * 1, y, at)
    y.grad = None
    a.sum().backward()  # nothing comes back to the other
    assert y.grad.tolist() == [1 if at == 0 else 2] * 3  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="more than one tensor"):
        _Several.apply((x * 1)[:3], y, at)


def test_an_operation_of_ones_own_keeps_what_it_passes_on() -> None:
    class Weighted(engine.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return ctx.saved_tensors[0], None

    x, w = engine.ones(3, requires_grad=True), engine.ones(3)
    Weighted.apply(x, w).sum().backward()
    assert x.grad is not None
    x.grad.add_(1)
    assert w.tolist() == [1, 1, 1]


def test_the_parts_of_a_tensor_cost_what_they_are() -> None:
    """A walk through n parts makes n steps, not n times n."""

    def instructions(n: int) -> int:
        parts = engine.ones(n, requires_grad=True).unbind()
        total = sum(parts[1:], parts[0])
        counted = 0

        def count(frame: Any, event: str, _argument: Any) -> Any:
            nonlocal counted
            frame.f_trace_opcodes = True
            counted += event == "opcode"
            return count

        before = sys.gettrace()
        sys.settrace(count)
        total.backward()
        sys.settrace(before)
        return counted

    assert instructions(200) < 2.1 * instructions(100)


@pytest.mark.parametrize("rows", [3, 5000])  # the gradient computed with the loss, or afterwards
def test_targets_changed_before_the_walk_are_found_out(rows: int) -> None:
    x, targets = engine.zeros(rows, 4, requires_grad=True), engine.ones(rows, dtype=engine.int64)
    loss = engine.nn.functional.cross_entropy(x, targets)
    targets.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_small_loss_in_float16_is_scaled_before_it_could_vanish() -> None:
    x = engine.tensor(numbers(100, 100) * 3)
    targets = engine.arange(100)
    gradients = []
    for kind in (engine.float16, engine.float64):
        leaf = x.to(kind).requires_grad_()
        engine.nn.functional.cross_entropy(leaf, targets).backward(engine.tensor(16384.0, dtype=kind))
        assert leaf.grad is not None
        gradients.append(leaf.grad.double())
    seen = gradients[1].abs() > 1e-3
    assert ((gradients[0] - gradients[1])[seen] / gradients[1][seen]).abs().max() < 0.05


def test_a_node_tells_whether_a_walk_could_pass() -> None:
    x, w = engine.ones(3, requires_grad=True), engine.ones(3)
    y = x * w
    node: Any = y.grad_fn
    node.check()
    w.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        node.check()
    y = x * w
    y.sum().backward()
    node = y.grad_fn
    with pytest.raises(RuntimeError, match="second time"):
        node.check()
