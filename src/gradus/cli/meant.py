"""What users of other tools type. A name that means the same as one of ours, in the same unit, is accepted in its
place; one that means nearly the same, or something we do in another way, is answered with what to type."""

from __future__ import annotations

# Accepted: a flag of another tool -> the flag, in each verb that has it.
ALIASES = {
    "lr": "learning-rate",
    "max-iters": "steps",  # nanoGPT
    "max-steps": "steps",  # makemore, Hugging Face
    "gradient-accumulation-steps": "grad-accumulation",  # nanoGPT, Hugging Face
    "num-samples": "num",  # nanoGPT
    "max-new-tokens": "length",  # nanoGPT, Hugging Face
    "out-dir": "out",  # nanoGPT
    "output-dir": "out",  # Hugging Face
    "output": "out",
}

# Accepted: the same, in one verb only.
ALIASES_OF = {"train": {"run": "out", "from": "init-from"}, "bench": {"json": "out"}}

_GPU = dict.fromkeys(["gpu", "cuda", "cpu"], "--device, and gradus --backend torch for PyTorch")
_DEVICE = dict.fromkeys(
    ["device", "gpu", "cuda", "cpu"], "gradus --backend torch for PyTorch; gradus's own engine computes on the CPU"
)
_SEED = dict.fromkeys(["random-seed", "manual-seed", "random-state"], "--seed")

# Answered: verb -> flag -> what to type. The flags in it are flags of that verb, or follow `gradus`. What other
# libraries call a setting is not here but in `gradus.training.settings`.
MEANT: dict[str, dict[str, str]] = {
    "train": {
        **_GPU,
        **dict.fromkeys(["finetune", "fine-tune", "pretrained", "from-pretrained"], "--init-from RUN"),
        **dict.fromkeys(["resume-from-checkpoint", "checkpoint", "continue"], "--resume RUN"),
        **dict.fromkeys(["dataset", "data", "input-file", "corpus", "text"], "gradus train CORPUS, without a flag"),
        **dict.fromkeys(["name", "run-name", "work-dir", "save-dir"], "--out"),
        **dict.fromkeys(["html", "report", "plot"], "--page"),
    },
    "climb": {
        **_DEVICE,
        **_SEED,
        **dict.fromkeys(["time", "hours", "seconds", "max-minutes"], "--minutes"),
        **dict.fromkeys(["models", "only", "type"], "--model"),
        **dict.fromkeys(["dataset", "data", "corpus"], "gradus climb CORPUS, without a flag"),
    },
    "sample": {
        **_GPU,
        **_SEED,
        **dict.fromkeys(["start", "text", "begin"], "--prompt"),
        "temp": "--temperature",
        "greedy": "--temperature 0",
        "do-sample": "--temperature 0 for the most likely text, or a higher one",
        "nucleus": "--top-p",
        **dict.fromkeys(["repeat-penalty", "penalty"], "--repetition-penalty"),
        **dict.fromkeys(["until", "stop-string", "stop-sequence", "eos"], "--stop"),
        **dict.fromkeys(["chat", "repl"], "--interactive"),
        **dict.fromkeys(["stdin", "file"], "--prompt - < FILE"),
        **dict.fromkeys(["samples", "count", "number", "num-return-sequences"], "--num"),
        **dict.fromkeys(["max-length", "max-tokens", "tokens", "characters"], "--length"),
        "out": "gradus sample RUN > FILE",
    },
    "eval": {
        **_GPU,
        **dict.fromkeys(["part", "on"], "--split"),
        **dict.fromkeys(["dev", "val", "test", "train"], "--split"),
        "window": "--sliding",
    },
    "tokenize": dict.fromkeys(["run", "model", "vocab"], "--tokenizer, which may be a run"),
    "compare": _DEVICE,
    "page": _DEVICE,
}

# Answered: verb of another tool -> what to type after `gradus`.
VERBS_MEANT = {
    **dict.fromkeys(["generate", "write", "predict", "chat", "complete"], "sample RUN"),
    **dict.fromkeys(["evaluate", "test", "score", "validate"], "eval RUN"),
    **dict.fromkeys(["fit", "pretrain"], "train"),
    **dict.fromkeys(["exercises", "exercise", "practice"], "learn"),
    **dict.fromkeys(["finetune", "tune"], "train CORPUS --init-from RUN"),
    **dict.fromkeys(["convert", "save"], "export RUN FOLDER"),
    **dict.fromkeys(["from-pretrained", "load"], "import FOLDER"),
    **dict.fromkeys(["resume", "continue"], "train --resume RUN"),
    **dict.fromkeys(["report", "plot", "html", "show", "view"], "page RUN"),
    **dict.fromkeys(["list", "ls", "history", "models"], "runs"),
    **dict.fromkeys(["diff", "vs"], "compare RUN RUN"),
    **dict.fromkeys(["benchmark", "speed", "perf"], "bench"),
    **dict.fromkeys(["graph", "visualize"], "draw EXPRESSION"),
    **dict.fromkeys(["corpora", "dataset", "datasets", "download", "corpus"], "data"),
    **dict.fromkeys(["exec", "python", "notebook"], "run FILE"),
    **dict.fromkeys(["ladder", "all"], "climb"),
    **dict.fromkeys(["course", "tutorial", "notebooks"], "lessons DIR"),
    "help": "--help",
    "version": "--version",
}
