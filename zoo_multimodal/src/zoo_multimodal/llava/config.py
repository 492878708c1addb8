"""Configuration of LLaVA."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class LlavaConfig(PretrainedConfig):
    """A vision tower, a language model, and how one's features become the other's embeddings."""

    model_type = "llava"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "clip_vision_model",
        intermediate_size=4096,
        hidden_size=1024,
        patch_size=14,
        image_size=336,
        num_hidden_layers=24,
        num_attention_heads=16,
        vocab_size=32000,
        projection_dim=768,
    )
    text_config: PretrainedConfig = sub_config("llama")
    image_token_index: int = 32000
    projector_hidden_act: str = "gelu"
    vision_feature_select_strategy: str = "default"
    vision_feature_layer: int | list[int] = -2
    image_seq_length: int = 576
    multimodal_projector_bias: bool = True

    def check(self) -> Iterator[tuple[str, str]]:
        if self.vision_feature_select_strategy not in ("default", "full"):
            yield "vision_feature_select_strategy", "must be 'default' (no class token) or 'full'"
