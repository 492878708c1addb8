"""Configuration of LLaVA-OneVision."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_multimodal.llava_next.config import LlavaNextConfig
from zoo_multimodal.llava_onevision.geometry import largest_area


class LlavaOnevisionConfig(LlavaNextConfig):
    """As of LLaVA-NeXT; by `vision_aspect_ratio` "anyres_max_N" a map has the area of N tiles at most."""

    model_type = "llava_onevision"
    attribute_map = {"image_token_id": "image_token_index", "video_token_id": "video_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "siglip_vision_model",
        hidden_size=1152,
        intermediate_size=4304,
        patch_size=14,
        image_size=384,
        num_hidden_layers=26,
        num_attention_heads=16,
        vision_use_head=False,
    )
    text_config: PretrainedConfig = sub_config("qwen2")
    image_token_index: int = 151646
    video_token_index: int = 151647
    vision_feature_select_strategy: str = "full"
    vision_feature_layer: int | list[int] = -1
    vision_aspect_ratio: str = "anyres_max_9"
    image_grid_pinpoints: list[list[int]] = field(
        [[384 * rows, 384 * columns] for rows in range(1, 7) for columns in range(1, 7)]
    )

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if largest_area(self.vision_aspect_ratio) is None:
            yield "vision_aspect_ratio", "must be 'anyres_max_' and a number, such as 'anyres_max_9'"
