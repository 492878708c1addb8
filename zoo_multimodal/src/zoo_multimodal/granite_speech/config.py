"""Configurations of Granite Speech."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class GraniteSpeechEncoderConfig(PretrainedConfig):
    """Sizes and switches of the Conformer; the defaults are those of granite-speech-3.3."""

    model_type = "granite_speech_encoder"
    attribute_map = {"hidden_size": "hidden_dim", "num_hidden_layers": "num_layers"}

    input_dim: int = 160
    num_layers: int = 10
    hidden_dim: int = 1024
    feedforward_mult: int = 4
    num_heads: int = 8
    dim_head: int = 128
    output_dim: int = 42
    context_size: int = 200
    max_pos_emb: int = 512
    dropout: float = 0.1
    conv_kernel_size: int = 15
    conv_expansion_factor: int = 2

    def check(self) -> Iterator[tuple[str, str]]:
        if not 0 < self.context_size <= self.max_pos_emb:
            yield "context_size", "must be from 1 to max_pos_emb"


class GraniteSpeechConfig(PretrainedConfig):
    """A Conformer, a Q-Former over windows of its states, and a language model."""

    model_type = "granite_speech"
    attribute_map = {"audio_token_id": "audio_token_index"}

    text_config: PretrainedConfig = sub_config("granite")
    encoder_config: PretrainedConfig = sub_config("granite_speech_encoder")
    projector_config: PretrainedConfig = sub_config("blip_2_qformer")
    audio_token_index: int = 49155
    initializer_range: float = 0.02
    has_lora_adapter: bool = True
    downsample_rate: int = 5
    window_size: int = 15

    def check(self) -> Iterator[tuple[str, str]]:
        if self.downsample_rate < 1 or self.window_size % self.downsample_rate:
            yield "window_size", "must be a multiple of downsample_rate"
