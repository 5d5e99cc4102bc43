"""The settings of PyTorch's compiler, front: what a program sets is kept, and nothing reads it."""

suppress_errors = False
verbose = False
cache_size_limit = 8
recompile_limit = 8
accumulated_cache_size_limit = 256
