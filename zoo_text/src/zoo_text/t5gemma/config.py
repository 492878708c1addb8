"""Configuration of T5Gemma."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, sub_config
from zoo_text.gemma2.config import Gemma2Config


class T5GemmaModuleConfig(Gemma2Config):
    """Sizes and switches of one stack; they are those of a Gemma 2."""

    model_type = "t5_gemma_module"

    dropout_rate: float = 0.0


class T5GemmaConfig(PretrainedConfig):
    """An encoder and a decoder; rates of dropout hold for both, special tokens are the decoder's."""

    model_type = "t5gemma"

    encoder: T5GemmaModuleConfig = sub_config(T5GemmaModuleConfig, fixed=True)
    decoder: T5GemmaModuleConfig = sub_config(T5GemmaModuleConfig, fixed=True)
    is_encoder_decoder: bool = True
    dropout_rate: float = 0.0
    classifier_dropout_rate: float = 0.0
    attention_dropout: float = 0.0
    tie_word_embeddings: bool = True
    vocab_size: int = 256000
    use_cache: bool = True
    initializer_range: float = 0.02

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        for name in ("bos_token_id", "pad_token_id", "eos_token_id"):
            if name not in values:
                setattr(self, name, getattr(self.decoder, name))

    def __post_init__(self) -> None:
        for part in (self.encoder, self.decoder):
            part.dropout_rate, part.attention_dropout = self.dropout_rate, self.attention_dropout
        self.decoder.is_decoder = True
        self.decoder.cross_attention_hidden_size = self.encoder.hidden_size
