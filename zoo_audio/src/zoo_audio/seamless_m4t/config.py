"""Configuration of SeamlessM4T."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Self

from zoo_audio.blocks.hifigan_sizes import hifigan_faults
from zoo_core.config import PretrainedConfig, field


class SeamlessConfig(PretrainedConfig):
    """What both versions share: sizes of the text parts, the speech encoder and the vocoder."""

    attribute_map = {"d_model": "hidden_size"}

    vocab_size: int = 256102
    t2u_vocab_size: int = 10082
    hidden_size: int = 1024
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    is_encoder_decoder: bool = True
    encoder_layerdrop: float = 0.05
    decoder_layerdrop: float = 0.05
    activation_function: str = "relu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.0
    scale_embedding: bool = True
    encoder_layers: int = 24
    encoder_ffn_dim: int = 8192
    encoder_attention_heads: int = 16
    decoder_layers: int = 24
    decoder_ffn_dim: int = 8192
    decoder_attention_heads: int = 16
    decoder_start_token_id: int | list[int] | None = 3
    max_new_tokens: int | None = 256
    pad_token_id: int | None = 0
    bos_token_id: int | list[int] | None = 2
    eos_token_id: int | list[int] | None = 3
    # Speech encoder
    speech_encoder_layers: int = 24
    speech_encoder_attention_heads: int = 16
    speech_encoder_intermediate_size: int = 4096
    speech_encoder_hidden_act: str = "swish"
    speech_encoder_dropout: float = 0.0
    add_adapter: bool = True
    speech_encoder_layerdrop: float = 0.1
    feature_projection_input_dim: int = 160
    adaptor_kernel_size: int = 8
    adaptor_stride: int = 8
    adaptor_dropout: float = 0.1
    num_adapter_layers: int = 1
    conv_depthwise_kernel_size: int = 31
    # Text to units
    t2u_bos_token_id: int = 0
    t2u_pad_token_id: int = 1
    t2u_eos_token_id: int = 2
    t2u_encoder_layers: int = 6
    t2u_encoder_ffn_dim: int = 8192
    t2u_encoder_attention_heads: int = 16
    t2u_decoder_layers: int = 6
    t2u_decoder_ffn_dim: int = 8192
    t2u_decoder_attention_heads: int = 16
    # Vocoder
    sampling_rate: int = 16000
    upsample_initial_channel: int = 512
    upsample_rates: list[int] = field([5, 4, 4, 2, 2])
    upsample_kernel_sizes: list[int] = field([11, 8, 8, 4, 4])
    resblock_kernel_sizes: list[int] = field([3, 7, 11])
    resblock_dilation_sizes: list[list[int]] = field([[1, 3, 5], [1, 3, 5], [1, 3, 5]])
    leaky_relu_slope: float = 0.1
    unit_hifi_gan_vocab_size: int = 10000
    unit_embed_dim: int = 1280
    lang_embed_dim: int = 256
    spkr_embed_dim: int = 256
    vocoder_num_langs: int = 36
    vocoder_num_spkrs: int = 200
    variance_predictor_kernel_size: int = 3
    var_pred_dropout: float = 0.5
    vocoder_offset: int = 4
    num_attention_heads: int | None = None
    num_hidden_layers: int | None = None

    def __post_init__(self) -> None:
        if self.num_attention_heads is None:
            self.num_attention_heads = self.decoder_attention_heads
        if self.num_hidden_layers is None:
            self.num_hidden_layers = self.encoder_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if self.conv_depthwise_kernel_size < 1 or self.conv_depthwise_kernel_size % 2 == 0:
            yield "conv_depthwise_kernel_size", "must be odd"
        yield from hifigan_faults(self)

    def of_units(self) -> Self:
        """This config as that of the text-to-unit model: what begins with `t2u_` counts."""
        units = copy.deepcopy(self)
        for name, value in self.to_dict().items():
            if name.startswith("t2u_"):
                setattr(units, name.removeprefix("t2u_"), value)
        return units


class SeamlessM4TConfig(SeamlessConfig):
    """Sizes and switches of a SeamlessM4T; the defaults are those of hf-seamless-m4t-large."""

    model_type = "seamless_m4t"

    max_position_embeddings: int = 1024
    num_conv_pos_embeddings: int = 128
    num_conv_pos_embedding_groups: int = 16
    position_embeddings_type: str | None = "relative"
    rotary_embedding_base: int = 10000
    max_source_positions: int = 4096
    t2u_decoder_start_token_id: int = 2
    t2u_max_new_tokens: int | None = 1024
    t2u_max_position_embeddings: int = 2048

    def check(self) -> Iterator[tuple[str, str]]:
        if self.position_embeddings_type not in (None, "relative", "rotary"):
            yield "position_embeddings_type", "must be 'relative', 'rotary' or null"
        yield from super().check()
