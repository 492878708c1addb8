"""Configuration of LLaVA-NeXT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import field
from zoo_multimodal.llava.config import LlavaConfig


class LlavaNextConfig(LlavaConfig):
    """As of LLaVA; `image_grid_pinpoints` are the sizes (height, width) in which images are cut to tiles."""

    model_type = "llava_next"

    tie_word_embeddings: bool = False
    image_grid_pinpoints: list[list[int]] = field(
        [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
    )

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if not self.image_grid_pinpoints or any(len(size) != 2 for size in self.image_grid_pinpoints):
            yield "image_grid_pinpoints", "must be a list of [height, width], at least one"
