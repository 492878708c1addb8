"""Configuration of PEGASUS-X."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.pegasus.config import PegasusConfig


class PegasusXConfig(PegasusConfig):
    """Sizes and switches of a PEGASUS-X; the defaults are those of pegasus-x-large."""

    model_type = "pegasus_x"

    vocab_size: int = 96103
    max_position_embeddings: int = 16384
    encoder_layers: int = 16
    decoder_layers: int = 16
    scale_embedding: bool = True
    num_global_tokens: int = 32
    block_size: int = 512
    stagger_local_blocks: bool = True

    def check(self) -> Iterator[tuple[str, str]]:
        if self.block_size < 2 or self.block_size % 2:
            yield "block_size", "must be even: every other layer moves its blocks by half of it"
