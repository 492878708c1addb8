"""Code that ships in a model repository, run in a sandbox."""
