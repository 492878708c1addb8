"""One module per command; see ``zoo_core.cli``."""
