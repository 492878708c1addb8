"""Configurations of CLVP."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class ClvpEncoderConfig(PretrainedConfig):
    """Of the encoder of text, or of speech tokens; the defaults are those of Tortoise's."""

    model_type = "clvp_encoder"
    base_config_key = "text_config"

    vocab_size: int = 256
    hidden_size: int = 768
    intermediate_size: int = 1536
    projection_dim: int = 768
    num_hidden_layers: int = 20
    num_attention_heads: int = 12
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.1
    dropout: float = 0.1
    use_rotary_embedding: bool = True
    use_attention_bias: bool = False
    summary_type: str = "mean"
    initializer_factor: float = 1.0
    bos_token_id: int | None = 255
    eos_token_id: int | list[int] | None = 0


class ClvpDecoderConfig(PretrainedConfig):
    """Of the decoder that writes speech tokens, and of what it is conditioned by."""

    model_type = "clvp_decoder"
    base_config_key = "decoder_config"

    vocab_size: int = 8194
    max_position_embeddings: int = 608
    max_text_tokens: int = 404
    hidden_size: int = 1024
    num_hidden_layers: int = 30
    num_attention_heads: int = 16
    n_inner: int | None = None
    num_mel_attn_blocks: int = 6
    activation_function: str = "gelu_new"
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    attention_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-5
    initializer_range: float = 0.02
    summary_type: str = "cls_index"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1
    use_cache: bool = True
    bos_token_id: int | None = 8192
    eos_token_id: int | list[int] | None = 8193
    feature_size: int = 80
    use_attention_bias: bool = True
    initializer_factor: float = 1.0
    decoder_fixing_codes: list[int] = field([83, 45, 45, 248])

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.decoder_fixing_codes) != 4:
            yield "decoder_fixing_codes", "must be four tokens"


class ClvpConfig(PretrainedConfig):
    """Of CLVP whole."""

    model_type = "clvp"

    text_config: ClvpEncoderConfig = sub_config(ClvpEncoderConfig, fixed=True)
    speech_config: ClvpEncoderConfig = sub_config(ClvpEncoderConfig, fixed=True)
    decoder_config: ClvpDecoderConfig = sub_config(ClvpDecoderConfig, fixed=True)
    projection_dim: int = 768
    logit_scale_init_value: float = 2.6592
    initializer_factor: float = 1.0

    @classmethod
    def from_sub_model_configs(
        cls,
        text_config: ClvpEncoderConfig,
        speech_config: ClvpEncoderConfig,
        decoder_config: ClvpDecoderConfig,
        **values: object,
    ) -> ClvpConfig:
        """The configs of the parts as one."""
        parts = {"text_config": text_config, "speech_config": speech_config}
        return cls(**parts, decoder_config=decoder_config, **values)  # type: ignore[arg-type]
