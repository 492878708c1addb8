"""Processor of KOSMOS-2: an image before each text, and boxes of what its phrases mean."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import text_list

IMAGE, IMAGE_END = "<image>", "</image>"
PHRASE, PHRASE_END = "<phrase>", "</phrase>"
OBJECT, OBJECT_END, ANOTHER = "<object>", "</object>", "</delimiter_of_multi_objects/>"
GROUNDING = "<grounding>"
TAGS = (
    *("</doc>", IMAGE, IMAGE_END, "</chunk>", "</line>"),
    *(PHRASE, PHRASE_END, OBJECT, OBJECT_END, ANOTHER, GROUNDING),
)

PADDING = ("padding", "max_length", "padding_side", "pad_to_multiple_of")

_BOX = r"<patch_index_(\d+)><patch_index_(\d+)>"
_ENTITY = re.compile(
    f"(?:{PHRASE}(?P<phrase>[^<]+){PHRASE_END})?{OBJECT}(?P<boxes>{_BOX}(?:{ANOTHER}{_BOX})*){OBJECT_END}"
)
_TAG = re.compile("<.*?>")

Place = tuple[int, int] | Sequence[float]
"""A box as numbers of the patches in its corners, or as x1, y1, x2, y2 in parts of the image."""
Entity = tuple[str, tuple[int, int], list[tuple[float, float, float, float]]]
"""What is named, where it stands in the text, and its boxes, x1, y1, x2, y2 in parts of the image."""


def patch_token(index: int) -> str:
    """The token of a patch."""
    return f"<patch_index_{index:04d}>"


class Kosmos2Processor(ProcessorMixin):
    """An image processor and a tokenizer, which learns the tokens of tags and places.

    num_patch_index_tokens: places that a corner of a box may have, in a square.
    """

    attributes = ("image_processor", "tokenizer")
    num_patch_index_tokens: int = 1024

    def __init__(self, *components: Any, num_patch_index_tokens: int = 1024, **values: Any) -> None:
        from tokenizers import AddedToken

        if len(components) == 3:
            *components, num_patch_index_tokens = components  # type: ignore[assignment]
        super().__init__(*components, num_patch_index_tokens=num_patch_index_tokens, **values)
        known = self.tokenizer.get_vocab()
        places = (patch_token(i) for i in range(self.num_patch_index_tokens))
        missing = [token for token in (*TAGS, *places) if token not in known]
        self.tokenizer.add_tokens([AddedToken(token, lstrip=True, normalized=False) for token in missing])

    @property
    def side(self) -> int:
        """Places in a row."""
        return math.isqrt(self.num_patch_index_tokens)

    @property
    def model_input_names(self) -> list[str]:
        return list(dict.fromkeys([*super().model_input_names, "image_embeds_position_mask"]))

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        text: Any = None,
        *,
        bboxes: Any = None,
        num_image_tokens: int = 64,
        first_image_token_id: int | None = None,
        add_eos_token: bool = False,
        **kwargs: Any,
    ) -> BatchFeature:
        """Pixels, and ids of texts behind the placeholders of an image.

        Args:
            images: one for each text, or none. text: one or several.
            bboxes: see `preprocess_examples`. num_image_tokens: features of an image.
            first_image_token_id: id of its first placeholder, by default that after the unknown token's.
            add_eos_token: end texts with the token for it. **kwargs: see `ProcessorMixin`.

        Returns:
            ``pixel_values``, ``input_ids``, ``attention_mask``, and ``image_embeds_position_mask``, which is
            1 where features go.

        Raises:
            ProcessingError: nothing is given, or another number of images or boxes than of texts.
        """
        if images is None and text is None:
            raise ProcessingError("Kosmos2Processor got nothing to process; pass images or text")
        groups = self.route(kwargs)
        found: dict[str, Any] = {}
        if images is not None:
            found = dict(self.image_processor(images, **groups["images_kwargs"]))
        if text is None:
            return BatchFeature(found)
        options = dict(groups["text_kwargs"])
        tensors = options.pop("return_tensors", None)
        if images is not None:
            images = images if isinstance(images, (list, tuple)) else [images]
        single = isinstance(text, str)
        bboxes = [bboxes] if single else bboxes
        texts = self.preprocess_examples(text_list(text), images, bboxes, num_image_tokens)
        lead, marks = "", []
        if images is not None:
            first = self.tokenizer.unk_token_id + 1 if first_image_token_id is None else first_image_token_id
            lead, marks = before_text(num_image_tokens), [*range(first, first + num_image_tokens)]
            marks.insert(0, self.tokenizer.convert_tokens_to_ids(IMAGE))
        bos = [self.tokenizer.bos_token_id] if options.pop("add_special_tokens", True) else []
        eos = [self.tokenizer.eos_token_id] if add_eos_token else []
        pads = {name: options.pop(name, None) for name in PADDING}
        cut = pads["max_length"] if options.pop("truncation", False) else None
        least = len(bos) + len(marks) + 1 + len(eos)
        if marks and cut is not None and cut < least:
            raise ProcessingError(
                f"max_length={cut} would cut the image's placeholders; {least} is the least"
            )
        rows = []
        for one in self.tokenizer(
            [one.removeprefix(lead) for one in texts], add_special_tokens=False
        ).input_ids:
            row = [*bos, *marks, *one]
            rows.append([*row[: None if cut is None else cut - len(eos)], *eos])
        encoded = self._padded(rows, pads, several=images is not None and len(rows) > 1)
        if images is not None:
            encoded["image_embeds_position_mask"] = [
                placed(seen, len(bos) + 1, num_image_tokens) for seen in encoded["attention_mask"]
            ]
        if options.pop("return_token_type_ids", False):
            encoded["token_type_ids"] = [[0] * len(row) for row in encoded["input_ids"]]
        if tensors is not None:
            return BatchFeature({**found, **BatchFeature(encoded, tensors)})
        return BatchFeature({**found, **({k: v[0] for k, v in encoded.items()} if single else encoded)})

    def _padded(self, rows: list[list[int]], options: dict[str, Any], *, several: bool) -> dict[str, Any]:
        """Ids and the mask of tokens, of one length where asked for, and for several images."""
        if not several and not options["padding"]:
            return {"input_ids": rows, "attention_mask": [[1] * len(row) for row in rows]}
        options = {name: value for name, value in options.items() if value is not None}
        options["padding"] = options.get("padding") or "longest"
        made = self.tokenizer.pad({"input_ids": rows}, return_attention_mask=True, **options)
        return {name: made[name] for name in ("input_ids", "attention_mask")}

    # Boxes in texts

    def preprocess_examples(
        self, texts: Any, images: Any = None, bboxes: Any = None, num_image_tokens: int | None = 64
    ) -> Any:
        """Texts with the placeholders of images before them and boxes behind their phrases.

        Args:
            texts: one or several. images: one for each, of which None has no placeholders.
            bboxes: for each text a list, of a box, several, or None for each `<phrase>...</phrase>` in it;
                for a single text that list.
        """
        if isinstance(texts, str):
            pages = images if isinstance(images, (list, tuple)) else [images]
            return self.preprocess_examples([texts], pages, [bboxes], num_image_tokens)[0]
        counts = {"images": images, "bboxes": bboxes}
        for name, given in counts.items():
            if given is not None and len(given) != len(texts):
                raise ProcessingError(f"{len(given)} {name} came with {len(texts)} texts; give one for each")
        pages = images if images is not None else [None] * len(texts)
        marks = before_text(num_image_tokens or 64)
        done = []
        for place, (text, page) in enumerate(zip(texts, pages, strict=True)):
            text = self._with_boxes(text, None if bboxes is None else bboxes[place])
            done.append(text if page is None else f"{marks}{IMAGE_END} {text}")
        return done

    def _with_boxes(self, text: str, boxes: Any) -> str:
        if not boxes:
            return text
        if not isinstance(boxes, list):
            raise ProcessingError(
                f"bboxes of a text must be a list, one entry for each phrase, not {boxes!r}"
            )
        ends = [match.end() for match in re.finditer(f"{PHRASE}.+?{PHRASE_END}", text)]
        if len(ends) != len(boxes):
            raise ProcessingError(
                f"{len(boxes)} bboxes came with {len(ends)} {PHRASE}...{PHRASE_END} in {text!r}; one for each"
            )
        for end, box in reversed(list(zip(ends, boxes, strict=True))):
            if box is None:
                continue
            several = box if isinstance(box, list) else [box]
            pairs = f" {ANOTHER} ".join(" ".join(self._corners(one)) for one in several)
            text = f"{text[:end]}{OBJECT} {pairs} {OBJECT_END}{text[end:]}"
        return text

    def _corners(self, box: Place) -> tuple[str, str]:
        """The tokens of the patches in the upper left and the lower right corner."""
        if not isinstance(box, (tuple, list)) or len(box) not in (2, 4):
            raise ProcessingError(f"a box must be 2 numbers of patches or 4 parts of the image, not {box!r}")
        if len(box) == 4:
            x1, y1, x2, y2 = box
            if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
                raise ProcessingError(f"box {box}: 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1 must hold")
            side = self.side
            first = math.floor(y1 * side) * side + math.floor(x1 * side)
            box = first, math.ceil(y2 * side - 1) * side + math.ceil(x2 * side - 1)
        wrong = [one for one in box if not 0 <= one < self.num_patch_index_tokens]
        if wrong:
            raise ProcessingError(f"box {box}: patches are numbered below {self.num_patch_index_tokens}")
        return patch_token(int(box[0])), patch_token(int(box[1]))

    # Answers

    def post_process_generation(
        self, text: str, cleanup_and_extract: bool = True
    ) -> str | tuple[str, list[Entity]]:
        """What was generated behind the image, by default without tags, and with what has boxes in it."""
        caption = text.rpartition(IMAGE_END)[2]
        if not cleanup_and_extract:
            return caption
        plain = _TAG.sub("", caption)
        lead = len(plain) - len(plain.lstrip())
        entities: list[Entity] = []
        for match in _ENTITY.finditer(caption):
            phrase = match["phrase"] or ""
            start = len(_TAG.sub("", caption[: match.start()])) - lead
            start += len(phrase) - len(phrase.lstrip())
            boxes = [(int(first), int(last)) for first, last in re.findall(_BOX, match["boxes"])]
            name = phrase.strip() or "<patch_index_{}><patch_index_{}>".format(*boxes[0])
            span = (start, start + len(phrase.strip()))
            entities.append((name, span, [self._box(*corners) for corners in boxes]))
        return plain.strip(), entities

    def _box(self, first: int, last: int) -> tuple[float, float, float, float]:
        """From middle to middle of the patches in the corners, or all of those in one row or column."""
        (y1, x1), (y2, x2) = divmod(first, self.side), divmod(last, self.side)
        near, far = (0.0, 1.0) if x1 == x2 or y1 == y2 else (0.5, 0.5)
        corners = (x1 + near, y1 + near, x2 + far, y2 + far)
        return tuple(one / self.side for one in corners)  # type: ignore[return-value]

    def post_process_image_text_to_text(
        self, generated_outputs: Any, skip_special_tokens: bool = True, **kwargs: Any
    ) -> list[Any]:
        """`post_process_generation` of each answer, tags kept."""
        texts = self.batch_decode(generated_outputs, skip_special_tokens=skip_special_tokens, **kwargs)
        return [self.post_process_generation(text, cleanup_and_extract=False) for text in texts]


def before_text(count: int) -> str:
    """The beginning and the placeholders of an image of `count` features."""
    return f"{IMAGE} " * (1 + count)


def placed(seen: Sequence[int], before: int, count: int) -> list[int]:
    """0 for each of `before` tokens, 1 for `count` features, 0 for the rest, behind padding on the left."""
    pads = next((i for i, one in enumerate(seen) if one), 0)
    mask = [0] * (pads + before) + [1] * count
    return mask + [0] * (len(seen) - len(mask))
