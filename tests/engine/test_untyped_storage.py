"""The bytes behind tensors: what programs (and safetensors) ask of `untyped_storage` and `frombuffer`, as PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch as pytorch

import gradus.engine as engine


def test_a_view_has_its_bases_bytes() -> None:
    for torch in (engine, pytorch):
        x = torch.arange(6, dtype=torch.int16).reshape(2, 3)
        whole = x.untyped_storage()
        assert (whole.nbytes(), len(whole), whole.data_ptr()) == (12, 12, x.data_ptr())
        for part in (x[1], x.T, x[:, ::2], x[1:, 1:]):
            assert part.untyped_storage().data_ptr() == x.data_ptr()
            assert part.untyped_storage().nbytes() == 12
        assert x[1].data_ptr() == x.data_ptr() + 6
        assert whole[2] == 1
        assert torch.zeros(0).untyped_storage().nbytes() == 0


def test_a_buffer_is_read_as_numbers_on_its_memory() -> None:
    for torch in (engine, pytorch):
        data = bytearray(np.arange(4, dtype=np.float32).tobytes())
        x = torch.frombuffer(data, dtype=torch.float32)
        assert x.tolist() == [0, 1, 2, 3]
        x[0] = 7
        assert np.frombuffer(data, np.float32)[0] == 7
        assert torch.frombuffer(data, dtype=torch.float32, count=2, offset=4).tolist() == [1, 2]
        assert torch.frombuffer(data, dtype=torch.bfloat16, count=2).tolist() == [0.0, 7.0]
        for wrong in ({"count": 5}, {"offset": 1}, {"offset": 16}, {"count": 0}):
            with pytest.raises(ValueError, match="buffer"):
                torch.frombuffer(data, dtype=torch.float32, **wrong)


def test_bytes_of_a_file_are_read_when_needed(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(16)))
    for torch in (engine, pytorch):
        part = torch.UntypedStorage.from_file(str(path), False, 16)[4:8]
        assert torch.asarray(part, dtype=torch.uint8).tolist() == [4, 5, 6, 7]
    assert path.read_bytes() == bytes(range(16))
