"""What programs touch of `torch` that does little on a CPU: devices, mixed precision, one process, compilers."""
