"""L-BFGS: Newton's method with an inverse Hessian that is remembered from the last steps only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradus.engine.autograd.grad_mode import enable_grad, no_grad
from gradus.engine.functions import cat
from gradus.engine.optim.line_search import Point, strong_wolfe
from gradus.engine.optim.optimizer import Optimizer, Params, State, check, number
from gradus.engine.tensor import Tensor


class LBFGS(Optimizer):
    """p ← p - t H g, with H from the last history_size changes of p and g (Liu and Nocedal, 1989)

    One `step(closure)` makes up to max_iter such moves. t is lr (in the first move at most 1 / Σ|g| of it), or what
    line_search_fn="strong_wolfe" finds from there. All parameters are one vector: there is one group only.
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check("lr", lr, message=f"Invalid learning rate: {lr}")
        defaults: dict[str, Any] = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to max_iter moves.

        Args:
            closure: computes the loss again, with its gradients; it is called for every move, and must be given.

        Returns:
            the loss before the first move.
        """
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
        closure = enable_grad()(closure)
        group = self.param_groups[0]
        lr, search = group["lr"], group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss, g = float(first), self._gradient()
        calls = 1
        state["func_evals"] += 1
        if g.abs().max() <= group["tolerance_grad"]:
            return first
        for move in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            d = self._direction(state, g, group["history_size"])
            t: Any = lr
            if state["n_iter"] == 1 and (size := g.abs().sum()) > 1:
                t = 1.0 / size * lr
            slope = g.dot(d)
            before = loss
            state |= {"d": d, "t": t, "prev_flat_grad": g.clone(), "prev_loss": loss}
            if slope > -group["tolerance_change"]:
                break
            new_calls = 0
            if search is not None:
                here = [p.clone() for p in self._params]
                point, new_calls = strong_wolfe(
                    lambda t, d=d, here=here: self._evaluate(closure, here, t, d),  # type: ignore[misc]
                    t,
                    d,
                    Point(0, loss, g, slope),
                    max_ls=group["max_eval"] - calls,
                )
                t, loss, g, _ = point
                state["t"] = t
                self._move(t, d)
            else:
                self._move(t, d)
                if move != group["max_iter"]:  # the last gradient would not be used
                    loss, g = float(closure()), self._gradient()
                    new_calls = 1
            calls += new_calls
            state["func_evals"] += new_calls
            if (
                calls >= group["max_eval"]
                or g.abs().max() <= group["tolerance_grad"]
                or d.mul(t).abs().max() <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first

    def _direction(self, state: State, g: Tensor, history_size: int) -> Tensor:
        """-H g, by the two loops over the remembered changes y of g and s of p (Nocedal, 1980)."""
        if state["n_iter"] == 1:
            state |= {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1}
            return g.neg()
        ys, ss, ro = state["old_dirs"], state["old_stps"], state["ro"]
        y = g.sub(state["prev_flat_grad"])
        s = state["d"].mul(state["t"])
        product = y.dot(s)
        if product > 1e-10:
            if len(ys) == history_size:
                for remembered in (ys, ss, ro):
                    remembered.pop(0)
            ys.append(y)
            ss.append(s)
            ro.append(1.0 / product)
            state["H_diag"] = product / y.dot(y)
        al: list[Any] = [None] * len(ys)
        q = g.neg()
        for i in reversed(range(len(ys))):
            al[i] = ss[i].dot(q) * ro[i]
            q.add_(ys[i], alpha=-al[i].item())
        r = q * state["H_diag"]
        for i in range(len(ys)):
            r.add_(ss[i], alpha=(al[i] - ys[i].dot(r) * ro[i]).item())
        return r

    def _gradient(self) -> Tensor:
        """(n,) the gradients of all parameters, one after the other."""
        return cat([p.new_zeros(p.numel()) if p.grad is None else p.grad.reshape(-1) for p in self._params])

    def _move(self, t: Any, d: Tensor) -> None:
        """Go t along d."""
        begin = 0
        for p in self._params:
            p.add_(d[begin : begin + p.numel()].view(p.shape), alpha=number(t))
            begin += p.numel()

    def _evaluate(self, closure: Callable[[], Any], here: list[Tensor], t: Any, d: Tensor) -> tuple[float, Tensor]:
        """The loss and its gradient t along d from here; the parameters are left where they were."""
        self._move(t, d)
        loss, g = float(closure()), self._gradient()
        for p, old in zip(self._params, here, strict=True):
            p.copy_(old)
        return loss, g
