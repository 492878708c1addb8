"""Configuration of SeamlessM4T, version 2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_audio.seamless_m4t.config import SeamlessConfig


class SeamlessM4Tv2Config(SeamlessConfig):
    """Sizes and switches of a SeamlessM4T v2; the defaults are those of seamless-m4t-v2-large."""

    model_type = "seamless_m4t_v2"

    char_vocab_size: int = 10943
    max_position_embeddings: int = 4096
    position_embeddings_type: str | None = "relative_key"
    left_max_position_embeddings: int = 64
    right_max_position_embeddings: int = 8
    speech_encoder_chunk_size: int | None = 20000
    speech_encoder_left_chunk_num: int = 128
    t2u_max_position_embeddings: int = 4096
    t2u_variance_predictor_embed_dim: int = 1024
    t2u_variance_predictor_hidden_dim: int = 256
    t2u_variance_predictor_kernel_size: int = 3
    t2u_variance_pred_dropout: float = 0.5

    def check(self) -> Iterator[tuple[str, str]]:
        if self.position_embeddings_type not in (None, "relative_key"):
            yield "position_embeddings_type", "must be 'relative_key' or null"
        yield from super().check()
