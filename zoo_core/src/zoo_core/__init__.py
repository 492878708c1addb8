"""A plugin-based model zoo: Auto classes over architectures that installed packages advertise.

Every public name is loaded when it is first used: importing the package imports no torch and no plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zoo_core.architecture import Architecture as Architecture
    from zoo_core.auto.configuration import AutoConfig as AutoConfig
    from zoo_core.auto.factory import AutoModelClass as AutoModelClass
    from zoo_core.auto.factory import auto_model_class as auto_model_class
    from zoo_core.auto.models import (
        AutoBackbone as AutoBackbone,
    )
    from zoo_core.auto.models import (
        AutoModel as AutoModel,
    )
    from zoo_core.auto.models import (
        AutoModelForAudioClassification as AutoModelForAudioClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForAudioFrameClassification as AutoModelForAudioFrameClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForAudioTokenization as AutoModelForAudioTokenization,
    )
    from zoo_core.auto.models import (
        AutoModelForAudioXVector as AutoModelForAudioXVector,
    )
    from zoo_core.auto.models import (
        AutoModelForCausalLM as AutoModelForCausalLM,
    )
    from zoo_core.auto.models import (
        AutoModelForCTC as AutoModelForCTC,
    )
    from zoo_core.auto.models import (
        AutoModelForDepthEstimation as AutoModelForDepthEstimation,
    )
    from zoo_core.auto.models import (
        AutoModelForDocumentQuestionAnswering as AutoModelForDocumentQuestionAnswering,
    )
    from zoo_core.auto.models import (
        AutoModelForImageClassification as AutoModelForImageClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForImageSegmentation as AutoModelForImageSegmentation,
    )
    from zoo_core.auto.models import (
        AutoModelForImageTextToText as AutoModelForImageTextToText,
    )
    from zoo_core.auto.models import (
        AutoModelForImageToImage as AutoModelForImageToImage,
    )
    from zoo_core.auto.models import (
        AutoModelForInstanceSegmentation as AutoModelForInstanceSegmentation,
    )
    from zoo_core.auto.models import (
        AutoModelForKeypointDetection as AutoModelForKeypointDetection,
    )
    from zoo_core.auto.models import (
        AutoModelForKeypointMatching as AutoModelForKeypointMatching,
    )
    from zoo_core.auto.models import (
        AutoModelForMaskedImageModeling as AutoModelForMaskedImageModeling,
    )
    from zoo_core.auto.models import (
        AutoModelForMaskedLM as AutoModelForMaskedLM,
    )
    from zoo_core.auto.models import (
        AutoModelForMaskGeneration as AutoModelForMaskGeneration,
    )
    from zoo_core.auto.models import (
        AutoModelForMultipleChoice as AutoModelForMultipleChoice,
    )
    from zoo_core.auto.models import (
        AutoModelForNextSentencePrediction as AutoModelForNextSentencePrediction,
    )
    from zoo_core.auto.models import (
        AutoModelForObjectDetection as AutoModelForObjectDetection,
    )
    from zoo_core.auto.models import (
        AutoModelForPreTraining as AutoModelForPreTraining,
    )
    from zoo_core.auto.models import (
        AutoModelForQuestionAnswering as AutoModelForQuestionAnswering,
    )
    from zoo_core.auto.models import (
        AutoModelForSemanticSegmentation as AutoModelForSemanticSegmentation,
    )
    from zoo_core.auto.models import (
        AutoModelForSeq2SeqLM as AutoModelForSeq2SeqLM,
    )
    from zoo_core.auto.models import (
        AutoModelForSequenceClassification as AutoModelForSequenceClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForSpeechSeq2Seq as AutoModelForSpeechSeq2Seq,
    )
    from zoo_core.auto.models import (
        AutoModelForTableQuestionAnswering as AutoModelForTableQuestionAnswering,
    )
    from zoo_core.auto.models import (
        AutoModelForTextEncoding as AutoModelForTextEncoding,
    )
    from zoo_core.auto.models import (
        AutoModelForTextToSpectrogram as AutoModelForTextToSpectrogram,
    )
    from zoo_core.auto.models import (
        AutoModelForTextToWaveform as AutoModelForTextToWaveform,
    )
    from zoo_core.auto.models import (
        AutoModelForTimeSeriesPrediction as AutoModelForTimeSeriesPrediction,
    )
    from zoo_core.auto.models import (
        AutoModelForTokenClassification as AutoModelForTokenClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForUniversalSegmentation as AutoModelForUniversalSegmentation,
    )
    from zoo_core.auto.models import (
        AutoModelForVideoClassification as AutoModelForVideoClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForVision2Seq as AutoModelForVision2Seq,
    )
    from zoo_core.auto.models import (
        AutoModelForVisualQuestionAnswering as AutoModelForVisualQuestionAnswering,
    )
    from zoo_core.auto.models import (
        AutoModelForZeroShotImageClassification as AutoModelForZeroShotImageClassification,
    )
    from zoo_core.auto.models import (
        AutoModelForZeroShotObjectDetection as AutoModelForZeroShotObjectDetection,
    )
    from zoo_core.auto.models import (
        AutoModelWithLMHead as AutoModelWithLMHead,
    )
    from zoo_core.auto.processing import AutoProcessor as AutoProcessor
    from zoo_core.auto.processors import (
        AutoFeatureExtractor as AutoFeatureExtractor,
    )
    from zoo_core.auto.processors import (
        AutoImageProcessor as AutoImageProcessor,
    )
    from zoo_core.auto.processors import (
        AutoVideoProcessor as AutoVideoProcessor,
    )
    from zoo_core.auto.tokenizers import AutoTokenizer as AutoTokenizer
    from zoo_core.config import PretrainedConfig as PretrainedConfig
    from zoo_core.config import sub_config as sub_config
    from zoo_core.modeling import PreTrainedModel as PreTrainedModel
    from zoo_core.processing import (
        BatchFeature as BatchFeature,
    )
    from zoo_core.processing import (
        FeatureExtractionMixin as FeatureExtractionMixin,
    )
    from zoo_core.processing import (
        ImageProcessingMixin as ImageProcessingMixin,
    )
    from zoo_core.processing import (
        ProcessorMixin as ProcessorMixin,
    )
    from zoo_core.processing import (
        VideoProcessingMixin as VideoProcessingMixin,
    )
    from zoo_core.registry import prefer as prefer
    from zoo_core.tokenization import (
        BatchEncoding as BatchEncoding,
    )
    from zoo_core.tokenization import (
        PreTrainedTokenizer as PreTrainedTokenizer,
    )
    from zoo_core.tokenization import (
        PreTrainedTokenizerBase as PreTrainedTokenizerBase,
    )
    from zoo_core.tokenization import (
        PreTrainedTokenizerFast as PreTrainedTokenizerFast,
    )

_EXPORTS: dict[str, tuple[str, ...]] = {
    "zoo_core.architecture": ("Architecture",),
    "zoo_core.auto.configuration": ("AutoConfig",),
    "zoo_core.auto.factory": (
        "AutoModelClass",
        "auto_model_class",
    ),
    "zoo_core.auto.models": (
        "AutoBackbone",
        "AutoModel",
        "AutoModelForAudioClassification",
        "AutoModelForAudioFrameClassification",
        "AutoModelForAudioTokenization",
        "AutoModelForAudioXVector",
        "AutoModelForCTC",
        "AutoModelForCausalLM",
        "AutoModelForDepthEstimation",
        "AutoModelForDocumentQuestionAnswering",
        "AutoModelForImageClassification",
        "AutoModelForImageSegmentation",
        "AutoModelForImageTextToText",
        "AutoModelForImageToImage",
        "AutoModelForInstanceSegmentation",
        "AutoModelForKeypointDetection",
        "AutoModelForKeypointMatching",
        "AutoModelForMaskGeneration",
        "AutoModelForMaskedImageModeling",
        "AutoModelForMaskedLM",
        "AutoModelForMultipleChoice",
        "AutoModelForNextSentencePrediction",
        "AutoModelForObjectDetection",
        "AutoModelForPreTraining",
        "AutoModelForQuestionAnswering",
        "AutoModelForSemanticSegmentation",
        "AutoModelForSeq2SeqLM",
        "AutoModelForSequenceClassification",
        "AutoModelForSpeechSeq2Seq",
        "AutoModelForTableQuestionAnswering",
        "AutoModelForTextEncoding",
        "AutoModelForTextToSpectrogram",
        "AutoModelForTextToWaveform",
        "AutoModelForTimeSeriesPrediction",
        "AutoModelForTokenClassification",
        "AutoModelForUniversalSegmentation",
        "AutoModelForVideoClassification",
        "AutoModelForVision2Seq",
        "AutoModelForVisualQuestionAnswering",
        "AutoModelForZeroShotImageClassification",
        "AutoModelForZeroShotObjectDetection",
        "AutoModelWithLMHead",
    ),
    "zoo_core.auto.processing": ("AutoProcessor",),
    "zoo_core.auto.processors": (
        "AutoFeatureExtractor",
        "AutoImageProcessor",
        "AutoVideoProcessor",
    ),
    "zoo_core.auto.tokenizers": ("AutoTokenizer",),
    "zoo_core.config": (
        "PretrainedConfig",
        "sub_config",
    ),
    "zoo_core.modeling": ("PreTrainedModel",),
    "zoo_core.processing": (
        "BatchFeature",
        "FeatureExtractionMixin",
        "ImageProcessingMixin",
        "ProcessorMixin",
        "VideoProcessingMixin",
    ),
    "zoo_core.registry": ("prefer",),
    "zoo_core.tokenization": (
        "BatchEncoding",
        "PreTrainedTokenizer",
        "PreTrainedTokenizerBase",
        "PreTrainedTokenizerFast",
    ),
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
