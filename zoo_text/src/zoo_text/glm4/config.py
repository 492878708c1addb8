"""Configuration of GLM-4-0414."""

from __future__ import annotations

from zoo_text.glm.config import GlmConfig


class Glm4Config(GlmConfig):
    """Sizes and switches of GLM-4-0414."""

    model_type = "glm4"
