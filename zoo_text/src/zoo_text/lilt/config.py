"""Configuration of LiLT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.bert.config import BertConfig


class LiltConfig(BertConfig):
    """A BERT's; the stream of boxes is narrower than that of words by `channel_shrink_ratio`."""

    model_type = "lilt"

    channel_shrink_ratio: int = 4
    max_2d_position_embeddings: int = 1024

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_size % 6 or self.hidden_size % self.channel_shrink_ratio:
            yield "hidden_size", "must be a multiple of 6 and of channel_shrink_ratio"
