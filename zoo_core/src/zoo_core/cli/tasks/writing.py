"""Models that write about a picture: their inputs, and the text that they add."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.tasks.base import Task, picture_of
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from PIL.Image import Image


class PictureWriter(Task):
    """What captions and answers share."""

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        language.add_writing_options(parser, max_new_tokens=64)
        parser.add_argument("--num-beams", type=int, metavar="N", help="search with N beams")

    def prepare(self) -> None:
        from zoo_core.processing import ProcessorMixin

        processor = self.part("AutoProcessor")
        joined = isinstance(processor, ProcessorMixin)
        self.processor: Any = processor if joined else None
        self.tokenizer = processor.tokenizer if joined else self.part("AutoTokenizer")
        self.image_processor: Any = None if joined else self.part("AutoImageProcessor")

    def write(self, item: str, prompt: str | None) -> str:
        """What the model writes about a picture, after ``prompt``."""
        inputs = self.placed(self.inputs(picture_of(item), prompt))
        ids = self.model.generate(**inputs, **language.settings(self.arguments))[0]
        given = inputs.get("input_ids")
        if given is not None and ids[: given.shape[1]].equal(given[0]):  # the prompt is repeated
            ids = ids[given.shape[1] :]
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()

    def inputs(self, picture: Image, prompt: str | None) -> Any:
        """The model's inputs, by the chat template where there is one."""
        if self.processor is None:
            if prompt:
                raise ProcessingError(f"{type(self.model).__name__} takes a picture alone, without a text")
            return self.image_processor(picture, return_tensors="pt")
        if self.processor.chat_template:
            content = [{"type": "image"}, *([{"type": "text", "text": prompt}] if prompt else [])]
            prompt = self.processor.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True
            )
        if prompt:
            return self.processor(images=picture, text=prompt, return_tensors="pt")
        return self.processor(images=picture, return_tensors="pt")
