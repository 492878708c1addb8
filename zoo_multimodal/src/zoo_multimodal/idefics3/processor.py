"""Processor of Idefics3: a mark becomes the placeholders of an image's tiles and of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.idefics2.processor import FAKE_TOKEN, AroundImagesProcessor

GLOBAL_TOKEN = "<global-img>"


class Idefics3Processor(AroundImagesProcessor):
    """An image processor and a tokenizer. image_seq_len: features of a tile."""

    defaults = {"images_kwargs": {"return_row_col_info": True}}
    image_seq_len: int = 169

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        rows, columns = found.pop("rows"), found.pop("cols")
        cuts = zip([n for one in rows for n in one], [n for one in columns for n in one], strict=True)
        return [self.tiles(down, across) for down, across in cuts]

    def tiles(self, rows: int, columns: int) -> str:
        """What stands for an image cut into so many tiles; 0 if it is not cut."""
        features = self.image_token * self.image_seq_len
        lines = [
            "".join(f"{FAKE_TOKEN}<row_{r + 1}_col_{c + 1}>{features}" for c in range(columns)) + "\n"
            for r in range(rows)
        ]
        return "".join(lines) + f"{chr(10) * bool(rows)}{FAKE_TOKEN}{GLOBAL_TOKEN}{features}{FAKE_TOKEN}"
