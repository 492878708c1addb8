"""Processor of Ovis2: an image is its whole and a grid of tiles, with tokens between columns and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor

PLACEHOLDER = "<IMG_ATOM>"


class Ovis2Processor(MediaTextProcessor):
    """An image processor and a tokenizer.

    image_token: the mark in the text. image_seq_length: features of an image or of a tile.
    """

    attributes = ("image_processor", "tokenizer")
    image_token: str = "<image>"
    image_seq_length: int = 256

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        one = PLACEHOLDER * self.image_seq_length
        texts: list[int | str] = []
        for rows, columns in found.pop("grids"):
            row = "<IMG_COL>".join([one] * int(columns))
            tiles = "<IMG_ROW>".join([row] * int(rows)) if rows * columns > 1 else ""
            texts.append(f"<IMG_START>{one}<IMG_GRID>{tiles}<IMG_END>")
        return texts
