"""A third party's package of architectures."""
