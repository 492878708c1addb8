"""Configuration of LongT5."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.t5.config import T5Config


class LongT5Config(T5Config):
    """Sizes and switches of a LongT5: those of a T5, and what its encoder's attention sees."""

    model_type = "longt5"

    local_radius: int = 127
    global_block_size: int = 16
    encoder_attention_type: str = "local"

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.encoder_attention_type not in ("local", "transient-global"):
            yield "encoder_attention_type", "must be 'local' or 'transient-global'"
