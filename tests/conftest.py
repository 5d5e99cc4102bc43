"""What all tests share: random examples have no time limit (a busy machine is no fault of theirs), nor in CI luck."""

import os

from hypothesis import settings

settings.register_profile("gradus", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("gradus")
