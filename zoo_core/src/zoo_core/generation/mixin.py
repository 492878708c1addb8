"""What gives a model its `generate`."""

from __future__ import annotations


class GenerationMixin:
    """Mixin of models whose head scores the next token."""
