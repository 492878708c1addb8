"""Processor of SmolVLM: as of Idefics3, and videos as frames with the time of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_multimodal.idefics2.processor import FAKE_TOKEN
from zoo_multimodal.idefics3.processor import GLOBAL_TOKEN, Idefics3Processor
from zoo_vision.processing.frames import VideoMetadata, videos_of

FRAMES_PER_SECOND = 24.0
"""Of videos whose rate is not known."""

VIDEO_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message.role | capitalize }}:"
    "{% if message.content is string %} {{ message.content }}{% else %}"
    "{{ '' if message.content[0].type == 'image' else ' ' }}{% for part in message.content %}"
    "{{ part.text if part.type == 'text' else '<' ~ part.type ~ '>' }}{% endfor %}{% endif %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""Of conversations with videos, which the templates of checkpoints do not know."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def spelled(number: int) -> str:
    """A number below a million in words."""
    if number < 20:
        return _SMALL.split()[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return _TENS.split()[tens - 2] + (f"-{spelled(rest)}" if rest else "")
    unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    head, rest = divmod(number, unit)
    link = " and " if rest < 100 else ", "
    return f"{spelled(head)} {name}" + (link + spelled(rest) if rest else "")


def has_video(conversation: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a message holds a video."""
    parts = (part for message in conversation for part in message["content"])
    return any(isinstance(part, Mapping) and part.get("type") == "video" for part in parts)


class SmolVLMProcessor(Idefics3Processor):
    """An image processor, a tokenizer and a video processor. image_seq_len: features of a tile or frame."""

    attributes = ("image_processor", "tokenizer", "video_processor")
    optional_attributes = ("video_processor",)
    video_token = "<video>"

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        if images is not None and videos is not None:
            raise ProcessingError("SmolVLM takes images or videos in a call, not both")
        return super().__call__(images, text, videos, audio, **kwargs)

    def arranged(self, media: Any, texts: list[str], mark: str) -> list[Any]:
        return videos_of(media) if mark == self.video_token else super().arranged(media, texts, mark)

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        if kind == "videos":
            options = options | {"return_metadata": True}
        return super().run_component(kind, media, options)

    def replacements(
        self, kind: str, found: dict[str, Any], options: Mapping[str, Any]
    ) -> Sequence[int | str]:
        if kind != "videos":
            return super().replacements(kind, found, options)
        known = found["video_metadata"] if options.get("return_metadata") else found.pop("video_metadata")
        return [self.frames(metadata) for metadata in known]

    def frames(self, metadata: VideoMetadata) -> str:
        """What stands for a video: how many frames of how long a one, and the time of each."""
        rate = metadata.fps or FRAMES_PER_SECOND
        places = metadata.frames_indices or []
        length = metadata.duration or (places[-1] / rate if places else 0.0)
        features = f"{FAKE_TOKEN}{GLOBAL_TOKEN}{self.image_token * self.image_seq_len}{FAKE_TOKEN}"
        times = [divmod(int(place / rate), 60) for place in places]
        return (
            f"You are provided the following series of {spelled(len(places))} frames from a "
            f"{timedelta(seconds=int(length))} [H:MM:SS] video.\n"
            + "".join(f"\nFrame from {minute:02d}:{second:02d}:{features}" for minute, second in times)
            + "\n\n"
        )

    def apply_chat_template(
        self, conversation: Sequence[Any], chat_template: str | None = None, **kwargs: Any
    ) -> Any:
        """As any processor's; a conversation with videos is written by `VIDEO_TEMPLATE`."""
        single = not conversation or isinstance(conversation[0], Mapping)
        talks = [conversation] if single else conversation
        if chat_template is None and any(has_video(talk) for talk in talks):
            chat_template = VIDEO_TEMPLATE
        return super().apply_chat_template(conversation, chat_template, **kwargs)
