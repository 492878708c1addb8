"""Configuration of PerceptionLM."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class PerceptionLMConfig(PretrainedConfig):
    """A Perception Encoder by timm's name, and a language model.

    vision_use_cls_token: the encoder has a class token, which is left out. projector_pooling_ratio: edge of
    the squares of features that are averaged.
    """

    model_type = "perception_lm"

    vision_config: PretrainedConfig = sub_config("timm_wrapper")
    text_config: PretrainedConfig = sub_config("llama")
    vision_use_cls_token: bool = True
    projector_pooling_ratio: int = 1
    image_token_id: int = 128002
    video_token_id: int = 128003

    def check(self) -> Iterator[tuple[str, str]]:
        if self.projector_pooling_ratio < 1:
            yield "projector_pooling_ratio", "must be at least 1"
