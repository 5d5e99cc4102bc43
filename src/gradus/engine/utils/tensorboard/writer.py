"""`SummaryWriter`: scalars, histograms, texts and figures as TensorBoard event files."""

from __future__ import annotations

import io
import itertools
import os
import socket
import struct
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from gradus.engine.dtypes import Array
from gradus.engine.tensor import Tensor
from gradus.engine.utils.tensorboard import messages
from gradus.engine.utils.tensorboard.crc32c import masked_crc32c

_numbers = itertools.count()  # distinguishes files that a process opens in the same second


class EventFile:
    """A file of events, each a record: length, checksum of the length, event, checksum of the event (TFRecord)."""

    def __init__(self, folder: Path, suffix: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self.path = folder / (name + suffix)
        self._file = self.path.open("wb")
        weakref.finalize(self, self._file.close)  # a program that forgets to close loses nothing
        self.write(messages.event(time.time(), file_version="brain.Event:2"))
        self.flush()

    def write(self, event: bytes) -> None:
        """Append an event."""
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))

    def flush(self) -> None:
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        self._file.close()


class SummaryWriter:
    """Writes to an event file in `log_dir`, which `tensorboard --logdir runs` shows.

    Args:
        log_dir: the folder; by default runs/DATE_HOST and the comment.
        comment: the end of the default folder's name.
        purge_step: accepted; TensorBoard itself hides what a restarted run wrote before.
        max_queue: events to buffer in memory.
        flush_secs: seconds between flushes, at most.
        filename_suffix: the end of the file's name.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            log_dir = Path("runs", f"{time.strftime('%b%d_%H-%M-%S')}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        self._suffix = filename_suffix
        self._max_queue, self._flush_secs = max_queue, flush_secs
        self._waiting, self._flushed = 0, time.monotonic()
        self._file: EventFile | None = EventFile(Path(self.log_dir), filename_suffix)
        self._parts: dict[str, SummaryWriter] = {}  # the writers of add_scalars, by their folder

    def get_logdir(self) -> str:
        """The folder of the event files."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """One number, kept in float32, at a step."""
        value = _array(scalar_value)
        if value.size != 1:
            raise AssertionError(f"scalar should be 0D: {tag} has shape {value.shape}")
        self._add(messages.scalar(tag, float(value.item())), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Several numbers under one tag, drawn as curves of one chart; each is written to its own folder."""
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            if folder not in self._parts:
                self._parts[folder] = SummaryWriter(folder, filename_suffix=self._suffix)
            self._parts[folder].add_scalar(main_tag, value, global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """A histogram of numbers.

        Args:
            values: any shape.
            bins: "tensorflow" (1,549 of them, exponentially wider away from 0), or what `numpy.histogram` takes.
            max_bins: merge neighbouring bins until there are about this many.
        """
        array = _array(values).reshape(-1).astype(np.float64)
        if not array.size:
            raise ValueError(f"The input has no element: {tag} is empty")
        counts, limits = np.histogram(array, bins=_tensorflow_bins() if bins == "tensorflow" else bins)
        if max_bins is not None and len(counts) > max_bins:
            counts, limits = _coarser(counts, limits, len(counts) // max_bins)
        filled = np.flatnonzero(counts)
        if not filled.size:
            raise ValueError(f"no element of {tag} is in the bins {limits[0]} .. {limits[-1]}")
        first, last = filled[0], filled[-1]
        # TensorBoard has only the right edge of each bin: an empty bin before the first gives its left edge.
        before = counts[first - 1] if first else 0
        self.add_histogram_raw(
            tag,
            array.min(),
            array.max(),
            len(array),
            array.sum(),
            array.dot(array),
            limits[first : last + 2].tolist(),
            [before, *counts[first : last + 1].tolist()],
            global_step,
            walltime,
        )

    def add_histogram_raw(
        self,
        tag: str,
        min: float,
        max: float,
        num: int,
        sum: float,
        sum_squares: float,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """A histogram from counts."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError(f"len(bucket_limits) != len(bucket_counts): {len(bucket_limits)} and {len(bucket_counts)}")
        proto = messages.histogram(
            tag, float(min), float(max), float(num), float(sum), float(sum_squares), bucket_limits, bucket_counts
        )
        self._add(proto, global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: Any = None, walltime: float | None = None) -> None:
        """A text, shown as Markdown."""
        self._add(messages.text(tag, text_string), global_step, walltime)

    def add_figure(
        self, tag: str, figure: Any, global_step: Any = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """A matplotlib figure, as an image; closed afterwards if `close`."""
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=figure.dpi)
        width, height = figure.canvas.get_width_height()
        self._add(messages.image(tag, height, width, 4, png.getvalue()), global_step, walltime)
        if close:
            import matplotlib.pyplot as plt

            plt.close(figure)

    def flush(self) -> None:
        """Write all buffered events to disk."""
        for part in self._parts.values():
            part.flush()
        if self._file is not None:
            self._file.flush()
        self._waiting, self._flushed = 0, time.monotonic()

    def close(self) -> None:
        """Flush and close the files; the next event opens a new one."""
        for part in self._parts.values():
            part.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, summary: bytes, step: Any, wall_time: float | None) -> None:
        if self._file is None:
            self._file = EventFile(Path(self.log_dir), self._suffix)
        moment = time.time() if wall_time is None else wall_time
        self._file.write(messages.event(moment, 0 if step is None else int(step), summary=summary))
        self._waiting += 1
        if self._waiting >= self._max_queue or time.monotonic() - self._flushed >= self._flush_secs:
            self.flush()


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked_crc32c(data))


def _array(values: Any) -> Array:
    return values.numpy(force=True) if isinstance(values, Tensor) else np.asarray(values)


def _tensorflow_bins() -> Array:
    """TensorFlow's limits: ±1e-12 · 1.1ⁱ up to 1e20, and 0."""
    limits = []
    limit = 1e-12
    while limit < 1e20:
        limits.append(limit)
        limit *= 1.1
    return np.array([-x for x in reversed(limits)] + [0.0] + limits)


def _coarser(counts: Array, limits: Array, step: int) -> tuple[Array, Array]:
    """Merge every `step` bins; the last group may have fewer."""
    padded = np.pad(counts, (0, -len(counts) % step))
    return padded.reshape(-1, step).sum(axis=1), np.append(limits[:-1:step], limits[-1])
