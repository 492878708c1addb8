"""Configuration of MM Grounding DINO."""

from __future__ import annotations

from zoo_multimodal.grounding_dino.config import GroundingDinoSizes


class MMGroundingDinoConfig(GroundingDinoSizes):
    """Sizes and switches of an MM Grounding DINO; each layer of the decoder has heads of its own."""

    model_type = "mm-grounding-dino"
