"""`gradus bench`: our engine beside PyTorch, compiled PyTorch and micrograd, on this machine.

Every contestant works in a process of its own (`worker`), because two thread pools in one process disturb each other.
The parent (`contestant`) speaks JSON lines with it and wakes one at a time. What there is to measure is in `rows`, how
in `rounds`, `memory`, `busy` and `start`; the works themselves, written once for both backends, in `lectures`,
`transformers` and `operations`.
"""
