"""The base of feature extractors: declare fields, and how waveforms become features."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo_audio.features.resample import SHORT, Sinc
from zoo_audio.features.waves import waveforms
from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature, FeatureExtractionMixin


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """How the items of a batch become equally long.

    Args:
        padding: True or "longest", "max_length", False or "do_not_pad".
        max_length: samples or frames to pad or truncate to. truncation: cut what is longer.
        pad_to_multiple_of: lengths are rounded up to a multiple of this.
        return_attention_mask: say which positions are not padding; None is the extractor's own choice.
    """

    padding: Any = False
    max_length: int | None = None
    truncation: bool = False
    pad_to_multiple_of: int | None = None
    return_attention_mask: bool | None = None

    @property
    def strategy(self) -> str:
        """`padding` as one of "longest", "max_length" and "do_not_pad"."""
        name: Any = getattr(self.padding, "value", self.padding)
        name = {True: "longest", False: "do_not_pad", None: "do_not_pad"}.get(name, name)
        if name not in ("longest", "max_length", "do_not_pad"):
            raise ProcessingError(
                f"padding={self.padding!r} is not known; use True, 'longest', 'max_length' or False"
            )
        if self.max_length is None and (name == "max_length" or self.truncation is True):
            asked = "truncation=True" if self.truncation else "padding='max_length'"
            raise ProcessingError(f"{asked} needs max_length")
        return str(name)

    def rounded(self, length: int) -> int:
        """`length` as a multiple of `pad_to_multiple_of`."""
        multiple = self.pad_to_multiple_of or 1
        return -(-length // multiple) * multiple


OPTIONS = frozenset(field.name for field in fields(Padding))
WAVE_NAMES = ("raw_speech", "raw_audio", "audio", "audios")


class AudioFeatureExtractor(FeatureExtractionMixin):
    """Sounds in, a batch of features out.

    A subclass declares the fields of its settings file, and makes features in `extract`. `call_defaults`
    are the options of `Padding` where a call says nothing.
    """

    model_input_names: ClassVar[list[str]] = ["input_values", "attention_mask"]
    call_defaults: ClassVar[Mapping[str, Any]] = {}
    own_options: ClassVar[frozenset[str]] = frozenset()
    """Keywords of a call besides those of `Padding`; they reach `extract`."""
    resampling: ClassVar[Sinc] = SHORT

    feature_size: int = 1
    sampling_rate: int = 16000
    padding_value: float = 0.0
    padding_side: str = "right"
    return_attention_mask: bool = True

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if not isinstance(self.sampling_rate, int) or self.sampling_rate <= 0:
            raise ConfigError(f"sampling_rate={self.sampling_rate!r} must be a positive number of Hz")
        if self.padding_side not in ("left", "right"):
            raise ConfigError(f"padding_side={self.padding_side!r} must be 'left' or 'right'")
        self.derive()

    def derive(self) -> None:
        """Set the fields that follow from others and that the file may also hold."""

    @property
    def channels(self) -> int:
        """Channels of each sound; 1 except for codecs."""
        return 1

    def call_keywords(self) -> frozenset[str]:
        return OPTIONS | self.own_options | {"sampling_rate", "resample", "device"}

    def __call__(
        self,
        raw_speech: Any = None,
        *,
        sampling_rate: int | None = None,
        resample: bool | None = None,
        device: str | torch.device = "cpu",
        return_tensors: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """Features of one sound or of a batch.

        Args:
            raw_speech: an array or tensor (samples,), (batch, samples), a list of these, of paths, of
                bytes of sound files, or of mappings with "array" and "sampling_rate"; also under the
                names raw_audio and audio.
            sampling_rate: of the sounds, in Hz; given, it is checked against the extractor's.
            resample: convert sounds of another rate instead of refusing them.
            device: where the features are computed; they are returned on the CPU.
            return_tensors: "pt", "np", or None for lists of arrays.
            **options: see `Padding`.

        Raises:
            ProcessingError: a sound that cannot be taken; the message begins with its place in the batch.
        """
        for name in WAVE_NAMES:
            if raw_speech is None and name in options:
                raw_speech = options.pop(name)
        if raw_speech is None:
            raise ProcessingError(f"{type(self).__name__} was called without audio")
        waves = self.sounds(raw_speech, sampling_rate, resample)
        own = {name: options.pop(name) for name in list(options) if name in self.own_options}
        found = self.extract([wave.to(device) for wave in waves], self.padding_of(options), **own)
        return self.batch(found, return_tensors)

    def sounds(self, raw: Any, sampling_rate: int | None, resample: bool | None) -> list[Tensor]:
        """The checked waveforms of a call."""
        return waveforms(
            raw,
            channels=self.channels,
            rate=self.sampling_rate,
            sampling_rate=sampling_rate,
            convert=bool(resample),
            sinc=self.resampling,
        )

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        """The named outputs of a call, of waveforms (samples,) or (channels, samples)."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its features are")

    def padding_of(self, options: Mapping[str, Any]) -> Padding:
        """The options of one call over `call_defaults`.

        Raises:
            TypeError: an unknown option; names the closest.
        """
        unknown = [name for name in options if name not in OPTIONS]
        if unknown:
            near = difflib.get_close_matches(unknown[0], sorted(self.call_keywords()), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{type(self).__name__} has no keyword {unknown[0]!r}{hint}")
        return Padding(**{**self.call_defaults, **options})

    @staticmethod
    def batch(found: Mapping[str, Any], return_tensors: Any) -> BatchFeature:
        """The outputs on the CPU; without `return_tensors`, lists with one array for each item."""
        data = {name: _to_host(value) for name, value in found.items() if value is not None}
        if return_tensors is None:
            data = {
                name: [item.numpy() for item in value]
                if isinstance(value, (Tensor, list)) and isinstance(value[0], Tensor)
                else value
                for name, value in data.items()
            }
        return BatchFeature(data, return_tensors)

    # Padding

    def wants_mask(self, padding: Padding) -> bool:
        """Whether a call returns an attention mask."""
        asked = padding.return_attention_mask
        return self.return_attention_mask if asked is None else asked

    def fit(
        self, items: Sequence[Tensor], padding: Padding, *, value: float | None = None
    ) -> tuple[Tensor | list[Tensor], Tensor | list[Tensor]]:
        """Items (length, ...) cut and padded, stacked where equally long; and their masks, int32.

        Args:
            value: what padding is filled with, by default `padding_value`.
        """
        strategy = padding.strategy
        limit = None if padding.max_length is None else padding.rounded(padding.max_length)
        if padding.truncation and limit is not None:
            items = [item[:limit] for item in items]
        lengths = [len(item) for item in items]
        target: int | None = None
        if strategy == "longest":
            target = padding.rounded(max(lengths))
        elif strategy == "max_length":
            target = limit
        if target is None and len(set(lengths)) > 1:
            return list(items), [item.new_ones(len(item), dtype=torch.int32) for item in items]
        target = max(target or 0, lengths[0] if strategy == "do_not_pad" else 0)
        if max(lengths) > target:
            padded = [self.filled([item], max(target, len(item)), value) for item in items]
            return [values[0] for values, _ in padded], [mask[0] for _, mask in padded]
        return self.filled(items, target, value)

    def filled(self, items: Sequence[Tensor], length: int, value: float | None) -> tuple[Tensor, Tensor]:
        """Items of at most `length` in one tensor (items, length, ...), and the mask (items, length)."""
        first = items[0]
        if all(len(item) == length for item in items):
            return torch.stack(list(items)), first.new_ones((), dtype=torch.int32).expand(len(items), length)
        fill = self.padding_value if value is None else value
        batch = first.new_full((len(items), length, *first.shape[1:]), fill)
        mask = first.new_zeros((len(items), length), dtype=torch.int32)
        for row, item in enumerate(items):
            start = 0 if self.padding_side == "right" else length - len(item)
            batch[row, start : start + len(item)] = item
            mask[row, start : start + len(item)] = 1
        return batch, mask

    def pad(
        self,
        processed_features: Any,
        padding: Any = True,
        *,
        return_tensors: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """Join features made one by one, as a data collator does.

        Args:
            processed_features: a list of mappings, or a mapping of lists; must hold the first of
                `model_input_names`.
            padding, **options: see `Padding`.
        """
        if not isinstance(processed_features, Mapping):
            names = list(processed_features[0]) if processed_features else []
            processed_features = {name: [one[name] for one in processed_features] for name in names}
        main = self.model_input_names[0]
        if main not in processed_features:
            held = ", ".join(processed_features) or "nothing"
            raise ProcessingError(f"the features to pad must hold {main!r}; they hold {held}")
        how = replace(self.padding_of(options), padding=padding)
        items = [torch.as_tensor(item, dtype=torch.float32) for item in processed_features[main]]
        found: dict[str, Any] = {name: v for name, v in processed_features.items() if name != main}
        found[main], mask = self.fit(items, how)
        if "attention_mask" in found:
            masks = [torch.as_tensor(item, dtype=torch.int32) for item in found["attention_mask"]]
            found["attention_mask"] = self.fit(masks, how, value=0)[0]
        elif self.wants_mask(how):
            found["attention_mask"] = mask
        return self.batch(found, return_tensors)


def _to_host(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.cpu()
    return [_to_host(item) for item in value] if isinstance(value, list) else value


def standardized(values: Tensor, *, correction: int = 0, eps: float = 1e-7) -> Tensor:
    """Zero mean and unit variance over the first dimension."""
    variance = values.var(0, correction=correction, keepdim=True)
    return (values - values.mean(0, keepdim=True)) / (variance + eps).sqrt()


def normalize_waves(values: Any, masks: Any, *, masked: bool, padding_value: float) -> Any:
    """Padded waveforms (batch, samples), or a list of them, each normalised.

    Args:
        masked: only over what is not padding, which keeps `padding_value`.
    """

    def one(wave: Tensor, mask: Tensor) -> Tensor:
        if not masked:
            return standardized(wave)
        kept = mask.bool()
        return torch.full_like(wave, padding_value).masked_scatter(kept, standardized(wave[kept]))

    found = [one(wave, mask) for wave, mask in zip(values, masks, strict=True)]
    return torch.stack(found) if isinstance(values, Tensor) else found
