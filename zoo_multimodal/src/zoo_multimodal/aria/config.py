"""Configuration of Aria."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class AriaConfig(PretrainedConfig):
    """An image tower, and a language model of experts.

    `projector_patch_to_query_dict` says how many features an image of so many patches becomes; as JSON has
    it, numbers are strings in files.
    """

    model_type = "aria"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: PretrainedConfig = sub_config("idefics3_vision")
    text_config: PretrainedConfig = sub_config("aria_text", fixed=True)
    image_token_index: int = 9
    vision_feature_layer: int = -1
    projector_patch_to_query_dict: dict[int, int] = field({1225: 128, 4900: 256})
    max_value_projector_patch_to_query_dict: int | None = None
    initializer_range: float = 0.02

    def __init__(
        self, *, projector_patch_to_query_dict: Mapping[Any, int] | None = None, **kwargs: Any
    ) -> None:
        if projector_patch_to_query_dict is not None:
            queries = {int(patches): count for patches, count in projector_patch_to_query_dict.items()}
            kwargs["projector_patch_to_query_dict"] = queries
        super().__init__(**kwargs)

    def __post_init__(self) -> None:
        self.max_value_projector_patch_to_query_dict = max(self.projector_patch_to_query_dict.values())

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.projector_patch_to_query_dict:
            yield "projector_patch_to_query_dict", "must say for one number of patches how many queries"
