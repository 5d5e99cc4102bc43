"""Training: configuration, schedules, the loop, checkpoints and logs. `set_up_new`, `create_run` and `train_setup`
are the way through it."""

from gradus.training.begin import create_run, set_up_new, train_setup
from gradus.training.checkpoint import load_weights, weights
from gradus.training.config import TrainConfig
from gradus.training.find_lr import Sweep, find_learning_rate
from gradus.training.folder import RUNS, new_run_folder
from gradus.training.hardware import Hardware
from gradus.training.loop import is_counting, train
from gradus.training.merging import merge_run
from gradus.training.mixing import set_up_mixture
from gradus.training.prepare import Setup, model_settings, set_up, slides, sliding_stride, with_budget
from gradus.training.progress import show_progress
from gradus.training.recipes import RECIPES
from gradus.training.reopen import labels_of, load_model, reopen, reopen_to_resume, tokenizer_of, write_beginning
from gradus.training.run import SAMPLES, TOKENIZER, RunFolder, runs_in
from gradus.training.settings import read_toml, settings_of
from gradus.training.state import Report, TrainResult, progress_of

__all__ = [
    "RECIPES",
    "RUNS",
    "SAMPLES",
    "TOKENIZER",
    "Hardware",
    "Report",
    "RunFolder",
    "Setup",
    "Sweep",
    "TrainConfig",
    "TrainResult",
    "create_run",
    "find_learning_rate",
    "is_counting",
    "labels_of",
    "load_model",
    "load_weights",
    "merge_run",
    "model_settings",
    "new_run_folder",
    "progress_of",
    "read_toml",
    "reopen",
    "reopen_to_resume",
    "runs_in",
    "set_up",
    "set_up_mixture",
    "set_up_new",
    "settings_of",
    "show_progress",
    "slides",
    "sliding_stride",
    "tokenizer_of",
    "train",
    "train_setup",
    "weights",
    "with_budget",
    "write_beginning",
]
