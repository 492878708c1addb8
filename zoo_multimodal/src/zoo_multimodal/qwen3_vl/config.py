"""Configurations of Qwen3-VL and its image tower."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class Qwen3VLVisionConfig(PretrainedConfig):
    """Sizes of the image tower, whose features have width `out_hidden_size`.

    Positions are a square table of `num_position_embeddings`. What layers `deepstack_visual_indexes` see goes
    to the first layers of the language model.
    """

    model_type = "qwen3_vl"
    base_config_key = "vision_config"
    heads_divide_width = False

    depth: int = 27
    hidden_size: int = 1152
    hidden_act: str = "gelu_pytorch_tanh"
    intermediate_size: int = 4304
    num_heads: int = 16
    in_channels: int = 3
    patch_size: int = 16
    spatial_merge_size: int = 2
    temporal_patch_size: int = 2
    out_hidden_size: int = 3584
    num_position_embeddings: int = 2304
    initializer_range: float = 0.02
    deepstack_visual_indexes: list[int] = field([8, 16, 24])

    def check(self) -> Iterator[tuple[str, str]]:
        if int(self.num_position_embeddings**0.5) ** 2 != self.num_position_embeddings:
            yield "num_position_embeddings", "must be a square number"
        if any(not 0 <= index < self.depth for index in self.deepstack_visual_indexes):
            yield "deepstack_visual_indexes", f"must be layers, from 0 to {self.depth - 1}"


class Qwen3VLConfig(PretrainedConfig):
    """An image tower and a language model, and the tokens that stand for what the tower sees."""

    model_type = "qwen3_vl"

    vision_config: Qwen3VLVisionConfig = sub_config(Qwen3VLVisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("qwen3_vl_text")
    image_token_id: int = 151655
    video_token_id: int = 151656
    vision_start_token_id: int = 151652
    vision_end_token_id: int = 151653
    tie_word_embeddings: bool = False
