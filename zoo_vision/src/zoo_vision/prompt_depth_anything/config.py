"""Configuration of Prompt Depth Anything."""

from __future__ import annotations

from zoo_vision.depth_anything.config import DepthAnythingConfig


class PromptDepthAnythingConfig(DepthAnythingConfig):
    """Sizes and switches: those of Depth Anything."""

    model_type = "prompt_depth_anything"
