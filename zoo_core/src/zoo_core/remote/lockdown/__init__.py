"""The lock-down of a worker process: Landlock, seccomp, namespaces, limits; ctypes only, no torch."""
