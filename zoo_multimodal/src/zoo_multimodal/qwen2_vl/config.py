"""Configuration of Qwen2-VL and its image tower."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo_core.config import PretrainedConfig, sub_config
from zoo_core.config.parts import config_class_for


class Qwen2VLVisionConfig(PretrainedConfig):
    """Sizes of the image tower of width `embed_dim`; `hidden_size` is the language model's.

    Patches span `temporal_patch_size` frames, and `spatial_merge_size` squared of them become one feature.
    """

    model_type = "qwen2_vl"
    base_config_key = "vision_config"
    heads_divide_width = False

    depth: int = 32
    embed_dim: int = 1280
    hidden_size: int = 3584
    hidden_act: str = "quick_gelu"
    mlp_ratio: int | float = 4
    num_heads: int = 16
    in_channels: int = 3
    patch_size: int = 14
    spatial_merge_size: int = 2
    temporal_patch_size: int = 2
    initializer_range: float = 0.02


class QwenVLConfig(PretrainedConfig):
    """An image tower and a language model, and the tokens that stand for what the tower sees.

    Files that hold the language model's fields beside the others, without `text_config`, are understood;
    either way those fields can be read here.
    """

    text_type: ClassVar[str]
    """The language model's type."""

    image_token_id: int = 151655
    video_token_id: int = 151656
    vision_start_token_id: int = 151652
    vision_end_token_id: int = 151653

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("text_config") is None:
            known = {*config_class_for(self.text_type).__config_fields__, "torch_dtype"}
            kwargs["text_config"] = {name: value for name, value in kwargs.items() if name in known}
        super().__init__(**kwargs)

    def __getattr__(self, name: str) -> Any:
        text = self.__dict__.get("text_config")
        if name.startswith("_") or text is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(text, name)


class Qwen2VLConfig(QwenVLConfig):
    """Of Qwen2-VL."""

    model_type = "qwen2_vl"
    text_type = "qwen2_vl_text"

    vision_config: Qwen2VLVisionConfig = sub_config(Qwen2VLVisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("qwen2_vl_text")
