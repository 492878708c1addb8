"""Configuration of Moshi."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class MoshiDepthConfig(PretrainedConfig):
    """Sizes and switches of the decoder over the codebooks of a frame; the defaults are those of moshiko."""

    model_type = "moshi_depth"
    base_config_key = "depth_decoder_config"

    vocab_size: int = 32000
    hidden_size: int = 1024
    input_size: int = 4096
    num_hidden_layers: int = 6
    num_attention_heads: int = 16
    num_key_value_heads: int | None = None
    audio_vocab_size: int = 2048
    max_position_embeddings: int = 9
    hidden_act: str = "silu"
    head_dim: int | None = None
    initializer_range: float = 0.02
    use_cache: bool = True
    sliding_window: int | None = 8
    attention_dropout: float = 0.0
    ffn_dim: int = 5632
    rms_norm_eps: float = 1e-8
    num_codebooks: int = 8
    tie_word_embeddings: bool = False

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads


class MoshiConfig(PretrainedConfig):
    """Sizes and switches of the language model, its depth decoder and codec; the defaults are of moshiko."""

    model_type = "moshi"

    vocab_size: int = 32000
    hidden_size: int = 4096
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    audio_vocab_size: int | None = None
    max_position_embeddings: int = 3000
    rope_theta: float = 10000.0
    hidden_act: str = "silu"
    head_dim: int | None = None
    initializer_range: float = 0.02
    use_cache: bool = True
    sliding_window: int | None = 3000
    attention_dropout: float = 0.0
    ffn_dim: int = 22528
    rms_norm_eps: float = 1e-8
    num_codebooks: int = 8
    tie_word_embeddings: bool = False
    audio_encoder_config: PretrainedConfig = sub_config("mimi")
    depth_decoder_config: MoshiDepthConfig = sub_config(MoshiDepthConfig, fixed=True)

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
        if self.audio_vocab_size is None:
            self.audio_vocab_size = getattr(self.audio_encoder_config, "codebook_size", None)

    def check(self) -> Iterator[tuple[str, str]]:
        if self.ffn_dim % 2:
            yield "ffn_dim", "must be even"
