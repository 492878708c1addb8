"""What every modality's preprocessing shares: settings files, batches, and processors that join them."""

from zoo_core.processing.batch_feature import BatchFeature
from zoo_core.processing.fields import SettingsFile
from zoo_core.processing.mixins import (
    FeatureExtractionMixin,
    ImageProcessingMixin,
    Preprocessor,
    VideoProcessingMixin,
)
from zoo_core.processing.placeholders import expand_placeholders, share_out
from zoo_core.processing.processor import ProcessorMixin

__all__ = [
    "BatchFeature",
    "FeatureExtractionMixin",
    "ImageProcessingMixin",
    "Preprocessor",
    "ProcessorMixin",
    "SettingsFile",
    "VideoProcessingMixin",
    "expand_placeholders",
    "share_out",
]
