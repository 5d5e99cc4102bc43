"""`save` and `load`: files that PyTorch reads, PyTorch's files read, and nothing that a file names is ever run."""

from __future__ import annotations

import argparse
import collections
import importlib
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import gradus.engine as ours

NAMES = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def saved(torch: Any, obj: object, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(obj, file, **options)
    file.seek(0)
    return file


def plain(x: Any) -> Any:
    """An object with tensors as (kind, dtype, shape, strides, requires_grad, numbers), to be compared."""
    if isinstance(x, (ours.Tensor, theirs.Tensor)):
        kind = "Parameter" if isinstance(x, (ours.nn.Parameter, theirs.nn.Parameter)) else "Tensor"
        strides = tuple(x.stride()) if x.numel() else ()
        return kind, str(x.dtype), tuple(x.shape), strides, x.requires_grad, x.tolist()
    if isinstance(x, dict):
        return type(x).__name__, {key: plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [plain(value) for value in x]
    if isinstance(x, (ours.dtype, theirs.dtype, ours.device, theirs.device)):
        return str(x)
    return x


def everything(torch: Any) -> dict[str, Any]:
    """One of each thing that a checkpoint may hold, made with either library."""
    x = torch.arange(6.0).reshape(2, 3)
    weight = torch.nn.Parameter(torch.ones(2, 2))
    return {
        "tensors": {name: torch.arange(5).to(getattr(torch, name)) for name in NAMES},
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "transposed": x.T,
        "row": x[1],
        "every other": torch.arange(10)[::2],
        "expanded": torch.ones(1, 2).expand(3, 2),
        "parameter": weight,
        "tied": weight,
        "wants gradient": torch.ones(2, requires_grad=True),
        "frozen": torch.nn.Parameter(torch.ones(1), requires_grad=False),
        "numbers": [1, -1, 2**31, -(2**70), 1.5, float("inf"), True, None, 1 + 2j],
        "texts": ("", "größer 漢字", b"", b"\x00\xff", bytearray(b"ab")),
        "set": {1, 2},
        "dtype": torch.bfloat16,
        "shape": x.shape,
        "device": torch.device("cpu"),
        "ordered": collections.OrderedDict(b=1, a=2),
        "counts": collections.Counter("abca"),
        "nested": {"a": [{"b": (1, [2, (3,)])}], 3: "int key", (1, 2): "tuple key"},
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pytorch_reads_what_we_write(protocol: int) -> None:
    weights_only = protocol == 2  # PyTorch's careful reader knows no other
    read = theirs.load(saved(ours, everything(ours), pickle_protocol=protocol), weights_only=weights_only)
    assert plain(read) == plain(everything(theirs))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_we_read_what_pytorch_writes(protocol: int) -> None:
    read = ours.load(saved(theirs, everything(theirs), pickle_protocol=protocol))
    assert plain(read) == plain(everything(theirs))


def test_we_read_what_we_write() -> None:
    assert plain(ours.load(saved(ours, everything(ours)))) == plain(everything(ours))


def test_a_state_dict_goes_both_ways() -> None:
    def model(torch: Any) -> Any:
        nn = torch.nn
        return nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2, bias=False))

    a, b = model(ours), model(theirs)
    b.load_state_dict(theirs.load(saved(ours, a.state_dict())))
    np.testing.assert_array_equal(b[1].weight.detach().numpy(), a[1].weight.detach().numpy())
    b = model(theirs)
    read: Any = ours.load(saved(theirs, b.state_dict()))
    kind: Any = type(read)
    assert kind is collections.OrderedDict
    assert dict(read._metadata) == dict(b.state_dict()._metadata)
    a.load_state_dict(read)
    np.testing.assert_array_equal(a[3].weight.detach().numpy(), b[3].weight.detach().numpy())


def test_an_optimizers_state_goes_both_ways() -> None:
    def trained(torch: Any) -> Any:
        weight = torch.nn.Parameter(torch.ones(3))
        optimizer = torch.optim.AdamW([weight], lr=0.1)
        (weight * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
        optimizer.step()
        return weight, optimizer

    (_, mine), (_, other) = trained(ours), trained(theirs)
    read = theirs.load(saved(ours, mine.state_dict()))
    other.load_state_dict(read)
    back = ours.load(saved(theirs, other.state_dict()))
    assert back["state"][0]["exp_avg"].tolist() == mine.state_dict()["state"][0]["exp_avg"].tolist()
    mine.load_state_dict(back)


def test_bfloat16_stays_bfloat16() -> None:
    x = theirs.randn(50, generator=theirs.Generator().manual_seed(1)).bfloat16()
    read = ours.load(saved(theirs, x))
    assert read.dtype is ours.bfloat16
    assert read.tolist() == x.tolist()


def test_numpy_scalars_are_read_and_run_no_code() -> None:
    """A checkpoint often holds a best loss or a step as NumPy made it."""
    values = {
        "loss": np.float64(1.5),
        "step": np.int64(3),
        "small": np.float32(0.25),
        "flag": np.bool_(True),
        "complex": np.complex128(1j),
        "array": np.array([1.0, 2.0]),
        "complex array": np.array([1j, 2]),
    }
    read = ours.load(saved(theirs, values))
    for name, value in values.items():
        assert type(read[name]) is type(value), name
        np.testing.assert_array_equal(read[name], value)
    assert read["loss"].dtype == np.float64


def test_a_type_that_is_not_saved_says_so() -> None:
    with pytest.raises(TypeError, match=r"torch\.uint16"):
        saved(ours, ours.ones(2, dtype=ours.uint16))


def test_shared_memory_is_written_once_and_stays_shared() -> None:
    x = ours.zeros(1000)
    file = saved(ours, {"whole": x, "part": x[10:20], "again": x, "detached": x.detach()})
    assert len(file.getvalue()) < 2 * x.nbytes
    for torch in (ours, theirs):
        file.seek(0)
        read = torch.load(file)
        read["part"][3] = 5.0
        assert read["whole"][13] == read["detached"][13] == 5.0
        assert read["whole"] is read["again"]


def test_tied_parameters_of_a_model_stay_tied() -> None:
    model = ours.nn.Sequential(ours.nn.Linear(2, 2, bias=False), ours.nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    read = ours.load(saved(ours, model.state_dict()))
    read["0.weight"][0, 0] = 7.0
    assert read["1.weight"][0, 0] == 7.0


def test_a_slice_of_a_big_array_does_not_carry_the_array() -> None:
    big = np.zeros(100_000, np.float32)
    assert len(saved(ours, ours.from_numpy(big[:10])).getvalue()) < 5000


def test_the_same_object_gives_the_same_bytes(tmp_path: Path) -> None:
    ours.save(everything(ours), tmp_path / "a.pt")
    first = (tmp_path / "a.pt").read_bytes()
    ours.save(everything(ours), tmp_path / "a.pt")
    assert (tmp_path / "a.pt").read_bytes() == first


def test_records_are_aligned_for_mapping(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    ours.save({"a": ours.arange(3), "b": ours.arange(5.0)}, path)
    assert plain(theirs.load(path, mmap=True)) == ("dict", {"a": plain(ours.arange(3)), "b": plain(ours.arange(5.0))})
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            with path.open("rb") as file:
                file.seek(info.header_offset + 26)
                name, extra = np.frombuffer(file.read(4), "<u2")
            assert (info.header_offset + 30 + name + extra) % 64 == 0
            assert info.filename.startswith("model/")


def test_writing_to_a_path_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    ours.save([1], path)
    path.chmod(0o640)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        ours.save([2, lambda: 3], path)
    assert ours.load(path) == [1]
    ours.save([3], str(path))
    assert ours.load(str(path)) == [3]
    assert path.stat().st_mode & 0o777 == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    for torch in (ours, theirs):
        with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
            torch.save(1, tmp_path / "no" / "x.pt")
        with pytest.raises(FileNotFoundError):
            torch.load(tmp_path / "x.pt")


def moved(torch: Any, location: Any, **options: Any) -> Any:
    """Load a file whose storages say that they were on a GPU."""
    source = zipfile.ZipFile(saved(theirs, {"x": theirs.ones(2)}))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            target.writestr(info, data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00" + location))
    file.seek(0)
    return plain(torch.load(file, **options))


@pytest.mark.parametrize("where", ["cpu", "device", {"cuda:0": "cpu"}, lambda storage, _: storage])
def test_a_file_from_a_gpu_is_read_with_map_location(where: Any) -> None:
    for torch in (ours, theirs):
        place = torch.device("cpu") if where == "device" else where
        assert moved(torch, b"cuda:0", map_location=place) == ("dict", {"x": plain(theirs.ones(2))})


@pytest.mark.parametrize("where", [None, "cuda", "cuda:0"])
def test_a_file_from_a_gpu_stays_there_otherwise(where: Any) -> None:
    for torch in (ours, theirs):
        with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
            moved(torch, b"cuda:0", map_location=where)


# ---- classes of the program


@dataclass
class Config:
    n_layer: int = 2
    names: list[str] = field(default_factory=list)


class HasSetstate:
    def __setstate__(self, state: Any) -> None:
        raise AssertionError("was run")


class HasReduce:
    def __reduce__(self) -> Any:
        return Config, (3,)


class HasDel:
    def __init__(self) -> None:
        self.harmless = True

    def __del__(self) -> None:
        if not vars(self).get("harmless"):
            raise AssertionError("was run")


class HasNew:
    def __new__(cls) -> HasNew:
        return super().__new__(cls)


@pytest.fixture
def as_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are the program that runs."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules[__name__])


def test_a_config_object_needs_permission() -> None:
    obj = {"config": Config(3, ["a"]), "w": ours.ones(1)}
    file = saved(ours, obj)
    with pytest.raises(pickle.UnpicklingError, match=r"Weights only load failed.*GLOBAL .*Config.*add_safe_globals"):
        ours.load(file)
    with ours.serialization.safe_globals([Config]):
        file.seek(0)
        assert ours.load(file)["config"] == Config(3, ["a"])
        assert ours.serialization.get_safe_globals() == [Config]
    assert ours.serialization.get_safe_globals() == []
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        ours.load(file)


def test_add_safe_globals_holds_until_it_is_cleared() -> None:
    ours.serialization.add_safe_globals([(Config, "elsewhere.Settings"), Config])
    try:
        assert ours.load(saved(ours, Config(5))) == Config(5)
    finally:
        ours.serialization.clear_safe_globals()
    with pytest.raises(pickle.UnpicklingError):
        ours.load(saved(ours, Config(5)))


@pytest.mark.usefixtures("as_program")
def test_without_weights_only_the_programs_own_classes_are_read() -> None:
    obj = {"config": Config(3, ["a"]), "args": argparse.Namespace(lr=0.1)}
    for torch in (ours, theirs):
        assert ours.load(saved(torch, obj), weights_only=False) == obj
        with pytest.raises(pickle.UnpicklingError):
            ours.load(saved(torch, obj))


def test_without_weights_only_other_classes_are_still_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="not a class of this program"):
        ours.load(saved(ours, Config(3)), weights_only=False)


@pytest.mark.usefixtures("as_program")
def test_a_whole_model_is_read_as_it_was_written() -> None:
    class_of_the_program = type("Net", (ours.nn.Module,), {"__module__": __name__, "__qualname__": "Net"})
    model = ours.nn.Sequential(ours.nn.Linear(3, 4), ours.nn.BatchNorm1d(4), ours.nn.GELU(), ours.nn.Dropout(0.1))
    net = class_of_the_program()
    net.model = model
    module: Any = sys.modules[__name__]
    module.Net = class_of_the_program
    try:
        file = saved(ours, net)
        read: Any = ours.load(file, weights_only=False)
    finally:
        del module.Net
    x = ours.randn(5, 3)
    kind: Any = type(read)
    assert kind is class_of_the_program
    assert ours.equal(read.model.eval()(x), model.eval()(x))
    assert [name for name, _ in read.named_parameters()] == [name for name, _ in net.named_parameters()]


@pytest.mark.usefixtures("as_program")
@pytest.mark.parametrize("kind", [HasSetstate, HasReduce, HasDel, HasNew])
def test_classes_with_a_say_in_it_are_refused(kind: type) -> None:
    program = f"c{__name__}\n{kind.__name__}\n".encode()
    with ours.serialization.safe_globals([kind]):
        for ending in (b")\x81.", b")\x81}X\x01\x00\x00\x00ak\x01sb.".replace(b"k\x01", b"K\x01")):
            with pytest.raises(pickle.UnpicklingError, match=r"not read from a file"):
                ours.load(archive(b"\x80\x02" + program + ending), weights_only=False)


# ---- files that are not well meant


def archive(program: bytes, storages: dict[str, bytes] | None = None) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("archive/data.pkl", program)
        for key, data in (storages or {}).items():
            target.writestr(f"archive/data/{key}", data)
    file.seek(0)
    return file


class Attack:
    """Pickled by Python, it asks whoever reads it to call a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.usefixtures("as_program")
@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "attack",
    [
        Attack(os.system, "touch ran"),
        Attack(eval, "open('ran', 'w')"),
        Attack(open, "ran", "w"),
        Attack(Path, "ran"),
        Attack(Config, 3),
        Attack(print, "ran"),
        Attack(np.save, "ran", np.zeros(1)),
        Attack(ours.save, 1, "ran"),
        Attack(subprocess.call, ["touch", "ran"]),
        Attack(importlib.import_module, "antigravity"),
    ],
)
def test_nothing_that_a_file_names_is_called(
    attack: Attack,
    protocol: int,
    weights_only: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        ours.load(archive(pickle.dumps({"x": attack}, protocol)), weights_only=weights_only)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_a_name_in_a_file_is_not_imported() -> None:
    assert "antigravity" not in sys.modules
    for weights_only in (True, False):
        with pytest.raises(pickle.UnpicklingError):
            ours.load(archive(b"\x80\x02cantigravity\nfly\n."), weights_only=weights_only)
    assert "antigravity" not in sys.modules


def tensor_program(offset: int, size: tuple[int, ...], stride: tuple[int, ...], count: int = 4) -> bytes:
    from gradus.engine.serialization import storages, writer

    pickler = writer.Pickler(file := io.BytesIO(), 2)
    storage = storages.Storage("0", np.zeros(count, np.float32))

    class Forged:
        def __reduce__(self) -> Any:
            return writer.REBUILD_TENSOR, (storage, offset, size, stride, False, collections.OrderedDict())

    pickler.dump(Forged())
    return file.getvalue()


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [(1, (4,), (1,)), (0, (2, 3), (3, 1)), (-1, (2,), (1,)), (0, (2,), (-1,)), (0, (2,), (1, 1)), (0, (-2,), (1,))],
)
def test_a_tensor_cannot_reach_outside_its_storage(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    assert ours.load(archive(tensor_program(0, (2, 2), (2, 1)), {"0": bytes(16)})).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(pickle.UnpicklingError):
        ours.load(archive(tensor_program(offset, size, stride), {"0": bytes(16)}))


def test_a_storage_must_have_the_size_it_claims() -> None:
    for data in ({"0": bytes(12)}, {"0": bytes(20)}, {}):
        with pytest.raises(pickle.UnpicklingError):
            ours.load(archive(tensor_program(0, (2,), (1,)), data))


@pytest.mark.parametrize(
    "content", [b"", b"hello", pickle.dumps([1]), pickle.dumps([1], 2) * 100], ids=["empty", "text", "pickle", "long"]
)
def test_other_files_are_named_as_such(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content)
    with pytest.raises(pickle.UnpicklingError, match=r"x\.pt was not written by torch\.save"):
        ours.load(path)


def test_a_zip_of_something_else_is_named_as_such() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("readme.txt", "hello")
    with pytest.raises(pickle.UnpicklingError, match=r"no data\.pkl"):
        ours.load(file)


def test_a_changed_byte_of_a_tensor_is_noticed() -> None:
    data = bytearray(saved(ours, ours.full((100,), 3.0)).getvalue())
    data[data.index(np.full(10, 3.0, np.float32).tobytes())] ^= 1
    with pytest.raises(pickle.UnpicklingError, match="damaged"):
        ours.load(io.BytesIO(bytes(data)))


WHOLE = zipfile.ZipFile(saved(ours, {"a": ours.arange(4.0), "b": [1, "x", (2.5, None)], "c": ours.Size([1])})).read(
    "archive/data.pkl"
)


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_pickle_is_an_unpickling_error_or_another_object(place: int, byte: int, cut: bool) -> None:
    program = WHOLE[:place] if cut else WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    try:
        ours.load(archive(program, {"0": np.arange(4, dtype=np.float32).tobytes()}))
    except pickle.UnpicklingError:
        return
    assert not cut


# ---- NumPy


@pytest.mark.parametrize(
    "value",
    [
        np.float64(2.5),
        np.int32(-3),
        np.bool_(True),
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.ones((2, 3), "f4")),
    ],
)
def test_numpy_numbers_and_arrays_are_read(value: Any) -> None:
    for torch in (ours, theirs):
        read = ours.load(saved(torch, {"x": value}))["x"]
        assert type(read) is type(value)
        assert read.dtype == value.dtype
        np.testing.assert_array_equal(read, value)


def test_numpy_arrays_of_objects_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError):
        ours.load(saved(ours, np.array([print], dtype=object)), weights_only=False)


def test_options_that_are_not_supported_are_named() -> None:
    with pytest.raises(ValueError, match="pickle_module"):
        ours.load(io.BytesIO(), pickle_module=io)
    with pytest.raises(ValueError, match=r"before PyTorch 1\.6"):
        ours.save(1, io.BytesIO(), _use_new_zipfile_serialization=False)
    with pytest.raises(pickle.PicklingError, match="get_state"):
        ours.save(ours.Generator(), io.BytesIO())
