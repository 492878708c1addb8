"""The processes of the sandbox: the zygote that forks, and the worker that runs code of a repository."""
