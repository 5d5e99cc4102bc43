"""What surrounds tensors and layers: devices that are not there, one process, switches that switch nothing."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch as theirs

import gradus.engine as ours

BOTH: list[Any] = [ours, theirs]


def outcome(call: Any, torch: Any) -> Any:
    """What a call gives, or the type and text of its error."""
    try:
        return call(torch)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.cuda.is_available(),
        lambda t: t.cuda.device_count(),
        lambda t: t.cuda.is_bf16_supported(),
        lambda t: t.cuda.is_initialized(),
        lambda t: t.cuda.manual_seed(1),
        lambda t: t.cuda.manual_seed_all(1),
        lambda t: t.cuda.empty_cache(),
        lambda t: t.cuda.memory_allocated(),
        lambda t: t.cuda.max_memory_allocated(),
        lambda t: t.cuda.current_device(),
        lambda t: t.cuda.get_device_name(),
        lambda t: t.backends.mps.is_available(),
        lambda t: t.backends.mps.is_built(),
        lambda t: t.backends.cuda.is_built(),
        lambda t: t.backends.cudnn.is_available(),
        lambda t: t.backends.cuda.flash_sdp_enabled(),
        lambda t: t.accelerator.is_available(),
        lambda t: t.distributed.is_initialized(),
        lambda t: t.distributed.get_rank(),
        lambda t: t.distributed.barrier(),
        lambda t: t.distributed.destroy_process_group.__name__,
        lambda t: t.nn.parallel.DistributedDataParallel(t.nn.Linear(1, 1)),
        lambda t: t.get_float32_matmul_precision(),
        lambda t: t.are_deterministic_algorithms_enabled(),
        lambda t: t.set_num_threads(0),
        lambda t: t.jit.is_scripting(),
        lambda t: t.amp.GradScaler("cuda", enabled=False).is_enabled(),
        lambda t: t.amp.GradScaler("cuda", enabled=False).state_dict(),
        lambda t: t.finfo(t.int32),
        lambda t: t.iinfo(t.float32),
        lambda t: hasattr(t, "backends"),
        lambda t: t.version.cuda,
        lambda t: t.cuda.Event(enable_timing=True),
        lambda t: t.cuda.Stream(),
        lambda t: t.cuda.CUDAGraph(),
        lambda t: t.cuda.current_stream(),
        lambda t: t.cuda.mem_get_info(),
        lambda t: dict(t.cuda.memory_stats()),
        lambda t: t.cuda.get_rng_state(),
        lambda t: t.cuda.get_rng_state_all(),
        lambda t: t.cuda.set_rng_state_all([]),
        lambda t: t.cuda.get_arch_list(),
        lambda t: t.cuda.init(),
        lambda t: t.cuda.device(-1).__enter__(),
        lambda t: t.cuda.stream(None).__enter__(),
        lambda t: issubclass(t.cuda.OutOfMemoryError, RuntimeError),
        lambda t: t.OutOfMemoryError is t.cuda.OutOfMemoryError,
        lambda t: t.mps.is_available(),
        lambda t: t.mps.synchronize(),
        lambda t: t.xpu.is_available(),
        lambda t: t.xpu.synchronize(),
        lambda t: t.xpu.empty_cache(),
        lambda t: t.cpu.current_device(),
        lambda t: t.cpu.is_available(),
        lambda t: t.compiler.is_compiling(),
        lambda t: t.compiler.disable(abs)(-1),
        lambda t: t.multiprocessing.get_sharing_strategy(),
        lambda t: t.nn.modules.utils._pair(3),
        lambda t: t.nn.modules.utils._reverse_repeat_tuple((1, 2), 2),
        lambda t: t.typename(t.ones(1)),
        lambda t: t.typename(3),
        lambda t: t.is_storage(3),
        lambda t: t.get_deterministic_debug_mode(),
        lambda t: t.set_deterministic_debug_mode(3),
        lambda t: t.set_warn_always(False),
        lambda t: t.is_warn_always_enabled(),
        lambda t: t.random.initial_seed is t.initial_seed,
    ],
)
def test_without_a_gpu_the_answer_is_pytorchs(call: Any) -> None:
    assert outcome(call, ours) == outcome(call, theirs)


def test_a_gpu_cannot_be_chosen() -> None:
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        ours.cuda.set_device("cuda:0")
    ours.cuda.synchronize()  # nothing to wait for; PyTorch would raise


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16"])
def test_finfo_is_pytorchs(name: str) -> None:
    mine, other = ours.finfo(getattr(ours, name)), theirs.finfo(getattr(theirs, name))
    for attribute in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(mine, attribute) == getattr(other, attribute), attribute
    assert repr(mine) == repr(other)


@pytest.mark.parametrize("name", ["int64", "int32", "int16", "int8", "uint8"])
def test_iinfo_is_pytorchs(name: str) -> None:
    mine, other = ours.iinfo(getattr(ours, name)), theirs.iinfo(getattr(theirs, name))
    assert (mine.bits, mine.min, mine.max, mine.dtype) == (other.bits, other.min, other.max, other.dtype)
    assert repr(mine) == repr(other)


def test_autocast_changes_no_result() -> None:
    x = ours.randn(4, 4)
    with ours.autocast(device_type="cpu", dtype=ours.bfloat16):
        inside = x @ x

    @ours.amp.autocast("cpu")
    def product() -> Any:
        return x @ x

    assert inside.dtype is ours.float32
    assert ours.equal(inside, x @ x)
    assert ours.equal(product(), x @ x)
    with ours.cuda.amp.autocast(enabled=True):
        assert ours.equal(x @ x, inside)


def test_autocast_for_cuda_warns_as_pytorch_does() -> None:
    for torch in BOTH:
        with pytest.warns(UserWarning, match="CUDA is not available"), torch.autocast(device_type="cuda"):
            pass
        with pytest.raises(RuntimeError, match=r"Expected one of cpu, cuda, .*: gpu"):
            torch.autocast("gpu")


def test_the_scaler_passes_losses_and_steps_through() -> None:
    weight = ours.nn.Parameter(ours.ones(2))
    optimizer = ours.optim.SGD([weight], lr=0.5)
    scaler = ours.cuda.amp.GradScaler(enabled=True)
    scaler.scale(weight.sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    scaler.load_state_dict({})
    assert weight.tolist() == [0.5, 0.5]
    assert scaler.get_scale() == 1.0


def test_compile_gives_back_what_it_is_given() -> None:
    model = ours.nn.Linear(2, 2)
    assert ours.compile(model) is model

    @ours.compile
    def one() -> int:
        return 1

    def two() -> int:
        return 2

    two = ours.compile(mode="max-autotune", fullgraph=True)(two)

    @ours.jit.script
    def three() -> int:
        return 3

    assert (one(), two(), three()) == (1, 2, 3)


def test_switches_can_be_set_and_asked() -> None:
    ours.backends.cuda.matmul.allow_tf32 = True
    ours.backends.cudnn.benchmark = True
    ours.set_float32_matmul_precision("high")
    ours.use_deterministic_algorithms(True, warn_only=True)
    try:
        assert ours.backends.cuda.matmul.allow_tf32
        assert ours.backends.cudnn.benchmark
        assert ours.get_float32_matmul_precision() == "high"
        assert ours.are_deterministic_algorithms_enabled()
        assert ours.is_deterministic_algorithms_warn_only_enabled()
        with ours.backends.cuda.sdp_kernel(enable_flash=False):
            assert not ours.backends.cuda.flash_sdp_enabled()
        assert ours.backends.cuda.flash_sdp_enabled()
    finally:
        ours.backends.cuda.matmul.allow_tf32 = False
        ours.backends.cudnn.benchmark = False
        ours.set_float32_matmul_precision("highest")
        ours.use_deterministic_algorithms(False)
    with pytest.warns(UserWarning, match="not one of 'highest'"):
        ours.set_float32_matmul_precision("low")
    assert ours.get_float32_matmul_precision() == "highest"


def test_the_number_of_threads_can_be_set() -> None:
    before = ours.get_num_threads()
    ours.set_num_threads(1)
    assert ours.get_num_threads() == 1
    ours.set_num_threads(before)
    assert ours.get_num_threads() == before


def test_the_version_says_whose_behaviour_and_whose_engine() -> None:
    assert ours.__version__.startswith("2.13.0+gradus.")
    assert [int(part) for part in ours.__version__.split("+")[0].split(".")] >= [2, 0, 0]


def test_a_module_that_is_absent_does_not_pass_off_another_modules_names_as_its_own() -> None:
    torch: Any = ours
    assert torch.nn.modules.conv.Conv2d is torch.nn.Conv2d
    for use in (lambda: torch.masked.sum(torch.ones(2)), lambda: torch.nn.quantized.Linear(2, 2)):
        with pytest.raises(NotImplementedError, match=r"^gradus's engine does not support torch\.(masked|nn\.quant)"):
            use()  # type: ignore[no-untyped-call]


def test_a_name_that_is_absent_says_so() -> None:
    with pytest.raises(AttributeError, match=r"^gradus's engine does not support torch\.sparse_cool$"):
        getattr(ours, "sparse_cool")  # noqa: B009
    with pytest.raises(AttributeError, match=r"does not support torch\.zeroes; did you mean torch\.zeros\?"):
        getattr(ours, "zeroes")  # noqa: B009
    with pytest.raises(AttributeError, match=r"^gradus's engine does not support torch\.lobpcg, which PyTorch has$"):
        getattr(ours, "lobpcg")  # noqa: B009
    with pytest.raises(AttributeError, match=r"not support torch\.nn\.functional\.native_channel_shuffle, which "):
        getattr(ours.nn.functional, "native_channel_shuffle")  # noqa: B009
    with pytest.raises(AttributeError, match=r"does not support torch\.Tensor\.sparse_mask, which PyTorch has$"):
        getattr(ours.ones(1), "sparse_mask")  # noqa: B009
    with pytest.raises(AttributeError, match=r"^'Tensor' object has no attribute 'sparse_maks'$"):
        getattr(ours.ones(1), "sparse_maks")  # noqa: B009
    assert "sparse_mask" not in dir(ours.ones(1))
    assert "view" in dir(ours.ones(1))
    with pytest.raises(AttributeError, match=r"does not support torch\.nn\.Module\.share_memory, which PyTorch has$"):
        ours.nn.Linear(1, 1).share_memory  # noqa: B018
    with pytest.raises(AttributeError, match=r"^'Linear' object has no attribute 'wieght'$"):
        ours.nn.Linear(1, 1).wieght  # noqa: B018
    assert not hasattr(ours, "lobpcg")


# ---- one process


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    ours.distributed.init_process_group(backend="gloo")
    yield ours.distributed
    if ours.distributed.is_initialized():
        ours.distributed.destroy_process_group()


def test_in_a_group_of_one_everything_is_already_there(group: Any) -> None:
    x = ours.tensor([1.0, 2.0])
    group.all_reduce(x, op=group.ReduceOp.AVG)
    assert group.all_reduce(x, op=group.ReduceOp.SUM, async_op=True).wait()
    group.broadcast(x, src=0)
    group.barrier()
    assert x.tolist() == [1.0, 2.0]
    found = [ours.zeros(2)]
    group.all_gather(found, x)
    assert found[0].tolist() == [1.0, 2.0]
    objects = [None]
    group.all_gather_object(objects, {"a": 1})
    assert objects == [{"a": 1}]
    assert (group.get_rank(), group.get_world_size(), group.get_backend()) == (0, 1, "gloo")
    with pytest.raises(ValueError, match="twice"):
        group.init_process_group("gloo", rank=0, world_size=1)
    group.destroy_process_group()
    assert not group.is_initialized()


@pytest.mark.usefixtures("group")
def test_ddp_wraps_a_model_and_trains_it() -> None:
    model = ours.nn.Linear(2, 1)
    wrapped = ours.nn.parallel.DistributedDataParallel(model, device_ids=[0])
    x = ours.ones(3, 2)
    with wrapped.no_sync():
        assert not wrapped.require_backward_grad_sync
        wrapped(x).sum().backward()
    assert wrapped.require_backward_grad_sync
    assert wrapped.module is model
    assert model.weight.grad is not None
    assert model.weight.grad.tolist() == [[3.0, 3.0]]
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
    assert ours.equal(ours.nn.parallel.DataParallel(model)(x), model(x))


def test_a_group_of_several_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(RuntimeError, match="process 1 of 4"):
        ours.distributed.init_process_group("gloo")
    with pytest.raises(RuntimeError, match="NCCL"):
        ours.distributed.init_process_group("nccl", rank=0, world_size=1)
    assert not ours.distributed.is_available()


def test_without_torchrun_the_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=r"environment variable .* expected, but not set"):
        ours.distributed.init_process_group("gloo")


# ---- checkpoint and profiler


def test_checkpoint_gives_the_same_gradients() -> None:
    x = ours.randn(3, requires_grad=True)
    ours.utils.checkpoint.checkpoint(lambda a: (a * a).sum(), x, use_reentrant=False).backward()
    assert x.grad is not None
    assert ours.equal(x.grad, 2 * x.detach())
    assert ours.utils.checkpoint.checkpoint_sequential([abs, float], 2, -3) == 3.0


@pytest.mark.parametrize(
    "options",
    [
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 1, "active": 1, "repeat": 2, "skip_first": 3},
        {"wait": 2, "warmup": 1, "active": 3, "repeat": 1, "skip_first": 1, "skip_first_wait": 1},
    ],
)
def test_the_profilers_schedule_is_pytorchs(options: dict[str, int]) -> None:
    mine, other = ours.profiler.schedule(**options), theirs.profiler.schedule(**options)
    assert [mine(step).name for step in range(30)] == [other(step).name for step in range(30)]
    with pytest.raises(AssertionError):
        ours.profiler.schedule(**{**options, "active": 0})


def profiled(torch: Any, folder: Path) -> tuple[list[list[str]], list[str]]:
    """Which steps each cycle's trace holds, and what the traces' files are called at the end."""
    cycles: list[list[str]] = []
    write = torch.profiler.tensorboard_trace_handler(str(folder))

    def ready(profile: Any) -> None:
        cycles.append(sorted(e.key for e in profile.key_averages() if e.key.startswith(("ProfilerStep", "my "))))
        write(profile)

    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU],
        schedule=torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=2),
        on_trace_ready=ready,
    ) as profile:
        for _ in range(10):
            with torch.profiler.record_function("my range"):
                torch.ones(2).sum()
            profile.step()
    return cycles, [path.name.split(".", 1)[1].split(".", 1)[1] for path in sorted(folder.iterdir())]


def test_the_profiler_hands_over_pytorchs_cycles(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = profiled(theirs, tmp_path / "theirs")
    found = profiled(ours, tmp_path / "ours")
    assert found == expected
    assert found[0][0] == ["ProfilerStep*", "my range"]
    trace = json.loads(min((tmp_path / "ours").iterdir()).read_text())
    assert {event["name"] for event in trace["traceEvents"]} == {"ProfilerStep#2", "ProfilerStep#3", "my range"}
    assert all(event["dur"] >= 0 and event["pid"] == os.getpid() for event in trace["traceEvents"])


def test_the_profilers_table_counts_ranges() -> None:
    with ours.profiler.profile() as profile:
        for _ in range(3):
            with ours.profiler.record_function("work"):
                pass

        @ours.profiler.record_function("function")
        def function() -> None:
            pass

        function()
    counts = {average.key: average.count for average in profile.key_averages()}
    assert counts == {"work": 3, "function": 1}
    lines = profile.key_averages().table(sort_by="cpu_time_total").splitlines()
    assert lines[0].split() == ["Name", "CPU", "total", "CPU", "time", "avg", "#", "of", "Calls"]
    assert sorted(line.split()[-1] for line in lines[1:]) == ["1", "3"]
