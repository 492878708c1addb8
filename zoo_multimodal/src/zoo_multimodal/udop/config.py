"""Configuration of UDOP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_text.t5.config import T5Config

BIASES = [{"type": "1d"}, {"type": "horizontal"}, {"type": "vertical"}]


class UdopConfig(T5Config):
    """A T5's, and what is needed to read pages; the defaults are those of the large model.

    `relative_bias_args` lists the distances that attention reads: between words in the text ("1d", always
    first), across the page ("horizontal") and down it ("vertical").
    """

    model_type = "udop"

    vocab_size: int = 33201
    d_model: int = 1024
    d_ff: int = 4096
    num_layers: int = 24
    num_heads: int = 16
    relative_bias_args: list[dict[str, Any]] = BIASES
    max_2d_position_embeddings: int = 1024
    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3

    def check(self) -> Iterator[tuple[str, str]]:
        kinds = [one.get("type") for one in self.relative_bias_args]
        if kinds[:1] != ["1d"] or not {*kinds[1:]} <= {"horizontal", "vertical"}:
            yield "relative_bias_args", 'must be "1d", then any of "horizontal" and "vertical"'
