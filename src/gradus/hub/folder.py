"""A folder as `transformers` writes it: config.json, and the weights as safetensors, in one file or in shards. All in
it is read as data. Pickles, such as pytorch_model.bin, are refused, since reading one can run what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import safetensors

from gradus import files
from gradus.errors import UserError

CONFIG, MODEL, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
NAMED = 4  # tensors that an error names; of the others it says how many

Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says.

    Raises:
        UserError: if there is no such folder or file, or it is no JSON object.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")
    return _read_json(folder / CONFIG)


class Tensors:
    """The tensors of a folder's safetensors, each read when it is asked for.

    Attributes:
        place: the folder.
        files: the files that hold them.
        shapes: name -> shape.
    """

    def __init__(self, folder: Path) -> None:
        """Raises UserError if there are none, a file is missing or damaged, or the index does not agree with it."""
        self.place = folder
        where = {MODEL: None} if (folder / MODEL).is_file() else _shards(folder)
        self.files = [folder / name for name in where]
        self.shapes: dict[str, Shape] = {}
        self._home: dict[str, Path] = {}
        for path, promised in zip(self.files, where.values(), strict=True):
            with _opened(path) as file:
                names = file.keys()
                for name in promised or names:
                    if name not in names:
                        raise UserError(f"{path} has no tensor {name}, which {INDEX} says it has")
                    self.shapes[name] = tuple(file.get_slice(name).get_shape())
                    self._home[name] = path

    def read(self, name: str) -> Array:
        """A tensor as float32.

        Raises:
            UserError: if it is not of floating-point numbers.
        """
        import ml_dtypes  # noqa: F401  (NumPy knows bfloat16 by it)

        with _opened(self._home[name]) as file:
            kind = file.get_slice(name).get_dtype()
            if kind not in ("F64", "F32", "F16", "BF16"):
                raise UserError(f"{self._home[name]}: {name} is {kind}; only floating-point weights are known")
            return np.asarray(file.get_tensor(name)).astype(np.float32, copy=False)

    def require(self, expected: Mapping[str, Shape], found: Mapping[str, str]) -> None:
        """UserError unless what was found, expected name -> name in the files, is what a model has: it names the
        tensors that are missing, too many or misshapen."""
        wrong = [
            f"{name} is {list(self.shapes[found[name]])}, not {list(shape)}"
            for name, shape in expected.items()
            if name in found and self.shapes[found[name]] != shape
        ]
        faults = {
            "missing": [name for name in expected if name not in found],
            "too many": [found[name] for name in found if name not in expected],
            "misshapen": wrong,
        }
        said = [f"{what}: {_some(names)}" for what, names in faults.items() if names]
        if said:
            raise UserError(f"the weights in {self.place} do not fit its {CONFIG}; {'; '.join(said)}")


def _shards(folder: Path) -> dict[str, list[str] | None]:
    """File -> the tensors that the index says it holds."""
    if not (folder / INDEX).is_file():
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
        if pickles:
            raise UserError(
                f"{folder} has its weights in {pickles[0]}, a pickle, and reading one can run what is in it; save them "
                "as safetensors, by model.save_pretrained(FOLDER) of transformers"
            )
        raise UserError(f"there are no weights in {folder}: neither {MODEL} nor {INDEX}")
    places = _read_json(folder / INDEX).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise UserError(f"{folder / INDEX} is damaged: its weight_map is not names and their files")
    shards: dict[str, list[str] | None] = {}
    for tensor, name in places.items():
        if name != Path(name).name or not name.endswith(".safetensors"):
            raise UserError(f"{folder / INDEX} names {name!r}, which is no safetensors file of its folder")
        held = shards.setdefault(name, [])
        assert held is not None
        held.append(tensor)
    return shards


def _opened(path: Path) -> Any:
    try:
        return safetensors.safe_open(path, framework="np")
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(f"{path} is damaged, cut short, or no safetensors file: {error}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        fields = files.from_json(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"there is no {path.name} in {path.parent}") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}") from error
    if not isinstance(fields, dict):
        raise UserError(f"{path} is JSON, but no object")
    return fields


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
