"""Configuration of wav2vec 2.0 with a Conformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_audio.wav2vec2.config import Wav2Vec2Config


class Wav2Vec2ConformerConfig(Wav2Vec2Config):
    """Sizes and switches; the defaults are those of wav2vec2-conformer-rel-pos-large, but for the width."""

    model_type = "wav2vec2-conformer"
    attribute_map = {  # the names by which the Conformer's layers ask
        "speech_encoder_attention_heads": "num_attention_heads",
        "speech_encoder_dropout": "hidden_dropout",
        "speech_encoder_hidden_act": "hidden_act",
        "speech_encoder_intermediate_size": "intermediate_size",
    }

    vocab_size: int | None = None
    position_embeddings_type: str | None = "relative"
    rotary_embedding_base: int = 10000
    max_source_positions: int = 5000
    conv_depthwise_kernel_size: int = 31
    conformer_conv_dropout: float = 0.1

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.position_embeddings_type not in ("relative", "rotary", None):
            yield "position_embeddings_type", "must be 'relative', 'rotary' or null"
        if self.conv_depthwise_kernel_size % 2 == 0:
            yield "conv_depthwise_kernel_size", "must be odd"
