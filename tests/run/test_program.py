"""Running programs: as Python runs them, on the engine, and with a clear word when something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from gradus.errors import UserError
from gradus.run import run_program


@pytest.fixture
def program(tmp_path: Path) -> Any:
    def write(text: str, name: str = "program.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def test_a_program_finds_what_python_gives_it(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = program(
        """
        import os, sys
        import torch
        import helper

        print(__name__, sys.argv == [__file__, "--steps=3", "x"], sys.path[0] == os.path.dirname(__file__))
        print(sys.modules["__main__"].torch is torch, helper.torch is torch, isinstance(helper.made, torch.Tensor))
        print(os.getcwd())
        """
    )
    program("import torch\nmade = torch.ones(2)\n", "helper.py")
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    try:
        assert run_program(path, ["--steps=3", "x"]) == 0
    finally:
        sys.modules.pop("helper", None)
    assert capsys.readouterr().out.splitlines() == ["__main__ True True", "True True True", os.getcwd()]
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before


def test_a_training_program_learns_and_saves(program: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = program(
        """
        import os, sys
        from contextlib import nullcontext
        from dataclasses import dataclass
        import torch
        import torch.nn as nn
        from torch.nn import functional as F
        from torch.nn.parallel import DistributedDataParallel as DDP
        from torch.distributed import init_process_group, destroy_process_group
        from torch.utils.data import Dataset
        from torch.utils.data.dataloader import DataLoader
        from torch.utils.tensorboard import SummaryWriter

        @dataclass
        class Config:
            hidden: int = 16

        class Squares(Dataset):
            def __len__(self): return 64
            def __getitem__(self, i):
                x = torch.tensor([i / 64.0])
                return x, x * x

        ddp = int(os.environ.get("RANK_OF_NO_PROCESS", -1)) != -1
        if ddp:
            init_process_group(backend="nccl")
        device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(1337)
        torch.backends.cuda.matmul.allow_tf32 = True
        ctx = nullcontext() if device == "cpu" else torch.amp.autocast(device_type=device, dtype=torch.float16)
        config = Config()
        model = nn.Sequential(nn.Linear(1, config.hidden), nn.Tanh(), nn.Linear(config.hidden, 1)).to(device)
        model = torch.compile(model)
        if ddp:
            model = DDP(model)
        scaler = torch.cuda.amp.GradScaler(enabled=False)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        writer = SummaryWriter(log_dir=sys.argv[1])
        sampler = torch.utils.data.RandomSampler(Squares(), replacement=True, num_samples=int(1e10))
        batches = iter(DataLoader(Squares(), sampler=sampler, batch_size=16, pin_memory=True, num_workers=2))
        for step in range(60):
            x, y = [t.to(device) for t in next(batches)]
            with ctx:
                loss = F.mse_loss(model(x), y)
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            writer.add_scalar("loss", loss.item(), step)
            if step in (0, 59):
                print(f"{loss.item():.6f}")
        writer.flush()
        path = os.path.join(sys.argv[1], "ckpt.pt")
        torch.save({"model": model.state_dict(), "config": config, "loss": loss.detach()}, path)
        read = torch.load(path, map_location=device, weights_only=False)
        model.load_state_dict(read["model"])
        print(read["config"])
        """
    )
    assert run_program(path, [str(tmp_path / "out")]) == 0
    first, last, config = capsys.readouterr().out.splitlines()
    assert float(last) < 0.1 * float(first)
    assert config == "Config(hidden=16)"
    assert len(list((tmp_path / "out").glob("events.out.tfevents.*"))) == 1


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("torch.lobpcg(1)", "torch.lobpcg, which PyTorch has"),
        ("torch.nn.Hologram(1)", "torch.nn.Hologram"),
        ("torch.optim.Adamn(1)", "torch.optim.Adamn; did you mean torch.optim.Adam?"),
        ("from torch.nn import Fold9", "torch.nn.Fold9"),
        ("from torch import sparse_cool", "torch.sparse_cool"),
        ("import torch.effects", "the module torch.effects"),
        ("import torch.fx; torch.fx.symbolic_trace(f)", "torch.fx.symbolic_trace, which PyTorch has"),
        ("from torch.hub import load; load('a/b', 'c')", "torch.hub.load, which PyTorch has"),
        ("torch.ones(2).sparse_mask(1)", "torch.Tensor.sparse_mask, which PyTorch has"),
        (
            "torch.ones(2).cholesky_inverse_()",
            "torch.Tensor.cholesky_inverse_; did you mean torch.Tensor.cholesky_inverse?",
        ),
    ],
)
def test_what_is_not_supported_is_one_line_with_its_place(
    line: str, missing: str, program: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(f"import torch\n\ndef f():\n    {line}\n\nf()\n")
    assert run_program(path) == 2
    assert capsys.readouterr().err == f"gradus run: {path}, line 4: gradus's engine does not support {missing}\n"


def test_a_program_may_ask_before_it_uses(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = program(
        """
        import torch
        try:
            import torch.effects
        except ImportError:
            print(hasattr(torch, "lobpcg"), hasattr(torch.nn.functional, "scaled_dot_product_attention"))
        """
    )
    assert run_program(path) == 0
    assert capsys.readouterr().out == "False True\n"


def test_a_missing_package_is_named(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = program("import torch\nimport nobody_has_this.part\n")
    assert run_program(path) == 2
    assert capsys.readouterr().err == (
        f"gradus run: {path}, line 2: the program needs the module nobody_has_this, which is neither beside it nor "
        "installed\n"
    )


def test_an_exception_shows_the_programs_frames_only(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = program(
        """\
        import torch

        def product(a, b):
            return a @ b

        product(torch.ones(2, 3), torch.ones(2, 3))
        """
    )
    assert run_program(path) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert [line for line in lines if line.startswith("  File")] == [
        f'  File "{path}", line 6, in <module>',
        f'  File "{path}", line 4, in product',
    ]
    assert lines[-1] == "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"


def test_causes_are_shown_and_ours_are_not(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = program(
        """
        import torch
        try:
            torch.zeros(2, dtype="float32")
        except TypeError as error:
            raise ValueError("what the program says") from error
        """
    )
    assert run_program(path) == 1
    shown = capsys.readouterr().err
    assert "The above exception was the direct cause" in shown
    assert shown.rstrip().endswith("ValueError: what the program says")
    assert "gradus" not in shown.replace(str(path), "")


def test_a_syntax_error_is_shown_as_python_shows_it(program: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = program("x = (\n")
    assert run_program(path) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f'  File "{path}", line 1'
    assert lines[-1] == "SyntaxError: '(' was never closed"


@pytest.mark.parametrize("code", [0, 7, "a message"])
def test_exit_codes_pass_through(code: Any, program: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        run_program(program(f"import sys\nsys.exit({code!r})\n"))
    assert caught.value.code == code


def test_with_debug_the_exception_comes_through(program: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run_program(program("1 / 0\n"), debug=True)


def test_a_file_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the program .*none\.py: No such file"):
        run_program(tmp_path / "none.py")


def test_pytorch_is_neither_needed_nor_imported(program: Any, tmp_path: Path) -> None:
    """In a process of its own, where a PyTorch on the path would blow up."""
    trap = tmp_path / "trap" / "torch"
    trap.mkdir(parents=True)
    (trap / "__init__.py").write_text("raise SystemExit('PyTorch was imported')\n")
    path = program(
        """
        import sys
        import torch, torch.nn.functional as F
        import matplotlib
        matplotlib.use("agg")
        import matplotlib.pyplot as plt
        plt.plot(torch.arange(3), torch.arange(3.0) ** 2)
        print(F.softmax(torch.zeros(2), dim=0).tolist(), torch.__name__)
        sys.exit(3)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", "from gradus.cli import main; main()", "run", str(path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "trap")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "[0.5, 0.5] gradus.engine\n", "")
