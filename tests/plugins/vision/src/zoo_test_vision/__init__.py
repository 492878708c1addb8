"""A third party's image architectures."""
