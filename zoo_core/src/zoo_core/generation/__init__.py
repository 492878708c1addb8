"""Text generation: `model.generate`."""

from zoo_core.generation.mixin import GenerationMixin

__all__ = ["GenerationMixin"]
