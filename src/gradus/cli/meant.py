"""What users of other tools type. A name that means the same as one of ours, in the same unit, is accepted in its
place; one that means nearly the same, or something we do in another way, is answered with what to type."""

from __future__ import annotations

# Accepted: a flag of another tool, or an earlier one of ours -> the flag, in each verb that has it.
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
    "run": "out",
    "json": "out",
}

_LAYERS = dict.fromkeys(["layers", "num-layers", "n-layers", "num-hidden-layers", "depth", "blocks"], "--n-layer")
_HEADS = dict.fromkeys(["heads", "num-heads", "n-heads", "num-attention-heads"], "--n-head")
_WIDTH = dict.fromkeys(["hidden-size", "d-model", "dim", "width", "n-embed", "embedding-dim"], "--n-embd")
_CONTEXT = dict.fromkeys(
    ["context-length", "context-size", "seq-len", "sequence-length", "max-seq-len", "max-length", "length"],
    "--block-size",
)
_EPOCHS = dict.fromkeys(["epochs", "num-epochs", "num-train-epochs"], "--steps or --minutes")
_TIME = dict.fromkeys(["time", "hours", "seconds", "max-minutes"], "--minutes")
_DEVICE = dict.fromkeys(
    ["device", "gpu", "cuda", "cpu"], "gradus --backend torch for PyTorch; gradus's own engine computes on the CPU"
)
_SEED = dict.fromkeys(["random-seed", "manual-seed", "random-state"], "--seed")

# Answered: verb -> flag -> what to type. The flags in it are flags of that verb, or follow `gradus`.
MEANT: dict[str, dict[str, str]] = {
    "train": {
        **_LAYERS,
        **_HEADS,
        **_WIDTH,
        **_CONTEXT,
        **_EPOCHS,
        **_TIME,
        **_DEVICE,
        **_SEED,
        **dict.fromkeys(["eval-interval", "eval-steps", "eval-every"], "--evaluations, how many there are in all"),
        "eval-iters": "--evaluations; each is over the whole dev split",
        "min-lr": "--min-lr-ratio, a fraction of the learning rate",
        **dict.fromkeys(["warmup-iters", "warmup-steps", "warmup-ratio"], "--warmup, a fraction of the budget"),
        **dict.fromkeys(["scheduler", "lr-scheduler", "lr-scheduler-type", "decay-lr"], "--schedule"),
        **dict.fromkeys(["max-grad-norm", "clip", "gradient-clipping"], "--grad-clip"),
        "early-stopping": "--patience",
        **dict.fromkeys(["init-from", "resume-from-checkpoint", "checkpoint", "continue"], "--resume RUN"),
        **dict.fromkeys(["dataset", "data", "input-file", "corpus", "text"], "gradus train CORPUS, without a flag"),
        **dict.fromkeys(["name", "run-name", "work-dir", "save-dir"], "--out"),
        **dict.fromkeys(["type", "arch", "architecture"], "--model"),
        **dict.fromkeys(["html", "report", "plot"], "--page"),
    },
    "climb": {
        **_TIME,
        **_DEVICE,
        **_SEED,
        **dict.fromkeys(["models", "only", "type"], "--model"),
        **dict.fromkeys(["dataset", "data", "corpus"], "gradus climb CORPUS, without a flag"),
    },
    "sample": {
        **_DEVICE,
        **_SEED,
        **dict.fromkeys(["start", "text", "begin"], "--prompt"),
        "temp": "--temperature",
        "greedy": "--temperature 0",
        "do-sample": "--temperature 0 for the most likely text, or a higher one",
        "nucleus": "--top-p",
        **dict.fromkeys(["samples", "count", "number", "num-return-sequences"], "--num"),
        **dict.fromkeys(["max-length", "max-tokens", "tokens", "characters"], "--length"),
        "out": "gradus sample RUN > FILE",
    },
    "eval": {
        **_DEVICE,
        **dict.fromkeys(["part", "on"], "--split"),
        **dict.fromkeys(["dev", "val", "test", "train"], "--split"),
        "window": "--sliding",
    },
    "compare": _DEVICE,
    "page": _DEVICE,
}

# Answered: verb of another tool -> what to type after `gradus`.
VERBS_MEANT = {
    **dict.fromkeys(["generate", "write", "predict", "chat", "complete"], "sample RUN"),
    **dict.fromkeys(["evaluate", "test", "score", "validate"], "eval RUN"),
    **dict.fromkeys(["fit", "pretrain", "finetune", "learn"], "train"),
    **dict.fromkeys(["resume", "continue"], "train --resume RUN"),
    **dict.fromkeys(["report", "plot", "html", "show", "view"], "page RUN"),
    **dict.fromkeys(["list", "ls", "history", "models"], "runs"),
    **dict.fromkeys(["diff", "vs"], "compare RUN RUN"),
    **dict.fromkeys(["benchmark", "speed", "perf"], "bench"),
    **dict.fromkeys(["graph", "visualize"], "draw EXPRESSION"),
    **dict.fromkeys(["corpora", "dataset", "datasets", "download", "corpus"], "data"),
    **dict.fromkeys(["exec", "python", "notebook"], "run FILE"),
    **dict.fromkeys(["ladder", "all"], "climb"),
    "help": "--help",
    "version": "--version",
}
