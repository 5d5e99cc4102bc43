"""TensorBoard's event files, read back by a reader of their format: records with checksums, protocol buffers inside."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradus.engine as torch
from gradus.engine.utils.tensorboard import SummaryWriter
from gradus.engine.utils.tensorboard.crc32c import crc32c


def fields(data: bytes) -> dict[int, list[Any]]:
    """A protocol buffer's fields: number -> values."""
    found: dict[int, list[Any]] = {}
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(data):
        key = varint()
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            value: Any = varint()
        else:
            size = varint() if size is None else size
            value = data[place : place + size]
            place += size
            if key & 7 != 2:
                value = struct.unpack("<d" if size == 8 else "<f", value)[0]
        found.setdefault(key >> 3, []).append(value)
    return found


def unmask(checksum: int) -> int:
    rotated = (checksum - 0xA282EAD8) & 0xFFFFFFFF
    return ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF


def events(path: Path) -> Iterator[dict[int, list[Any]]]:
    """The events of a file, its checksums checked."""
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        event = data[12 : 12 + length]
        assert unmask(struct.unpack("<I", data[8:12])[0]) == crc32c(data[:8])
        assert unmask(struct.unpack("<I", data[12 + length : 16 + length])[0]) == crc32c(event)
        yield fields(event)
        data = data[16 + length :]


def summaries(folder: Path) -> list[tuple[str, int, dict[int, list[Any]]]]:
    """Tag, step and value of each summary in a folder's one event file."""
    (path,) = folder.glob("events.out.tfevents.*")
    found = []
    first, *rest = events(path)
    assert first[3] == [b"brain.Event:2"]
    for event in rest:
        (value,) = fields(event[5][0])[1]
        parts = fields(value)
        found.append((parts[1][0].decode(), event.get(2, [0])[0], parts))
    return found


def test_crc32c_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # the check value of the catalogue of CRCs
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def test_scalars_are_read_back(tmp_path: Path) -> None:
    writer = SummaryWriter(log_dir=tmp_path / "logs")
    writer.add_scalar("loss/train", torch.tensor(2.5), 300, walltime=1234.5)
    writer.add_scalar("loss/train", 1 / 3)
    writer.add_scalar("lr", np.float64(-1e-3), -1)
    writer.flush()
    found = [(tag, step, parts[2][0]) for tag, step, parts in summaries(tmp_path / "logs")]
    assert found == [
        ("loss/train", 300, 2.5),
        ("loss/train", 0, float(np.float32(1 / 3))),
        ("lr", 2**64 - 1, float(np.float32(-1e-3))),  # -1, as two's complement
    ]
    (path,) = (tmp_path / "logs").glob("*")
    assert list(events(path))[1][1] == [1234.5]
    writer.close()


def test_a_scalar_must_be_one_number(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer, pytest.raises(AssertionError, match="scalar should be 0D"):
        writer.add_scalar("x", torch.zeros(2))


def test_several_scalars_go_to_folders_of_their_own(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("loss/all", {"train": 1, "dev": 2}, 5)
    assert [(tag, step, p[2]) for tag, step, p in summaries(tmp_path / "loss_all_train")] == [("loss/all", 5, [1.0])]
    assert [(tag, step, p[2]) for tag, step, p in summaries(tmp_path / "loss_all_dev")] == [("loss/all", 5, [2.0])]


def test_text_is_a_string_tensor_of_the_text_plugin(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_text("sample", "größer **und** kleiner", 3)
    ((tag, step, parts),) = summaries(tmp_path)
    assert (tag, step) == ("sample/text_summary", 3)
    tensor = fields(parts[8][0])
    assert tensor[1] == [7]
    assert tensor[8][0].decode() == "größer **und** kleiner"
    assert fields(fields(parts[9][0])[1][0])[1] == [b"text"]


@pytest.mark.parametrize("bins", ["tensorflow", 10, "auto"])
def test_a_histogram_counts_every_number(tmp_path: Path, bins: Any) -> None:
    values = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("w", values, 1, bins=bins)
    ((_, _, parts),) = summaries(tmp_path)
    proto = fields(parts[5][0])
    x = values.numpy().astype(np.float64)
    exact = [x.min(), x.max(), 1000.0, x.sum(), x @ x]
    assert [proto[i][0] for i in range(1, 6)] == pytest.approx(exact, rel=1e-12)
    limits, counts = np.frombuffer(proto[6][0]), np.frombuffer(proto[7][0])
    assert counts.sum() == 1000
    for i in range(1, len(limits)):
        inside = (x >= limits[i - 1]) & (x < limits[i] if i < len(limits) - 1 else x <= limits[i])
        assert counts[i] == inside.sum()


def test_coarser_histograms_keep_the_sum(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("w", np.linspace(-1, 1, 500), bins=100, max_bins=7)
    ((_, _, parts),) = summaries(tmp_path)
    counts = np.frombuffer(fields(parts[5][0])[7][0])
    assert counts.sum() == 500
    assert len(counts) <= 9


def test_a_figure_is_a_png(tmp_path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(2, 1), dpi=50)
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("curve", figure, 2)
    ((_, _, parts),) = summaries(tmp_path)
    image = fields(parts[4][0])
    assert (image[1], image[2]) == ([50], [100])
    assert image[4][0].startswith(b"\x89PNG")
    assert not plt.get_fignums()


def test_adding_after_close_begins_a_new_file(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)
    writer.close()
    writer.add_scalar("x", 1)
    writer.close()
    assert sorted(len(list(events(path))) for path in tmp_path.iterdir()) == [1, 2]
