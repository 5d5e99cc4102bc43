"""Changes in place, in and out of the graph: values, gradients, versions and refusals as PyTorch's."""

# ruff: noqa: ARG001, ARG005  (every program takes the torch it runs on, used or not)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.compare import Program, agree, agree_with_differences, numbers, same_error

CHANGES: dict[str, Program] = {
    "add_": lambda t, y, v: y.add_(v),
    "add_ alpha": lambda t, y, v: y.add_(v, alpha=3),
    "sub_": lambda t, y, v: y.sub_(v),
    "mul_": lambda t, y, v: y.mul_(v),
    "div_": lambda t, y, v: y.div_(v),
    "pow_": lambda t, y, v: y.abs_().pow_(2),
    "number": lambda t, y, v: y.mul_(3).add_(1).sub_(2).div_(4),
    "exp_": lambda t, y, v: y.exp_(),
    "tanh_": lambda t, y, v: y.tanh_(),
    "sigmoid_": lambda t, y, v: y.sigmoid_(),
    "relu_": lambda t, y, v: y.relu_(),
    "neg_": lambda t, y, v: y.neg_(),
    "sqrt_": lambda t, y, v: y.abs_().sqrt_(),
    "clamp_": lambda t, y, v: y.clamp_(-1, 1),
    "zero_": lambda t, y, v: y.zero_(),
    "fill_": lambda t, y, v: y.fill_(3.0),
    "fill_ by tensor": lambda t, y, v: y.fill_(v.sum()),
    "copy_": lambda t, y, v: y.copy_(v),
    "masked_fill_": lambda t, y, v: y.masked_fill_(y > 0, 9.0),
    "floor_": lambda t, y, v: y.floor_(),
    "round_": lambda t, y, v: y.round_(),
    "reciprocal_": lambda t, y, v: y.reciprocal_(),
    "log_": lambda t, y, v: y.abs_().add_(1).log_(),
    "sin_ cos_": lambda t, y, v: y.sin_().cos_(),
    "rsqrt_": lambda t, y, v: y.abs_().rsqrt_(),
    "lerp_": lambda t, y, v: y.lerp_(v.expand(y.shape), 0.3),
    "addcmul_": lambda t, y, v: y.addcmul_(v, v, value=2),
    "addcdiv_": lambda t, y, v: y.addcdiv_(v, v * 2),
    "tril_": lambda t, y, v: y.tril_() if y.ndim > 1 else y.add_(0),
    "square_": lambda t, y, v: y.square_(),
    "remainder_": lambda t, y, v: y.remainder_(0.7),
    "index_add_": lambda t, y, v: y.index_add_(0, t.tensor([0, 0]), v.expand(2, *y.shape[1:]) if y.ndim > 1 else v[:2]),
    "index_fill_": lambda t, y, v: y.index_fill_(0, t.tensor([1]), 5.0),
    "setitem": lambda t, y, v: _set(y, 0, 7.0),
    "setitem by graph": lambda t, y, v: _set(y, ..., v),
    "two changes": lambda t, y, v: y.mul_(v).add_(y),
    "add_ itself": lambda t, y, v: y.add_(y),
    "broadcast too far": lambda t, y, v: y.add_(t.ones(5, *y.shape, dtype=y.dtype)),
    "wrong shape": lambda t, y, v: y.add_(t.ones(7, dtype=y.dtype)),
}

TARGETS: dict[str, Program] = {  # torch, the leaf -> (what is changed, everything to look at afterwards)
    "whole": lambda t, x: _pair(x * 2, lambda y: [y]),
    "row": lambda t, x: _view(x * 2, lambda y: y[1]),
    "column": lambda t, x: _view(x * 2, lambda y: y[:, :3][2]),
    "transposed": lambda t, x: _view(x * 2, lambda y: y.t()[:3]),
    "reshaped": lambda t, x: _view(x * 2, lambda y: y.view(2, 6)[:, :3]),
    "view of view": lambda t, x: _view((x * 2).view(-1), lambda y: y[3:9].view(2, 3)),
    "constant": lambda t, x: _view(t.zeros(4, 3, dtype=x.dtype), lambda y: y[2]),
    "diagonal": lambda t, x: _view(x * 2, lambda y: y.diagonal()),
}


def _set(y: Any, index: Any, value: Any) -> Any:
    y[index] = value
    return y


def _pair(y: Any, others: Any) -> Any:
    return y, others(y)


def _view(base: Any, part: Any) -> Any:
    view, other = part(base), base[1:3]
    return view, [base, view, other]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("change", CHANGES)
def test_change_in_place_gives_pytorchs_values_and_gradients(change: str, target: str) -> None:
    def program(t: Any, x: Any, v: Any) -> Any:
        y, seen = TARGETS[target](t, x)
        returned = CHANGES[change](t, y, v)
        return [returned is y, *[s * 1 for s in seen], y._version]

    agree(program, numbers(4, 3), numbers(3, seed=9, low=0.5, high=2))


@pytest.mark.parametrize(
    "change", ["add_", "mul_", "div_", "exp_", "copy_", "relu_", "masked_fill_", "setitem by graph", "two changes"]
)
@pytest.mark.parametrize("target", ["whole", "row", "reshaped", "view of view", "constant"])
def test_gradient_through_a_change_in_place_is_the_slope(change: str, target: str) -> None:
    def program(t: Any, x: Any, v: Any) -> Any:
        y, seen = TARGETS[target](t, x)
        CHANGES[change](t, y, v)
        return [s * s for s in seen]

    agree_with_differences(program, numbers(4, 3), numbers(3, seed=9, low=0.5, high=2))


STORIES: dict[str, Program] = {
    "clamp_ between tensors": lambda t, x: (x * 2).clamp_(t.zeros_like(x), t.ones_like(x)),
    "float_power_ by a tensor": lambda t, x: (x + 9).float_power_(t.full_like(x, 2)),
    "cumsum_ in its own type": lambda t, x: (x * 2).cumsum_(0, dtype=x.dtype),
    "cumsum_ in another type": lambda t, x: (x * 2).cumsum_(0, dtype=t.float16),
    "an end of lerp changed": lambda t, x: (y := x * 1, t.lerp(y, x * 2, t.full_like(x, 0.3)), y.add_(1)),
    "bias added in place": lambda t, x: _story(t, x, "bias"),
    "loss summed in place": lambda t, x: _story(t, x, "loss"),
    "float accumulates tensor": lambda t, x: _story(t, x, "float"),
    "data +=": lambda t, x: _story(t, x, "data"),
    "under no_grad": lambda t, x: _story(t, x, "no_grad"),
    "view before change": lambda t, x: _story(t, x, "view before"),
    "detach sees change": lambda t, x: _story(t, x, "detach"),
    "rows from a model": lambda t, x: _story(t, x, "rows"),
    "in place on iteration": lambda t, x: _story(t, x, "iterate"),
    "augmented operators": lambda t, x: _story(t, x, "augmented"),
    "ints": lambda t, x: _story(t, x, "ints"),
    "bool |=": lambda t, x: _story(t, x, "bools"),
    "chain of views": lambda t, x: _story(t, x, "chain"),
    "base changed, view used": lambda t, x: _story(t, x, "base changed"),
    "requires_grad after change": lambda t, x: _story(t, x, "later"),
    "unsqueeze_": lambda t, x: _story(t, x, "unsqueeze"),
    "expanded": lambda t, x: _story(t, x, "expanded"),
    "view made without grad": lambda t, x: _story(t, x, "no_grad view"),
    "split view": lambda t, x: _story(t, x, "split"),
    "retain_grad before change": lambda t, x: _story(t, x, "retain"),
    "hook before change": lambda t, x: _story(t, x, "hook"),
    "swap": lambda t, x: _story(t, x, "swap"),
    "two views": lambda t, x: _story(t, x, "two views"),
}


def _story(t: Any, x: Any, name: str) -> Any:
    if name == "bias":
        out = x @ x.t()
        out += x[:, 0]
        out.retain_grad()
        out.tanh().sum().backward()
        return out.grad
    if name == "loss":
        loss = 0
        for row in x:
            loss += row.sum() ** 2
        return loss
    if name == "float":
        total = 0.0
        total += x.sum().detach()
        total += 1
        return total
    if name == "data":
        w = x.detach().clone().requires_grad_()
        w.data = w.data * 2
        loss = (w * w).sum()
        w.data += 1
        loss.backward()
        return w, w.grad, w.is_leaf, w._version
    if name == "no_grad":
        w = x.detach().clone().requires_grad_()
        with t.no_grad():
            w *= 0.5
            w[0] = 1
            w -= 0.1 * w
        return w.detach(), w.requires_grad, w.is_leaf, w * 1
    if name == "view before":
        y = x * 1
        first = y[0]
        y.mul_(2)
        return first * 3, first.grad_fn is None, first.requires_grad
    if name == "detach":
        y = x * 1
        z = y.detach()
        z.add_(1)
        return y, z, y._version, z._version
    if name == "rows":
        logits = t.zeros(4, 3, dtype=x.dtype)
        for i in range(4):
            logits[i] = (x[i] * i).tanh()
        return logits, logits.log_softmax(1)
    if name == "iterate":
        y = x.detach().clone()
        for row in y:
            row += 1
        return y
    if name == "augmented":
        y = x * 1
        y += 1
        y -= x
        y *= 2
        y /= 3
        y **= 2
        y = y % 5
        y %= 3
        return y
    if name == "ints":
        n = t.tensor([7, -7])
        n += 1
        n *= 2
        n //= 3
        n %= 3
        n -= t.tensor([1, 1])
        return n
    if name == "bools":
        m = x.detach() > 0
        m |= x.detach() < -1
        m &= x.detach() < 1.5
        m ^= t.tensor(True)
        return m
    if name == "chain":
        y = x * 1
        y.view(-1)[2:8].view(2, 3)[0].mul_(5)
        return y * y
    if name == "base changed":
        y = x * 1
        row = y[1]
        y += 1
        row *= 2
        y += row.sum()
        return y, row
    if name == "later":
        z = t.zeros(4, 3, dtype=x.dtype)
        z[0] = 1
        z[1] = x[1]
        return z.requires_grad, z.is_leaf, z
    if name == "unsqueeze":
        y = x.detach().clone()
        y.unsqueeze_(0).squeeze_().t_()
        return y
    if name == "expanded":
        return (x[:, :1] * 1).expand(4, 3).add_(1)
    if name == "no_grad view":
        y = x * 1
        with t.no_grad():
            row = y[0]
            row.mul_(3)
        return y * y
    if name == "split":
        y = x * 1
        y.split(2)[0].mul_(2)
        return y
    if name == "retain":
        y = x * 1
        y.retain_grad()
        y.mul_(3)
        (y * 2).sum().backward()
        return y.grad
    if name == "hook":
        seen: list[Any] = []
        y = x * 1
        y.register_hook(lambda g: seen.append(g.sum()))
        y.mul_(3)
        y.sum().backward()
        return seen
    if name == "swap":
        y = x.detach().clone()
        y[0], y[1] = y[1].clone(), y[0].clone()
        return y
    y = x * 1
    a, b = y[:2], y[1:3]
    a.mul_(2)
    b.add_(a)
    return a, b, y


@pytest.mark.parametrize("name", STORIES)
def test_story_of_changes_ends_as_in_pytorch(name: str) -> None:
    agree(STORIES[name], numbers(4, 3))


REFUSED: dict[str, tuple[Program, str]] = {
    "leaf": (lambda t, x: x.add_(1), "a leaf Variable that requires grad is being used in an in-place operation."),
    "leaf +=": (lambda t, x: _augment(x), "a leaf Variable that requires grad is being used in an in-place operation."),
    "view of leaf": (
        lambda t, x: x[0].mul_(2),
        "a view of a leaf Variable that requires grad is being used in an in-place operation.",
    ),
    "setitem of leaf": (
        lambda t, x: _set(x, 0, 1.0),
        "a view of a leaf Variable that requires grad is being used in an in-place operation.",
    ),
    "output of exp": (
        lambda t, x: _spoil(x.exp()),
        "has been modified by an inplace operation: [torch.DoubleTensor [4, 3]], which is output 0 of Exp, is "
        "at version 1; expected version 0 instead.",
    ),
    "input of square": (
        lambda t, x: _spoiled_input(x),
        "has been modified by an inplace operation: [torch.DoubleTensor [4, 3]], which is output 0 of Add, is "
        "at version 1; expected version 0 instead.",
    ),
    "short integers": (
        lambda t, x: _spoiled_short(t, x),
        "has been modified by an inplace operation: [torch.ShortTensor [2]]",
    ),
    "through a view": (
        lambda t, x: _spoiled_view(x),
        "has been modified by an inplace operation: [torch.DoubleTensor [4, 3]]",
    ),
    "through detach": (
        lambda t, x: _spoiled_detach(x),
        "has been modified by an inplace operation: [torch.DoubleTensor [4, 3]]",
    ),
    "index": (lambda t, x: _spoiled_index(t, x), "has been modified by an inplace operation"),
    "twice": (lambda t, x: _twice(x), "Trying to backward through the graph a second time"),
    "float into ints": (
        lambda t, x: t.tensor([1, 2]).add_(0.5),
        "result type Float can't be cast to the desired output type Long",
    ),
    "divide ints": (
        lambda t, x: t.tensor([1, 2]).div_(2),
        "result type Float can't be cast to the desired output type Long",
    ),
    "too wide": (
        lambda t, x: t.ones(3).add_(t.ones(2, 3)),
        "output with shape [3] doesn't match the broadcast shape [2, 3]",
    ),
    "wrong width": (
        lambda t, x: t.ones(3).add_(t.ones(4)),
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0",
    ),
    "split": (
        lambda t, x: (x * 1).unbind()[0].mul_(2),
        "Output 0 of Unbind is a view and is being modified inplace. This view is the output of a function "
        "that returns multiple views.",
    ),
    "requires_grad of computed": (
        lambda t, x: (x * 1).requires_grad_(False),
        "you can only change requires_grad flags of leaf variables.",
    ),
}


def _augment(x: Any) -> None:
    x += 1


def _spoil(y: Any) -> None:
    y.add_(1)
    y.sum().backward()


def _spoiled_input(x: Any) -> None:
    y = x * 1
    z = y * y
    y += 1
    z.sum().backward()


def _spoiled_short(t: Any, x: Any) -> None:
    class Scaled(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, scale: Any) -> Any:
            ctx.save_for_backward(scale)
            return x * scale.sum()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0].sum(), None

    scale = t.ones(2, dtype=t.int16)
    loss = Scaled.apply(x, scale).sum()
    scale += 1
    loss.backward()


def _spoiled_view(x: Any) -> None:
    y = x * 1
    z = y**2
    y[0] = 5
    z.sum().backward()


def _spoiled_detach(x: Any) -> None:
    y = x * 1
    z = y**2
    y.detach().add_(1)
    z.sum().backward()


def _spoiled_index(t: Any, x: Any) -> None:
    index = t.tensor([0, 1])
    loss = x.index_select(0, index).sum()
    index += 1
    loss.backward()


def _twice(x: Any) -> None:
    y = (x * x).sum()
    y.backward()
    y.backward()


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_pytorchs_words(name: str) -> None:
    program, words = REFUSED[name]
    ours, theirs = same_error(program, numbers(4, 3))
    assert words in theirs
    assert words in ours


def test_version_counts_changes_and_is_shared_by_views() -> None:
    def program(t: Any) -> Any:
        x = t.zeros(3)
        y = x[1:]
        y.add_(1)
        x[0] = 2
        x.zero_()
        return x._version, y._version, x.detach()._version, x.data._version

    agree(program)


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "int32", "uint8"])
def test_fill_and_zero_keep_the_type(kind: str) -> None:
    agree(
        lambda t, x: [x.clone().fill_(3), x.clone().zero_(), x.clone().copy_(t.tensor([1.7, 2.2]))],
        np.array([1, 2]).astype(kind),
        gradients=False,
    )


def test_a_tensor_multiplied_by_itself_in_place_has_the_right_gradient() -> None:
    """PyTorch raises here; the value as it was is kept, so there is no need to."""
    agree_with_differences(lambda t, x: (x * 1).mul_(x) * 2, numbers(4))

    def squared(t: Any, x: Any) -> Any:
        y = x * 1
        return y.mul_(y)

    agree_with_differences(squared, numbers(4))


@pytest.mark.parametrize("kind", ["uint8", "int8", "int16"])
def test_a_number_too_large_for_the_type_wraps_around_as_in_pytorch(kind: str) -> None:
    agree(lambda t, x: [x.to(getattr(t, kind)).add_(70_000), x.to(getattr(t, kind)).mul_(-1000)], numbers(3, 4))
