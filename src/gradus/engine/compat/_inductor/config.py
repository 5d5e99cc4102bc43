"""The settings of the compiler's back end: they can be set, without effect."""

from types import SimpleNamespace

coordinate_descent_tuning = False
epilogue_fusion = True
fx_graph_cache = True
max_autotune = False
compile_threads = 1
triton = SimpleNamespace(cudagraphs=False, unique_kernel_names=True)
cpp = SimpleNamespace(threads=-1)
cuda = SimpleNamespace()
