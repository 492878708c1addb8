"""The three preprocessors: of sound, of images, of videos. Each is a settings file that can be called."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo_core.processing.batch_feature import BatchFeature
from zoo_core.processing.fields import SettingsFile


class Preprocessor(SettingsFile):
    """A settings file that turns raw inputs into the named arrays of a model.

    Subclasses implement ``__call__`` and name their outputs in ``model_input_names``.
    """

    model_input_names: ClassVar[list[str]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> BatchFeature:
        raise NotImplementedError(f"{type(self).__name__} does not say how it is called")

    def call_keywords(self) -> frozenset[str]:
        """The keywords that a call understands, which is how a processor knows whose a keyword is."""
        return frozenset(self.fields())


class FeatureExtractionMixin(Preprocessor):
    """Base of feature extractors (sound): settings in preprocessor_config.json."""

    type_key = "feature_extractor_type"
    section = "feature_extractor"


class ImageProcessingMixin(Preprocessor):
    """Base of image processors: settings in preprocessor_config.json."""

    type_key = "image_processor_type"
    section = "image_processor"


class VideoProcessingMixin(Preprocessor):
    """Base of video processors: settings in video_preprocessor_config.json or preprocessor_config.json."""

    type_key = "video_processor_type"
    section = "video_processor"
    file_names = ("video_preprocessor_config.json", "preprocessor_config.json")
