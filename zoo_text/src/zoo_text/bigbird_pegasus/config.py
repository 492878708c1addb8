"""Configuration of BigBird-Pegasus."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.bart.config import BartConfig


class BigBirdPegasusConfig(BartConfig):
    """Sizes and switches; the defaults are those of bigbird-pegasus-large."""

    model_type = "bigbird_pegasus"
    attribute_map = {"attention_probs_dropout_prob": "attention_dropout"}
    num_labels = 2

    vocab_size: int = 96103
    max_position_embeddings: int = 4096
    encoder_layers: int = 16
    decoder_layers: int = 16
    activation_function: str = "gelu_new"
    decoder_start_token_id: int | None = 2
    scale_embedding: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 1
    forced_eos_token_id: int | list[int] | None = None
    attention_type: str = "block_sparse"
    block_size: int = 64
    num_random_blocks: int = 3
    use_bias: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if self.attention_type not in ("block_sparse", "original_full"):
            yield "attention_type", "must be 'block_sparse' or 'original_full'"
