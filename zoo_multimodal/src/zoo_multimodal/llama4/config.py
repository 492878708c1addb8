"""Configurations of Llama 4 and its image tower."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class Llama4VisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower; `intermediate_size` is also the width of a joined square.

    pixel_shuffle_ratio: edge of the grid of features to that of patches. Neither hidden_act nor norm_eps is
    read: activations are GELU and norms add 1e-5, as in the published models.
    """

    model_type = "llama4_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    hidden_act: str = "gelu"
    num_hidden_layers: int = 34
    num_attention_heads: int = 16
    num_channels: int = 3
    intermediate_size: int = 5632
    vision_output_dim: int = 7680
    image_size: int = 448
    patch_size: int = 14
    norm_eps: float = 1e-5
    vision_feature_select_strategy: str = "default"
    initializer_range: float = 0.02
    pixel_shuffle_ratio: float = 0.5
    projector_input_dim: int = 4096
    projector_output_dim: int = 4096
    multi_modal_projector_bias: bool = False
    projector_dropout: float = 0.0
    attention_dropout: float = 0.0
    rope_theta: float = 10000.0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_size % (4 * self.num_attention_heads):
            yield "hidden_size", "must be a multiple of 4 * num_attention_heads: pairs turn by row and column"


class Llama4Config(PretrainedConfig):
    """Both parts, and the tokens that stand for images."""

    model_type = "llama4"
    attribute_map = {
        "image_token_id": "image_token_index",
        "boi_token_id": "boi_token_index",
        "eoi_token_id": "eoi_token_index",
    }

    vision_config: Llama4VisionConfig = sub_config(Llama4VisionConfig)
    text_config: PretrainedConfig = sub_config("llama4_text")
    boi_token_index: int = 200080
    eoi_token_index: int = 200081
    image_token_index: int = 200092
    tie_word_embeddings: bool = False
