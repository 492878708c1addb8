"""Bases of processors whose ``__init__`` sets attributes of its own, as code of repositories writes them."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import FeatureExtractionMixin as NativeFeatures, ImageProcessingMixin as NativeImages


class ImageProcessingMixin(NativeImages):
    """The zoo's base of image processors."""


class BaseImageProcessor(ImageProcessingMixin):
    """An image processor that implements ``preprocess``."""

    def __call__(self, images: Any, **kwargs: Any) -> Any:
        return self.preprocess(images, **kwargs)

    def preprocess(self, images: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how images are processed")


class FeatureExtractionMixin(NativeFeatures):
    """The zoo's base of feature extractors."""


SequenceFeatureExtractor = FeatureExtractionMixin
