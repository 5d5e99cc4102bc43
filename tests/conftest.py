"""What all tests share: random examples have no time limit (a busy machine is no fault of theirs), nor in CI luck.

Ctrl-C is as at a terminal: a shell starts background jobs with SIGINT ignored, and so would be what the tests start.
What PyTorch says of a GPU that is not there depends on how PyTorch was built: it is compared with a build for CPUs.
"""

import importlib.util
import os
import signal

import pytest
from hypothesis import settings

settings.register_profile("gradus", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("gradus")
os.environ["TERM"] = "xterm"  # what is shown in a terminal does not depend on the one that the tests are run in
signal.signal(signal.SIGINT, signal.default_int_handler)

ABOUT_A_BUILD_FOR_CPUS = (
    "test_autograd.py::test_error_has_pytorchs_type_and_words[cuda",
    "test_creation.py::test_made_as_in_pytorch[no cuda]",
    "test_nn_module.py::test_misuse_is_refused_in_pytorchs_words[cuda",
    "test_shims.py::test_without_a_gpu_the_answer_is_pytorchs",
    "test_tensor_types.py::test_old_names_give_what_pytorch_gives",
    "test_tensor_types.py::test_the_default_tensor_type_is_that_of_new_floats",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("torch") is None or importlib.import_module("torch").version.cuda is None:
        return
    skip = pytest.mark.skip(reason="compares with a PyTorch that was built for CPUs")
    for item in items:
        if any(part in item.nodeid for part in ABOUT_A_BUILD_FOR_CPUS):
            item.add_marker(skip)
