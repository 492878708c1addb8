"""Processor of IDEFICS: prompts of texts and images in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

AROUND, IMAGE, END_OF_UTTERANCE = "<fake_token_around_image>", "<image>", "<end_of_utterance>"
ADDRESSES = ("http://", "https://")


class IdeficsProcessor(ProcessorMixin):
    """An image processor and a tokenizer.

    add_end_of_utterance_token: put `END_OF_UTTERANCE` between texts that follow each other; by default where
    the tokenizer knows it.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {
        "text_kwargs": {"add_special_tokens": False, "padding": "longest", "return_token_type_ids": False}
    }

    def __init__(
        self,
        *components: Any,
        image_size: int | None = None,
        add_end_of_utterance_token: bool | None = None,
        **values: Any,
    ) -> None:
        super().__init__(*components, **values)  # the size is the image processor's
        known = END_OF_UTTERANCE in self.tokenizer.get_vocab()
        self._ends = known if add_end_of_utterance_token is None else add_end_of_utterance_token

    @property
    def model_input_names(self) -> list[str]:
        names = self.tokenizer.model_input_names
        return list(dict.fromkeys([*names, "pixel_values", "image_attention_mask"]))

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        text: Any = None,
        *,
        transform: Callable[[Any], Any] | None = None,
        add_eos_token: bool = False,
        add_end_of_utterance_token: bool | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Ids of prompts, and the images in them.

        Args:
            images: none, where prompts hold them; one for each text, which it then comes before; or a list
                for each text, which then come behind it.
            text: a prompt, which is a list of texts and images, or several; texts alone with `images`.
            transform: prepares an image instead of the image processor.
            add_eos_token: end prompts with the token for it.

        Returns:
            Tensors: ``input_ids`` and ``attention_mask`` (batch, tokens), ``pixel_values`` (batch, images,
            channels, height, width), with zeros where a prompt has fewer images than others, and
            ``image_attention_mask`` (batch, tokens, images), 1 for the image that a token belongs to.

        Raises:
            ProcessingError: no text, images that are not as many as texts, an address in place of an image.
        """
        import torch

        prompts = as_prompts(images, text)
        groups = self.route(kwargs)
        if add_end_of_utterance_token is None:
            add_end_of_utterance_token = self._ends
        end = self.tokenizer.eos_token if add_eos_token else ""
        between = END_OF_UTTERANCE if add_end_of_utterance_token else ""
        texts = [f"{self.tokenizer.bos_token}{joined(prompt, between)}{end}" for prompt in prompts]
        pictures = [[part for part in prompt if not isinstance(part, str)] for prompt in prompts]
        encoded = dict(self.tokenizer(texts, **{**groups["text_kwargs"], "return_tensors": "pt"}))
        options = {**groups["images_kwargs"], "return_tensors": "pt"}

        def prepared(found: list[Any]) -> Any:
            if transform is not None:
                return torch.stack([transform(one) for one in found])
            return self.image_processor(found, **options)["pixel_values"]

        values = [prepared(found) for found in pictures if found]
        side = self.image_processor.image_size
        shape = values[0].shape[1:] if values else (self.image_processor.image_num_channels, side, side)
        most = max(map(len, pictures))
        pixels = torch.zeros(len(prompts), max(most, 1), *shape)
        filled = iter(values)
        for row, found in zip(pixels, pictures, strict=True):
            if found:
                row[: len(found)] = next(filled)
        mask = self._owners(encoded["input_ids"], most)
        return BatchFeature({**encoded, "pixel_values": pixels, "image_attention_mask": mask})

    def _owners(self, ids: Any, images: int) -> Any:
        """(batch, tokens, images): 1 for the latest image before a token, none behind the end of a prompt."""
        import torch

        if not images:
            return torch.zeros(*ids.shape, 1, dtype=torch.bool)
        latest = (ids == self.tokenizer.convert_tokens_to_ids(IMAGE)).cumsum(1) - 1
        ended = (ids == self.tokenizer.eos_token_id).cumsum(1) - (
            ids == self.tokenizer.eos_token_id
        ).long() > 0
        latest = latest.masked_fill(ended, -1)
        return (latest[..., None] == torch.arange(images)).long()


def as_prompts(images: Any, text: Any) -> list[list[Any]]:
    """Prompts, each a list of texts and images."""
    if text is None:
        raise ProcessingError("IdeficsProcessor needs text: prompts of texts and images, or texts and images")
    texts = [text] if isinstance(text, str) else list(text)
    if images is None:
        prompts = texts if any(isinstance(one, (list, tuple)) for one in texts) else [texts]
        prompts = [list(one) if isinstance(one, (list, tuple)) else [one] for one in prompts]
    else:
        given = list(images) if isinstance(images, (list, tuple)) else [images]
        if len(given) != len(texts):
            raise ProcessingError(
                f"{len(given)} images came with {len(texts)} texts; give one, or a list, for each text"
            )
        prompts = [
            [one, *found] if isinstance(found, (list, tuple)) else [found, one]
            for found, one in zip(given, texts, strict=True)
        ]
    for place, prompt in enumerate(prompts):
        for part in prompt:
            if isinstance(part, str) and part.strip().startswith(ADDRESSES) and not part.strip().count(" "):
                raise ProcessingError(
                    f"prompt {place} holds the address {part.strip()!r}; nothing is fetched here, so load "
                    "the image and put it in that place"
                )
    return prompts


def joined(prompt: list[Any], between: str) -> str:
    """A prompt as text; `between` stands between texts that follow each other."""
    done, before = "", ""
    for part in prompt:
        if isinstance(part, str):
            if before == "text":
                done += between
            done += part.strip()
            before = "text"
        else:
            done += f"{'' if before == 'image' else AROUND}{IMAGE}{AROUND}"
            before = "image"
    return done
