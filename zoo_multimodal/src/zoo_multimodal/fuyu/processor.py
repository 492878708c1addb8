"""Processor of Fuyu: patches of an image, row by row, before a text whose places are numbers of pixels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import text_list

IMAGE, NEWLINE, ANSWER = "|SPEAKER|", "|NEWLINE|", "<0x04>"
"""Tokens of a patch, of the end of a row, and of the beginning of an answer."""
PLACES = {"box": ("<0x00>", "<0x01>", 4), "point": ("<0x02>", "<0x03>", 2)}
"""What begins and ends a place, and how many numbers it has: top, left, bottom, right, or y and x."""
ROOM = 10
"""Tokens of an answer that `image_patches_indices` has room for."""

_TAG = re.compile(r"<(box|point)>(.*?)</\1>", re.DOTALL)


class FuyuProcessor(ProcessorMixin):
    """An image processor and a tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"return_token_type_ids": False}}

    @property
    def model_input_names(self) -> list[str]:
        names = self.tokenizer.model_input_names
        return list(dict.fromkeys([*names, "image_patches", "image_patches_indices"]))

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Patches of images, and ids of texts behind them; texts alone are tokenized as they are.

        Args:
            images: one for each text. text: one or several; `<box>y1, x1, y2, x2</box>` and
                `<point>y, x</point>` in it are places in pixels of the image.

        Returns:
            With images, tensors: ``input_ids`` and ``attention_mask`` (batch, tokens), padded on the left,
            ``image_patches``, for each image (1, patches, values), one tensor where there is one image, and
            ``image_patches_indices`` (batch, tokens + `ROOM`), the patch of each token, or -1.

        Raises:
            ProcessingError: nothing is given, or not an image for each text; a place that is none.
        """
        if images is None and text is None:
            raise ProcessingError("FuyuProcessor got nothing to process; pass text or images")
        groups = self.route(kwargs)
        if groups["text_kwargs"].get("return_attention_mask") is False:
            raise ProcessingError("FuyuProcessor pads on the left and cannot do without attention_mask")
        if images is None:
            return BatchFeature(self.tokenizer(text, **groups["text_kwargs"]))
        import torch

        options = {**groups["images_kwargs"], "return_tensors": "pt"}
        found = self.image_processor(images, **options)
        pages = [one[0] for one in found["images"]]
        texts = [""] * len(pages) if text is None else text_list(text)
        if len(texts) != len(pages):
            raise ProcessingError(f"{len(pages)} images came with {len(texts)} texts; give one for each")
        rows, indices, patches = [], [], []
        for place, page in enumerate(pages):
            size = (
                int(found["image_unpadded_heights"][place][0]),
                int(found["image_unpadded_widths"][place][0]),
            )
            cut, grid = self._patches(page, size)
            patches.append(cut)
            scale = float(found["image_scale_factors"][place][0])
            before, numbers = self._places(*grid)
            row = before + self._ids(texts[place], scale)
            rows.append(row)
            indices.append(numbers + [-1] * (len(row) - len(before) + ROOM))
        longest = max(map(len, rows))
        pads = [longest - len(row) for row in rows]
        data = {
            "input_ids": [[0] * pad + row for pad, row in zip(pads, rows, strict=True)],
            "image_patches_indices": [[-1] * pad + one for pad, one in zip(pads, indices, strict=True)],
            "attention_mask": [[0] * pad + [1] * len(row) for pad, row in zip(pads, rows, strict=True)],
        }
        batch = {name: torch.tensor(values) for name, values in data.items()}
        return BatchFeature({**batch, "image_patches": patches[0] if len(patches) == 1 else patches})

    def _patches(self, page: Any, size: tuple[int, int]) -> tuple[Any, tuple[int, int]]:
        """Patches (1, patches, values) that hold anything of a page (3, height, width), and their grid."""
        high, wide = self.image_processor.patch_size["height"], self.image_processor.patch_size["width"]
        rows, columns = -(-size[0] // high), -(-size[1] // wide)
        kept = page[:, : rows * high, : columns * wide]
        if kept.shape[1:] != (rows * high, columns * wide):
            raise ProcessingError(
                f"a page of {tuple(page.shape[1:])} pixels does not hold {rows} x {columns} patches of "
                f"{high} x {wide}; leave do_pad on, and size a multiple of patch_size"
            )
        cut = kept.unflatten(2, (columns, wide)).unflatten(1, (rows, high)).permute(1, 3, 2, 4, 0)
        return cut.reshape(1, rows * columns, -1), (rows, columns)

    def _places(self, rows: int, columns: int) -> tuple[list[int], list[int]]:
        """Ids that stand for an image's patches and ends of rows, and the patch of each."""
        image, newline = self._id(IMAGE), self._id(NEWLINE)
        numbers = [[*range(row * columns, (row + 1) * columns), -1] for row in range(rows)]
        return ([image] * columns + [newline]) * rows, [one for row in numbers for one in row]

    def _id(self, token: str) -> int:
        found = self.tokenizer.convert_tokens_to_ids(token)
        if found is None or found == self.tokenizer.unk_token_id:
            raise ProcessingError(f"the tokenizer has no token {token!r}, which Fuyu needs")
        return int(found)

    def _ids(self, text: str, scale: float) -> list[int]:
        """Ids of a text between those of its beginning and of an answer's."""
        ids, start = [self._id(str(self.tokenizer.bos_token))], 0
        for match in _TAG.finditer(text):
            ids += self._plain(text[start : match.start()])
            opening, closing, count = PLACES[match[1]]
            try:
                numbers = [float(number) for number in match[2].split(",")]
            except ValueError:
                numbers = []
            if len(numbers) != count:
                raise ProcessingError(f"{match[0]!r} must hold {count} numbers, with commas between them")
            inside = (str(round(number * scale / 2)) for number in numbers)
            ids += [self._id(token) for token in (opening, *inside, closing)]
            start = match.end()
        return [*ids, *self._plain(text[start:]), self._id(ANSWER)]

    def _plain(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []

    # Answers

    def post_process_box_coordinates(self, outputs: Any, target_sizes: Any = None) -> list[Any]:
        """Ids of answers whose places are written out, in pixels of the images.

        Args:
            outputs: for each answer its ids.
            target_sizes: (height, width) of each image; None where they were not made smaller.

        Returns:
            For each answer its ids, with those of `<box>...</box>` and `<point>...</point>`.
        """
        import torch

        sizes = [None] * len(outputs) if target_sizes is None else list(target_sizes)
        if len(sizes) != len(outputs):
            raise ProcessingError(f"{len(outputs)} outputs came with {len(sizes)} target_sizes; one for each")
        if any(size is not None and len(size) != 2 for size in sizes):
            raise ProcessingError("target_sizes must be (height, width) for each image")
        page = self.image_processor.size
        done = []
        for ids, size in zip(outputs, sizes, strict=True):
            scale = 1.0
            if size is not None:
                scale = min(page["height"] / int(size[0]), page["width"] / int(size[1]), 1.0)
            done.append(torch.tensor(self._written(torch.as_tensor(ids).tolist(), scale)))
        return done

    def _written(self, ids: list[int], scale: float) -> list[int]:
        """Ids with places written out."""
        starts = {self._id(opening): kind for kind, (opening, _, _) in PLACES.items()}
        done: list[int] = []
        index = 0
        while index < len(ids):
            kind = starts.get(ids[index])
            if kind is not None:
                _, closing, count = PLACES[kind]
                inside, end = ids[index + 1 : index + 1 + count], index + 1 + count
                names = self.tokenizer.convert_ids_to_tokens(inside)
                if end < len(ids) and ids[end] == self._id(closing) and all(map(str.isdecimal, names)):
                    numbers = ", ".join(str(int(int(name) / scale) * 2) for name in names)
                    done += self._plain(f"<{kind}>{numbers}</{kind}>")
                    index = end + 1
                    continue
            done.append(ids[index])
            index += 1
        return done

    def post_process_image_text_to_text(
        self, generated_outputs: Any, skip_special_tokens: bool = True, **kwargs: Any
    ) -> list[str]:
        """Texts of answers: what stands behind the token that begins one."""
        answer = self._id(ANSWER)
        rows: Sequence[list[int]] = [[int(i) for i in row] for row in generated_outputs]
        cut = [row[row.index(answer) + 1 :] if answer in row else row for row in rows]
        return self.batch_decode(cut, skip_special_tokens=skip_special_tokens, **kwargs)
