"""What the explorer shows inside NPLM, MLP, WaveNet and the recurrent networks, against the same computed by hand from
the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gradus.backend import nn, torch
from gradus.errors import UserError
from gradus.explorer import Opened
from gradus.explorer.forward.mlp import window
from gradus.explorer.forward.plane import plane
from gradus.explorer.forward.recurrent import state, states
from gradus.explorer.forward.wavenet import wavenet
from tests.explorer.models import opened

Floats = NDArray[np.floating[Any]]

WRITTEN = "the cat sat"
close: Any = pytest.approx


def weights(seen: Opened) -> dict[str, Floats]:
    return {name: tensor.detach().numpy().astype(np.float64) for name, tensor in seen.model.state_dict().items()}


def shaken(name: str, **settings: Any) -> Opened:
    """A model whose every weight, running statistic and gain is random, so that none could be left out unseen."""
    seen = opened(name, **settings)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for key, tensor in seen.model.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.randn(tensor.shape, generator=generator) * 0.4
                tensor.copy_(noise.abs() + 0.5 if key.endswith("running_var") else tensor + noise)
    return seen


def probabilities(seen: Opened, text: str) -> Floats:
    logits = seen.model(torch.from_numpy(seen.row(text)[None]))[0][0]
    return np.asarray(logits.double().softmax(dim=-1).detach().numpy())


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("token", [-1, 1])
def test_an_nplms_hidden_units_and_logit_by_hand(direct: bool, token: int) -> None:
    seen = shaken("nplm", context=3, n_embd=4, n_hidden=6, direct=direct)
    w = weights(seen)
    row = [0, 0, *seen.row(WRITTEN).tolist()]
    ids = row[-3:] if token == -1 else row[token : token + 3]
    x = w["wte.weight"][ids]
    h = np.tanh(w["hidden.weight"] @ x.reshape(-1) + w["hidden.bias"])
    logits = w["output.weight"] @ (np.concatenate([h, x.reshape(-1)]) if direct else h) + w["output.bias"]

    found = window(seen, WRITTEN, token, unit=2, following=5)
    assert found["context"]["ids"] == ids
    (layer,), unit, logit = found["layers"], found["unit"], found["logit"]
    assert layer["values"] == close(h, rel=1e-5)
    assert layer["flat"].tolist() == (1 - h**2 < 0.06).tolist()
    parts = [w["hidden.weight"][2, 4 * i : 4 * i + 4] @ x[i] for i in range(3)]
    assert unit["parts"] == close(np.array(parts), rel=1e-5)
    assert sum(unit["parts"]) + unit["bias"] == close(unit["sum"], rel=1e-5)
    assert np.tanh(unit["sum"]) == close(unit["value"], rel=1e-5)
    assert logit["from_hidden"] == close(w["output.weight"][5, :6] * h, rel=1e-4)
    assert logit["logit"] == close(logits[5], rel=1e-5)
    assert logit["p"] == close(probabilities(seen, WRITTEN)[token, 5], rel=1e-5)
    if direct:
        assert logit["direct"] == close(
            np.array([w["output.weight"][5, 6 + 4 * i :][:4] @ x[i] for i in range(3)]), rel=1e-4
        )
    assert logit["hidden_sum"] + logit.get("direct_sum", 0.0) + logit["bias"] == close(logits[5], rel=1e-5)


def test_an_nplm_of_direct_connections_only_has_no_unit() -> None:
    seen = shaken("nplm", context=2, n_embd=3, n_hidden=0, direct=True)
    found = window(seen, WRITTEN)
    assert (found["layers"], found["unit"], found["logit"]["hidden_sum"]) == ([], None, 0.0)
    assert found["logit"]["direct_sum"] + found["logit"]["bias"] == close(found["logit"]["logit"], rel=1e-5)


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group", "rms"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_an_mlps_normalisation_puts_in_the_numbers_that_it_used(norm: str, activation: str) -> None:
    sizes = {"context": 3, "n_embd": 4, "n_hidden": 8, "n_layer": 2, "norm_groups": 2}
    seen = shaken("mlp", **sizes, norm=norm, activation=activation, norm_output=norm == "batch")
    for which in (0, 1):
        found = window(seen, WRITTEN, layer=which, unit=5, following=3)
        unit, layer = found["unit"], found["layers"][which]
        assert sum(unit["parts"]) + unit["bias"] == close(unit["sum"], rel=1e-4)
        assert len(unit["parts"]) == (3 if which == 0 else 8)
        before = unit["sum"]
        if norm != "none":
            n = unit["norm"]
            before = (unit["sum"] - n["mean"]) / np.sqrt(n["variance"] + n["eps"]) * n["gain"] + n["shift"]
            assert before == close(n["value"], rel=1e-4, abs=1e-6)
            assert layer["normed"][5] == n["value"]
        f: Any = {"tanh": nn.Tanh, "relu": nn.ReLU, "gelu": nn.GELU}[activation]()
        assert float(f(torch.tensor([before]))) == close(unit["value"], rel=1e-4, abs=1e-6)
        assert layer["saturated"] == layer["flat"].sum()
    logit = found["logit"]
    last = logit["hidden_sum"] + logit["bias"]
    if "norm" in logit:
        n = logit["norm"]
        last = (last - n["mean"]) / np.sqrt(n["variance"] + n["eps"]) * n["gain"] + n["shift"]
    assert last == close(logit["logit"], rel=1e-4, abs=1e-5)
    assert logit["p"] == close(probabilities(seen, WRITTEN)[-1, 3], rel=1e-5)


def test_two_dimensional_embeddings_are_drawn_as_they_are_and_others_by_their_components() -> None:
    seen = opened("nplm", n_embd=2)
    np.testing.assert_array_equal(
        plane(seen)["points"].astype(np.float32), weights(seen)["wte.weight"].astype(np.float32)
    )
    assert plane(seen)["shares"] == []
    seen = opened("mlp", n_embd=7)
    found, x = plane(seen), weights(seen)["wte.weight"]
    values = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    assert found["shares"] == close((values / values.sum())[:2])
    assert found["points"].var(axis=0, ddof=1) == close(values[:2])
    assert window(seen, WRITTEN)["context"]["points"] == close(found["points"][seen.encode(WRITTEN)[-3:]])


def test_a_wavenets_tree_by_hand() -> None:
    seen = shaken("wavenet", n_layer=3, n_embd=4, n_hidden=5)
    w = weights(seen)
    row = [0] * 7 + seen.row(WRITTEN).tolist()

    def node(level: int, first: int) -> Floats:
        """What the network makes of 2^level tokens from one on."""
        if level == 0:
            return w["wte.weight"][row[first]]
        half = 2 ** (level - 1)
        pair = np.concatenate([node(level - 1, first), node(level - 1, first + half)])
        linear, norm = f"layers.{4 * level - 3}.weight", f"layers.{4 * level - 2}.norm"
        x = (w[linear] @ pair - w[f"{norm}.running_mean"]) / np.sqrt(w[f"{norm}.running_var"] + 1e-5)
        return np.tanh(x * w[f"{norm}.weight"] + w[f"{norm}.bias"])

    for position in (1, len(row) - 8):
        found = wavenet(seen, WRITTEN, position)
        assert [len(level["at"]) for level in found["levels"]] == [8, 4, 2, 1]
        for k, level in enumerate(found["levels"]):
            nodes = [node(k, position + 2**k * i) for i in range(8 // 2**k)]
            assert level["size"] == close(np.sqrt((np.array(nodes) ** 2).mean(axis=1)), rel=1e-5)
            assert level["at"] == [position - 8 + 2**k * (i + 1) for i in range(8 // 2**k)]
            assert all(level["in_tree"])
        assert found["chosen"]["values"] == close(node(3, position), rel=1e-4)
    found = wavenet(seen, WRITTEN, level=2, node=found["levels"][2]["at"][0], unit=3)
    chosen = found["chosen"]
    assert chosen["value"] == close(node(2, position)[3], rel=1e-5)
    n = chosen["sums"]["norm"]
    assert sum(chosen["sums"]["parts"]) == close(chosen["sums"]["sum"], rel=1e-5)
    inside = (chosen["sums"]["sum"] - n["mean"]) / np.sqrt(n["variance"] + n["eps"]) * n["gain"] + n["shift"]
    assert np.tanh(inside) == close(chosen["value"], rel=1e-5)


def test_a_dilated_wavenets_nodes_by_hand() -> None:
    seen = shaken("wavenet", design="dilated", n_layer=3, n_embd=4, n_hidden=5)
    w, row = weights(seen), seen.row(WRITTEN)

    def stream(level: int, place: int) -> Floats:
        if level == 0:
            return w["widen.weight"] @ w["wte.weight"][row[place] if place >= 0 else 0] + w["widen.bias"]
        name = f"layers.{level - 1}.outputs"
        return stream(level - 1, place) + (w[f"{name}.weight"] @ node(level, place) + w[f"{name}.bias"])[:5]

    def sums(level: int, place: int) -> Floats:
        name = f"layers.{level - 1}.gates"
        pair = np.concatenate([stream(level - 1, place - 2 ** (level - 1)), stream(level - 1, place)])
        return w[f"{name}.weight"] @ pair + w[f"{name}.bias"]

    def node(level: int, place: int) -> Floats:
        a, b = np.split(sums(level, place), 2)
        return np.tanh(a) / (1 + np.exp(-b))

    for position in (2, len(row) - 1):
        found = wavenet(seen, WRITTEN, position)
        for k, level in enumerate(found["levels"]):
            nodes = [stream(0, place) if k == 0 else node(k, place) for place in level["at"]]
            assert level["size"] == close(np.sqrt((np.array(nodes) ** 2).mean(axis=1)), rel=1e-4)
            tree = [p for p, inside in zip(level["at"], level["in_tree"], strict=True) if inside]
            assert tree == [position - i * 2**k for i in range(8 // 2**k)][::-1]
    for place in (position, position - 4, position - 7):
        chosen = wavenet(seen, WRITTEN, position, level=2, node=place, unit=1)["chosen"]
        why = chosen["sums"]
        assert chosen["value"] == chosen["why"]["result"] == close(node(2, place)[1], rel=1e-4)
        assert [why["sum"], why["gate"]["sum"]] == close(sums(2, place)[[1, 6]], rel=1e-4)
        assert sum(why["parts"]) + why["bias"] == close(why["sum"], rel=1e-4)
        assert sum(why["gate"]["parts"]) + why["gate"]["bias"] == close(why["gate"]["sum"], rel=1e-4)
        assert why["tanh"] * why["gate"]["sigmoid"] == close(chosen["value"], rel=1e-5)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_recurrent_networks_states_and_gates_by_hand(cell: str) -> None:
    seen = shaken("recurrent", cell=cell, n_embd=4, n_hidden=5, n_layer=2)
    w, row = weights(seen), seen.row(WRITTEN)

    def sigmoid(x: Floats) -> Floats:
        return 1 / (1 + np.exp(-x))

    below = [w["wte.weight"][i] for i in row]
    for layer in (0, 1):
        U, b, V, c_ = (w[f"cells.{name}_l{layer}"] for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh"))
        h, c = np.zeros(5), np.zeros(5)
        expected: dict[str, list[Floats]] = {}
        for x in below:
            if cell == "rnn":
                h = np.tanh(U @ x + b + V @ h + c_)
                now = {"h": h}
            elif cell == "gru":
                (xr, xz, xn), (hr, hz, hn) = np.split(U @ x + b, 3), np.split(V @ h + c_, 3)
                r, z = sigmoid(xr + hr), sigmoid(xz + hz)
                n = np.tanh(xn + r * hn)
                h = (1 - z) * n + z * h
                now = {"r": r, "z": z, "n": n, "h": h}
            else:
                i, f, g, o = np.split(U @ x + b + V @ h + c_, 4)
                i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
                c = f * c + i * g
                h = o * np.tanh(c)
                now = {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}
            for name, value in now.items():
                expected.setdefault(name, []).append(value)
        found = states(seen, WRITTEN, layer)
        for name, values in expected.items():
            np.testing.assert_allclose(
                found[name], np.array(values), rtol=1e-4, atol=1e-6, err_msg=f"{name} of {layer}"
            )
        below = expected["h"]
    p = probabilities(seen, WRITTEN)
    logits = w["output.weight"] @ expected["h"][-1] + w["output.bias"]
    assert np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum() == close(p[-1], rel=1e-4)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_units_formula_gives_its_state(cell: str) -> None:
    seen = shaken("recurrent", cell=cell, n_embd=4, n_hidden=5)
    for token in (0, 4, -1):
        found = state(seen, WRITTEN, token, unit=3, part="h")
        why = found["numbers"]
        value = {name: sum_["value"] for name, sum_ in why["sums"].items()}
        for name, sum_ in why["sums"].items():
            if (cell, name) != ("gru", "n"):
                f: Any = np.tanh if name in ("h", "g") else lambda x: 1 / (1 + np.exp(-x))
                assert f(sum_["from_input"] + sum_["from_state"]) == close(sum_["value"], rel=1e-5)
        if cell == "gru":
            n = why["sums"]["n"]
            assert np.tanh(n["from_input"] + value["r"] * n["from_state"]) == close(n["value"], rel=1e-5)
            assert (1 - value["z"]) * value["n"] + value["z"] * why["h_before"] == close(why["h"], rel=1e-5)
        if cell == "lstm":
            assert value["f"] * why["c_before"] + value["i"] * value["g"] == close(why["c"], rel=1e-5)
            assert value["o"] * np.tanh(why["c"]) == close(why["h"], rel=1e-4)
        assert found["lines"]["h"][found["position"]] == why["h"] == found["why"]["result"]


def test_the_units_that_change_most_are_those_whose_steps_are_longest() -> None:
    seen = shaken("recurrent", n_embd=4, n_hidden=20)
    found, h = state(seen, WRITTEN), states(seen, WRITTEN)["h"]
    steps = np.abs(np.diff(h, axis=0, prepend=np.zeros((1, 20)))).mean(axis=0)
    assert found["change"] == close(steps, rel=1e-5)
    assert found["unit"] == found["order"][0] == steps.argmax()
    assert found["values"].array.shape == (20, len(seen.row(WRITTEN)))


def test_what_is_not_there_is_told_in_one_line() -> None:
    with pytest.raises(UserError, match="has the parts h, got 'c'"):
        state(opened("recurrent", cell="rnn"), "the", part="c")
    with pytest.raises(UserError, match="layer must be from 0 to 0, got 3"):
        state(opened("recurrent"), "the", layer=3)
    with pytest.raises(UserError, match="is no wavenet but of the kind gpt"):
        wavenet(opened("gpt"), "the")
    with pytest.raises(UserError, match="next token must be 0 to"):
        window(opened("mlp"), "the", following=99)


def test_a_text_of_one_token_has_all_of_it_too() -> None:
    for settings in ({"context": 1}, {"context": 3}):
        seen = shaken("nplm", **settings, n_hidden=6)
        assert window(seen, "t")["logit"]["p"] == close(probabilities(seen, "t")[0].max(), rel=1e-5)
    for design in ("tree", "dilated"):
        seen = shaken("wavenet", design=design, n_layer=2, n_hidden=6)
        assert len(wavenet(seen, "t")["levels"][0]["at"]) == 4
    seen = shaken("recurrent", n_hidden=6)
    assert states(seen, "t")["c"].shape == (1, 6)
