"""Configurations of CLIPSeg and its towers."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import field, sub_config
from zoo_multimodal.clip.config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig


class CLIPSegTextConfig(CLIPTextConfig):
    """Sizes and switches of the text tower."""

    model_type = "clipseg_text_model"


class CLIPSegVisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "clipseg_vision_model"


class CLIPSegConfig(CLIPConfig):
    """Both towers, and the decoder over the states after the image tower's `extract_layers`."""

    model_type = "clipseg"

    text_config: CLIPSegTextConfig = sub_config(CLIPSegTextConfig)
    vision_config: CLIPSegVisionConfig = sub_config(CLIPSegVisionConfig)
    extract_layers: list[int] = field([3, 6, 9])
    reduce_dim: int = 64
    decoder_num_attention_heads: int = 4
    decoder_attention_dropout: float = 0.0
    decoder_hidden_act: str = "quick_gelu"
    decoder_intermediate_size: int = 2048
    conditional_layer: int = 0
    use_complex_transposed_convolution: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if any(not 0 <= i < self.vision_config.num_hidden_layers for i in self.extract_layers):
            yield "extract_layers", f"must count the {self.vision_config.num_hidden_layers} layers from 0"
