"""Configuration of Kyutai's speech-to-text."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class KyutaiSpeechToTextConfig(PretrainedConfig):
    """Sizes and switches; the defaults are those of stt-2.6b-en."""

    model_type = "kyutai_speech_to_text"

    codebook_vocab_size: int = 2049
    vocab_size: int = 4001
    hidden_size: int = 2048
    num_hidden_layers: int = 48
    num_attention_heads: int = 32
    num_key_value_heads: int | None = None
    max_position_embeddings: int = 750
    rope_theta: float = 100000.0
    hidden_act: str = "silu"
    head_dim: int | None = None
    initializer_range: float = 0.02
    use_cache: bool = True
    sliding_window: int | None = 375
    attention_dropout: float = 0.0
    ffn_dim: int = 11264
    rms_norm_eps: float = 1e-8
    num_codebooks: int = 32
    audio_bos_token_id: int = 2048
    audio_pad_token_id: int = 69569
    tie_word_embeddings: bool = False
    pad_token_id: int | None = 3
    bos_token_id: int | None = 48000
    codec_config: PretrainedConfig = sub_config("mimi")

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads

    def check(self) -> Iterator[tuple[str, str]]:
        if self.ffn_dim % 2:
            yield "ffn_dim", "must be even"
        if self.num_codebooks > self.codec_config.num_quantizers:
            yield "num_codebooks", "must be at most codec_config.num_quantizers"
