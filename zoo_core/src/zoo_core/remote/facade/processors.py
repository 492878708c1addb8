"""Bases of processors whose ``__init__`` sets attributes of its own, as code of repositories writes them."""

from __future__ import annotations

import typing
import warnings
from collections.abc import Mapping
from typing import Any, TypedDict

from zoo_core.processing import (
    FeatureExtractionMixin as NativeFeatures,
    ImageProcessingMixin as NativeImages,
    ProcessorMixin as NativeProcessor,
)
from zoo_core.remote.facade import images as functions


class ImageProcessingMixin(NativeImages):
    """The zoo's base of image processors."""


class BaseImageProcessor(ImageProcessingMixin):
    """An image processor that implements ``preprocess``."""

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        return self.preprocess(images, **kwargs)

    def preprocess(self, images: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how images are processed")

    def rescale(self, image: Any, scale: float, **kwargs: Any) -> Any:
        """The values times ``scale``."""
        return functions.rescale(image, scale, **kwargs)

    def normalize(self, image: Any, mean: Any, std: Any, **kwargs: Any) -> Any:
        """(image - mean) / std, by channel."""
        return functions.normalize(image, mean, std, **kwargs)

    def center_crop(self, image: Any, size: Mapping[str, int], **kwargs: Any) -> Any:
        """The middle of the image; ``size`` has height and width."""
        return functions.center_crop(image, (size["height"], size["width"]), **kwargs)


class FeatureExtractionMixin(NativeFeatures):
    """The zoo's base of feature extractors."""


SequenceFeatureExtractor = FeatureExtractionMixin


class TextKwargs(TypedDict, total=False):
    """Keywords of a tokenizer's call."""

    text_pair: Any
    text_target: Any
    text_pair_target: Any
    add_special_tokens: bool
    padding: Any
    truncation: Any
    max_length: int | None
    stride: int
    is_split_into_words: bool
    pad_to_multiple_of: int | None
    padding_side: str | None
    return_token_type_ids: bool | None
    return_attention_mask: bool | None
    return_overflowing_tokens: bool
    return_special_tokens_mask: bool
    return_offsets_mapping: bool
    return_length: bool
    return_mm_token_type_ids: bool
    verbose: bool


class _PictureKwargs(TypedDict, total=False):
    do_resize: bool | None
    size: Any
    crop_size: Any
    resample: Any
    do_rescale: bool | None
    rescale_factor: float | None
    do_normalize: bool | None
    image_mean: Any
    image_std: Any
    do_center_crop: bool | None
    data_format: Any
    input_data_format: Any
    device: Any


class ImagesKwargs(_PictureKwargs, total=False):
    """Keywords of an image processor's call."""

    do_pad: bool | None
    pad_size: Any


class VideosKwargs(_PictureKwargs, total=False):
    """Keywords of a video processor's call."""

    do_convert_rgb: bool | None
    default_to_square: bool | None
    do_sample_frames: bool | None
    fps: Any
    num_frames: int | None
    video_metadata: Any
    return_metadata: bool | None


class AudioKwargs(TypedDict, total=False):
    """Keywords of a feature extractor's call."""

    sampling_rate: int | None
    raw_speech: Any
    padding: Any
    max_length: int | None
    truncation: bool | None
    pad_to_multiple_of: int | None
    return_attention_mask: bool | None


class CommonKwargs(TypedDict, total=False):
    """Keywords that every component gets."""

    return_tensors: Any


class ProcessingKwargs(TypedDict, total=False):
    """The groups of a processor's keywords; a subclass may hold ``_defaults`` by group."""

    text_kwargs: TextKwargs
    images_kwargs: ImagesKwargs
    videos_kwargs: VideosKwargs
    audio_kwargs: AudioKwargs
    common_kwargs: CommonKwargs


class ProcessorMixin(NativeProcessor):
    """The zoo's base of processors, with the call's keywords sorted as such code asks for it."""

    def _merge_kwargs(
        self, ModelProcessorKwargs: Any, tokenizer_init_kwargs: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, dict[str, Any]]:
        """The keywords of a call by group: defaults, then the tokenizer's own, then what the caller says."""
        groups = typing.get_type_hints(ModelProcessorKwargs)
        defaults = getattr(ModelProcessorKwargs, "_defaults", {})
        found = {name: dict(defaults.get(name, {})) for name in {**groups, "common_kwargs": None}}
        for name in typing.get_type_hints(groups.get("text_kwargs", TextKwargs)):
            if tokenizer_init_kwargs and name in tokenizer_init_kwargs:
                found["text_kwargs"][name] = tokenizer_init_kwargs[name]
        explicit = {name: kwargs.pop(name, None) or {} for name in found}
        for name, value in kwargs.items():
            takers = [group for group, kind in groups.items() if name in typing.get_type_hints(kind)]
            if not takers:
                warnings.warn(f"{type(self).__name__} knows no keyword {name!r}; it is ignored", stacklevel=3)
            for group in takers:
                found[group][name] = value
        for group, values in explicit.items():
            found[group].update(values)
        for group in found:
            found[group] = {**found["common_kwargs"], **found[group]}
        return found
