"""Processor of LFM2-VL: an image is its tiles' placeholders, each tile named, and those of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class Lfm2VlProcessor(MediaTextProcessor):
    """An image processor and a tokenizer, which knows the tokens around images.

    use_image_special_tokens: whether those tokens are written.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {
        "images_kwargs": {"return_row_col_info": True},
        "text_kwargs": {"add_special_tokens": False},
    }
    use_image_special_tokens: bool = True

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a feature."""
        return str(getattr(self.tokenizer, "image_token", "<image>"))

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        images = self.image_processor.adjusted(
            {name: value for name, value in options.items() if name in self.image_processor.fields()}
        )
        cuts = [found.pop(name) for name in ("image_rows", "image_cols", "image_sizes")]
        return [
            self.tiles(images, int(rows), int(columns), (int(size[0]), int(size[1])))
            for rows, columns, size in zip(*cuts, strict=True)
        ]

    def tiles(self, images: Any, rows: int, columns: int, size: tuple[int, int]) -> str:
        """What stands for an image cut by the processor `images`, whose whole has a size of its own."""
        special, one = self.use_image_special_tokens, self.image_token
        start, end = ("<|image_start|>", "<|image_end|>") if special else ("", "")
        whole = one * images.features_of(size)
        if rows * columns == 1:
            return f"{start}{whole}{end}"
        tile = one * images.features_of((images.tile_size, images.tile_size))
        names = [f"<|img_row_{r + 1}_col_{c + 1}|>" * special for r in range(rows) for c in range(columns)]
        text = "".join(f"{name}{tile}" for name in names)
        if images.use_thumbnail:
            text += "<|img_thumbnail|>" * special + whole
        return f"{start}{text}{end}"
