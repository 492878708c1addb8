"""Processors whose texts mark images, videos and sounds; a placeholder for each feature replaces a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import expand_placeholders, share_out, text_list
from zoo_core.tokenization import BatchEncoding


class MediaTextProcessor(ProcessorMixin):
    """An image processor, a tokenizer, and maybe a video processor or a feature extractor.

    A subclass says with what each mark is replaced, and what the marks are.
    """

    #: what the ids are called that tell placeholders of images from other tokens
    kinds_name: ClassVar[str] = "mm_token_type_ids"
    #: whether a text may have no marks without what they stand for
    marks_need_media: ClassVar[bool] = False

    if TYPE_CHECKING:  # the marks: fields of a settings file, or properties

        @property
        def image_token(self) -> str: ...
        @property
        def video_token(self) -> str: ...
        @property
        def audio_token(self) -> str: ...

    def replacements(
        self, kind: str, found: dict[str, Any], options: Mapping[str, Any]
    ) -> Sequence[int | str] | str:
        """For each of a `kind` (images, videos, audio) how many placeholders its mark becomes, or which text.

        One text stands for all. `found` is what their processor returned for the keywords `options`; what
        the model does not read is taken out of it.
        """
        raise NotImplementedError

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pixels of `images` and `videos`, features of `audio`, and ids of `text` with placeholders.

        Args:
            images: one, a list in the order of their marks, or a list for each text.
            text: one or a list. videos: as images. audio: one or a list.
            **kwargs: see `ProcessorMixin`; `return_mm_token_type_ids` adds ids that are 1 at image
                placeholders, 0 elsewhere.

        Raises:
            ProcessingError: the marks in the texts and what is given do not agree in number.
        """
        if text is None:
            return super().__call__(images=images, videos=videos, audio=audio, **kwargs)
        groups = self.route(kwargs)
        texts = text_list(text)
        found: dict[str, Any] = {}
        for kind, media in (("images", images), ("videos", videos), ("audio", audio)):
            if media is None:
                if self.marks_need_media and self.component(kind) is not None:
                    share_out([], texts, self.mark_of(kind), what=kind.removesuffix("s"))
                continue
            mark = self.mark_of(kind)
            if kind == "images" and is_nested(media) and len(media) == len(texts):
                expand_placeholders(texts, mark, [[1] * len(one) for one in media])  # each has its own
            media, options = self.arranged(media, texts, mark), groups[f"{kind}_kwargs"]
            processed = self.run_component(kind, media, options)
            new = self.replacements(kind, processed, options)
            found |= processed
            if isinstance(new, str):
                texts = [one.replace(mark, new) for one in texts]
                continue
            what = kind.removesuffix("s")
            shared = share_out(new, texts, mark, what=what)
            texts = expand_placeholders(texts, mark, shared, what=what)
        return BatchFeature({**self.encode(texts, groups["text_kwargs"]), **found})

    def tokens_of_images(self) -> list[str]:
        """The tokens that belong to images."""
        return [self.image_token]

    def kinds_of_tokens(self) -> dict[str, int]:
        """The number that tells each token of a medium from other tokens."""
        return dict.fromkeys(self.tokens_of_images(), 1)

    def mark_of(self, kind: str) -> str:
        """What stands for an image, a video or a sound in a text; by default its placeholder."""
        token: str = getattr(self, f"{kind.removesuffix('s')}_token")
        return token

    def arranged(self, media: Any, texts: list[str], mark: str) -> Any:
        """Images or videos as their processor wants them, given the texts with their marks."""
        return media

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        """What the processor of images or videos makes of `media`."""
        return dict(self.require(kind)(media, **options))

    def encode(self, texts: list[str], options: dict[str, Any]) -> dict[str, Any]:
        """Ids of finished texts.

        Raises:
            ProcessingError: truncation has cut placeholders off.
        """
        options = dict(options)
        kinds, wanted = options.pop("return_mm_token_type_ids", False), options.pop("return_tensors", None)
        encoded = dict(self.tokenizer(texts, **options))
        token = self.tokenizer.convert_tokens_to_ids(self.image_token)
        marks = [[int(i == token) for i in row] for row in encoded["input_ids"]]
        for place, (text, row) in enumerate(zip(texts, marks, strict=False)):
            if options.get("truncation") and sum(row) != text.count(self.image_token):
                raise ProcessingError(
                    f"truncation left {sum(row)} of the {text.count(self.image_token)} image placeholders of "
                    f"text {place}; raise max_length or pass truncation=False"
                )
        if kinds:
            table = self.kinds_of_tokens()
            numbers = dict(zip(self.tokenizer.convert_tokens_to_ids([*table]), table.values(), strict=True))
            encoded[self.kinds_name] = [[numbers.get(i, 0) for i in row] for row in encoded["input_ids"]]
        return dict(BatchEncoding(encoded, tensor_type=wanted))


class SampledImagesProcessor(MediaTextProcessor):
    """Its image processor takes the images of each text as a list of their own."""

    def arranged(self, media: Any, texts: list[str], mark: str) -> list[list[Any]]:
        if is_nested(media):
            expand_placeholders(texts, mark, [[1] * len(one) for one in media])  # each text must have its own
            return list(media)
        return share_out(list(media) if isinstance(media, (list, tuple)) else [media], texts, mark)


def is_nested(media: Any) -> bool:
    """Whether images come as a list for each text."""
    return isinstance(media, (list, tuple)) and bool(media) and isinstance(media[0], (list, tuple))
