"""Configuration of GLPN."""

from __future__ import annotations

from typing import ClassVar

from zoo_vision.segformer.config import MixTransformerConfig


class GLPNConfig(MixTransformerConfig):
    """Sizes and switches of a GLPN: a SegFormer's encoder, and the decoder's."""

    model_type = "glpn"

    decoder_hidden_size: int = 64
    max_depth: float = 10
    head_in_index: int = -1

    reshape_last_stage: ClassVar[bool] = True
