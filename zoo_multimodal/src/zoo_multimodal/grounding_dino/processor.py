"""Processor of Grounding DINO: images, and for each of them a prompt of phrases that end in full stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

if TYPE_CHECKING:
    import torch


class GroundingDinoProcessor(ProcessorMixin):
    """A Grounding DINO image processor and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """Pixels of `images` and ids of prompts.

        Args:
            text: a prompt ("a cat. a remote control."), or a list of prompts, one for each image; or the
                names of what to find (["a cat", "a remote control"]), or a list of such names for each image.
            **kwargs: see `ProcessorMixin`.
        """
        return super().__call__(images, None if text is None else prompts(text), **kwargs)

    def post_process_grounded_object_detection(
        self,
        outputs: Any,
        input_ids: Any = None,
        threshold: float = 0.25,
        text_threshold: float = 0.25,
        target_sizes: Any = None,
        text_labels: Sequence[Sequence[str]] | None = None,
    ) -> list[dict[str, Any]]:
        """Boxes, and the words that they fit.

        Args:
            outputs: of the detector. input_ids: of the prompts, by default those of `outputs`.
            threshold: lowest score of a box, that of the token it fits best.
            text_threshold: lowest score of a token that names a box.
            target_sizes: (height, width) per image; boxes stay relative without it.
            text_labels: what was asked for; names come from the prompts, so it changes nothing.

        Returns:
            Per image `scores`, `boxes` as corners (x0, y0, x1, y1), and `text_labels`, also as `labels`.
        """
        from zoo_vision.processing import boxes as found_boxes

        found_boxes.check_sizes(target_sizes, len(outputs.logits))
        ids: torch.Tensor = outputs.input_ids if input_ids is None else input_ids
        chances = outputs.logits.sigmoid()
        boxes = found_boxes.to_pixels(found_boxes.corners(outputs.pred_boxes), target_sizes)
        results = []
        for chance, place, prompt in zip(chances, boxes, ids, strict=True):
            scores = chance.amax(-1)
            kept = scores > threshold
            named = chance[kept] > text_threshold
            named[:, 0] = named[:, -1] = False  # the first and the last token name nothing
            words = [prompt[row[: len(prompt)]] for row in named[:, : len(prompt)]]
            labels = self.tokenizer.batch_decode(words)
            results.append(
                {"scores": scores[kept], "boxes": place[kept], "text_labels": labels, "labels": labels}
            )
        return results


def prompts(text: Any) -> Any:
    """Prompts as they are; names of what to find joined to one prompt, or to one for each image.

    Raises:
        ProcessingError: lists of names, one of which has a full stop: it would be two.
    """
    if isinstance(text, str) or not isinstance(text, Sequence):
        return text
    if all(isinstance(one, str) for one in text):
        return prompt_of(text) if not any("." in one for one in text) else list(text)
    if not all(isinstance(one, Sequence) and not isinstance(one, str) for one in text):
        raise ProcessingError("text mixes prompts and lists of names; give one kind for all images")
    split = next((name for names in text for name in names if "." in name), None)
    if split is not None:
        raise ProcessingError(f"{split!r} has a full stop, which ends a phrase; write names without it")
    return [prompt_of(names) for names in text]


def prompt_of(names: Sequence[str]) -> str:
    """ "`a cat. a remote control.` of `a cat` and `A remote control`."""
    return ". ".join(name.strip().lower() for name in names) + "."
