"""Processor of Qwen2.5-Omni: images, videos and sounds become placeholders in the order of their marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.batch_feature import array_kind, stack
from zoo_core.processing.placeholders import text_list
from zoo_core.tokenization import BatchEncoding

#: settings of the text that has sounds among the frames of its videos, which no component knows
_OWN = ("use_audio_in_video", "seconds_per_chunk", "position_id_per_seconds")


class Qwen2_5OmniProcessor(ProcessorMixin):
    """An image processor, a video processor, a Whisper feature extractor and a tokenizer."""

    attributes = ("image_processor", "video_processor", "feature_extractor", "tokenizer")
    defaults = {
        "text_kwargs": {"padding": False, "padding_side": "left"},
        "videos_kwargs": {
            "seconds_per_chunk": 2.0,
            "position_id_per_seconds": 25,
            "use_audio_in_video": False,
            "size": {"shortest_edge": 128 * 28 * 28, "longest_edge": 768 * 28 * 28},
        },
        "audio_kwargs": {"sampling_rate": 16000, "padding": "max_length", "return_attention_mask": True},
    }
    #: keywords of the feature extractor that a call does not change
    fixed_audio: ClassVar[dict[str, Any]] = {"padding": "max_length"}
    #: frames a second where a call does not say
    usual_rate: ClassVar[float] = 2.0
    #: the marks, where the tokenizer does not name them
    marks: ClassVar[dict[str, str]] = {
        "image_token": "<|IMAGE|>",
        "audio_token": "<|AUDIO|>",
        "video_token": "<|VIDEO|>",
        "vision_bos_token": "<|vision_bos|>",
        "vision_eos_token": "<|vision_eos|>",
        "audio_bos_token": "<|audio_bos|>",
        "audio_eos_token": "<|audio_eos|>",
    }

    def mark(self, name: str) -> str:
        """A mark: the tokenizer's, or the usual one."""
        return str(getattr(self.tokenizer, name, None) or self.marks[name])

    @property
    def model_input_names(self) -> list[str]:
        return [*super().model_input_names, "feature_attention_mask", "video_second_per_grid"]

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Ids of `text` with placeholders, and what the model reads of `images`, `videos` and `audio`.

        Args:
            text: one or a list, with a mark for each image, video and sound; they are given in the order of
                their marks.
            **kwargs: see `ProcessorMixin`. `use_audio_in_video` puts a sound among the frames of each video,
                `fps` are the frames a second that videos were sampled at.

        Raises:
            ProcessingError: the marks in the texts and what is given do not agree in number.
        """
        if text is None:
            raise ProcessingError(f"{type(self).__name__} needs text, with a mark for each of the media")
        own = {name: kwargs.pop(name) for name in _OWN if name in kwargs}
        groups = self.route(kwargs)
        options = groups["videos_kwargs"]
        own = {**{name: options.pop(name) for name in _OWN}, **own}
        found: dict[str, Any] = {}
        if images is not None:
            found |= dict(self.image_processor(images, **groups["images_kwargs"]))
        if videos is not None:
            found |= self.filmed(videos, options)
        if audio is not None:
            found |= self.heard(audio, groups["audio_kwargs"])
        texts = self.filled(text_list(text), found, own)
        options = groups["text_kwargs"]
        wanted = options.pop("return_tensors", None)
        encoded = BatchEncoding(dict(self.tokenizer(texts, **options)), tensor_type=wanted)
        return BatchFeature({**encoded, **found})

    def heard(self, audio: Any, options: dict[str, Any]) -> dict[str, Any]:
        """Log-mel frames of sounds, and their mask."""
        sounds = list(audio) if isinstance(audio, (list, tuple)) else [audio]
        found = dict(self.feature_extractor(sounds, **{**options, **self.fixed_audio}))
        return {
            "feature_attention_mask": found.pop("attention_mask"),
            "input_features": found.pop("input_features"),
        }

    def filmed(self, videos: Any, options: dict[str, Any]) -> dict[str, Any]:
        """Patches of videos, and the seconds that an entry of each grid spans."""
        found = dict(self.video_processor(videos, **options))
        count = len(found["video_grid_thw"])
        rates = options.get("fps") or self.usual_rate
        rates = [rates] * count if isinstance(rates, (int, float)) else list(rates)
        if len(rates) != count:
            raise ProcessingError(
                f"{count} videos came with fps for {len(rates)}; pass one number, or one each"
            )
        seconds: Any = [self.video_processor.temporal_patch_size / rate for rate in rates]
        kind = array_kind(options.get("return_tensors"))
        if kind is not None:
            import numpy as np

            seconds = stack("video_second_per_grid", np.float32(seconds), kind)
        return {**found, "video_second_per_grid": seconds}

    def features_of(self, frames: int) -> int:
        """Placeholders of a sound of so many mel frames."""
        return ((frames - 1) // 2 - 1) // 2 + 1

    # Placeholders

    def filled(self, texts: list[str], found: dict[str, Any], own: dict[str, Any]) -> list[str]:
        """Texts whose marks have become placeholders."""
        sounds = [self.features_of(int(row.sum())) for row in found.get("feature_attention_mask", ())]
        given = {
            "image": self.counts("image_processor", found.get("image_grid_thw", ())),
            "audio": sounds,
            "video": list(range(len(found.get("video_grid_thw", ())))),
        }
        pending: dict[str, Iterator[int]] = {what: iter(counts) for what, counts in given.items()}
        tokens = {self.mark(f"{what}_token"): what for what in given}
        framed = re.escape(self.mark("vision_bos_token")), re.escape(self.mark("vision_eos_token"))
        bare = "|".join(map(re.escape, tokens))
        video = re.escape(self.mark("video_token"))
        pattern = re.compile(f"{framed[0]}{video}{framed[1]}|{bare}" if own["use_audio_in_video"] else bare)

        def one(what: str, row: int) -> int:
            count = next(pending[what], None)
            if count is None:
                raise ProcessingError(
                    f"text {row} has a mark of {what} beyond the {len(given[what])} that were given"
                )
            return count

        done = []
        for row, text in enumerate(texts):

            def replace(match: re.Match[str], row: int = row) -> str:
                what = tokens.get(match[0])
                if what is None:
                    return self.joined(one("video", row), one("audio", row), found, own)
                if what == "video":
                    return match[0] * len(self.times(one("video", row), found, own))
                return match[0] * one(what, row)

            done.append(pattern.sub(replace, text))
        for what, rest in pending.items():
            if left := len(list(rest)):
                mark = self.mark(f"{what}_token")
                raise ProcessingError(
                    f"{left} of {len(given[what])} given for {what} have no mark {mark!r} in the texts"
                )
        return done

    def counts(self, component: str, grids: Sequence[Any]) -> list[int]:
        """Features of each entry of a grid."""
        area = getattr(self, component).merge_size ** 2
        return [int(time * rows * columns) // area for time, rows, columns in grids]

    def times(self, video: int, found: dict[str, Any], own: dict[str, Any]) -> list[float]:
        """The position in time of each feature of a video."""
        grid = found["video_grid_thw"][video]
        frames = int(grid[0])
        area = self.counts("video_processor", [grid])[0] // frames
        step = float(found["video_second_per_grid"][video]) * own["position_id_per_seconds"]
        return [frame * step for frame in range(frames) for _ in range(area)]

    def joined(self, video: int, sound: int, found: dict[str, Any], own: dict[str, Any]) -> str:
        """A video and its sound, with the marks around them."""
        order = self.woven(self.times(video, found, own), sound, own)
        placeholder = {True: self.mark("video_token"), False: self.mark("audio_token")}
        inner = "".join(placeholder[seen] for seen in order)
        start, end = self.mark("vision_bos_token"), self.mark("vision_eos_token")
        return f"{start}{self.mark('audio_bos_token')}{inner}{self.mark('audio_eos_token')}{end}"

    def woven(self, times: list[float], sound: int, own: dict[str, Any]) -> list[bool]:
        """The order of a video's features (True) at `times` and of `sound` of its sound: piece by piece."""
        size = int(own["position_id_per_seconds"] * own["seconds_per_chunk"])
        seen, heard = pieces(times, size), pieces(list(range(sound)), size)
        order = []
        for number in range(max(len(seen), len(heard))):
            order += [True] * (seen[number] if number < len(seen) else 0)
            order += [False] * (heard[number] if number < len(heard) else 0)
        return order


def pieces(times: Sequence[float], size: int) -> list[int]:
    """How many of the rising `times` are in each piece of `size`, none of which is empty."""
    counts: list[int] = []
    for time in times:
        if not counts or time >= len(counts) * size:
            counts.append(0)
        counts[-1] += 1
    return counts
