"""A plugin-based model zoo: Auto classes over architectures that installed packages advertise.

Every public name is loaded when it is first used: importing the package imports no torch and no plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zoo_core.architecture import Architecture as Architecture
    from zoo_core.auto.configuration import AutoConfig as AutoConfig
    from zoo_core.auto.factory import AutoModelClass as AutoModelClass, auto_model_class as auto_model_class
    from zoo_core.auto.models import (
        AutoBackbone as AutoBackbone,
        AutoModel as AutoModel,
        AutoModelForAudioClassification as AutoModelForAudioClassification,
        AutoModelForAudioFrameClassification as AutoModelForAudioFrameClassification,
        AutoModelForAudioTokenization as AutoModelForAudioTokenization,
        AutoModelForAudioXVector as AutoModelForAudioXVector,
        AutoModelForCausalLM as AutoModelForCausalLM,
        AutoModelForCTC as AutoModelForCTC,
        AutoModelForDepthEstimation as AutoModelForDepthEstimation,
        AutoModelForDocumentQuestionAnswering as AutoModelForDocumentQuestionAnswering,
        AutoModelForImageClassification as AutoModelForImageClassification,
        AutoModelForImageSegmentation as AutoModelForImageSegmentation,
        AutoModelForImageTextToText as AutoModelForImageTextToText,
        AutoModelForImageToImage as AutoModelForImageToImage,
        AutoModelForInstanceSegmentation as AutoModelForInstanceSegmentation,
        AutoModelForKeypointDetection as AutoModelForKeypointDetection,
        AutoModelForKeypointMatching as AutoModelForKeypointMatching,
        AutoModelForMaskedImageModeling as AutoModelForMaskedImageModeling,
        AutoModelForMaskedLM as AutoModelForMaskedLM,
        AutoModelForMaskGeneration as AutoModelForMaskGeneration,
        AutoModelForMultipleChoice as AutoModelForMultipleChoice,
        AutoModelForNextSentencePrediction as AutoModelForNextSentencePrediction,
        AutoModelForObjectDetection as AutoModelForObjectDetection,
        AutoModelForPreTraining as AutoModelForPreTraining,
        AutoModelForQuestionAnswering as AutoModelForQuestionAnswering,
        AutoModelForSemanticSegmentation as AutoModelForSemanticSegmentation,
        AutoModelForSeq2SeqLM as AutoModelForSeq2SeqLM,
        AutoModelForSequenceClassification as AutoModelForSequenceClassification,
        AutoModelForSpeechSeq2Seq as AutoModelForSpeechSeq2Seq,
        AutoModelForTableQuestionAnswering as AutoModelForTableQuestionAnswering,
        AutoModelForTextEncoding as AutoModelForTextEncoding,
        AutoModelForTextToSpectrogram as AutoModelForTextToSpectrogram,
        AutoModelForTextToWaveform as AutoModelForTextToWaveform,
        AutoModelForTimeSeriesPrediction as AutoModelForTimeSeriesPrediction,
        AutoModelForTokenClassification as AutoModelForTokenClassification,
        AutoModelForUniversalSegmentation as AutoModelForUniversalSegmentation,
        AutoModelForVideoClassification as AutoModelForVideoClassification,
        AutoModelForVision2Seq as AutoModelForVision2Seq,
        AutoModelForVisualQuestionAnswering as AutoModelForVisualQuestionAnswering,
        AutoModelForZeroShotImageClassification as AutoModelForZeroShotImageClassification,
        AutoModelForZeroShotObjectDetection as AutoModelForZeroShotObjectDetection,
        AutoModelWithLMHead as AutoModelWithLMHead,
    )
    from zoo_core.auto.processing import AutoProcessor as AutoProcessor
    from zoo_core.auto.processors import (
        AutoFeatureExtractor as AutoFeatureExtractor,
        AutoImageProcessor as AutoImageProcessor,
        AutoVideoProcessor as AutoVideoProcessor,
    )
    from zoo_core.auto.tokenizers import AutoTokenizer as AutoTokenizer
    from zoo_core.config import PretrainedConfig as PretrainedConfig, sub_config as sub_config
    from zoo_core.generation import (
        AsyncTextIteratorStreamer as AsyncTextIteratorStreamer,
        BaseStreamer as BaseStreamer,
        CompileConfig as CompileConfig,
        Constraint as Constraint,
        DisjunctiveConstraint as DisjunctiveConstraint,
        GenerationConfig as GenerationConfig,
        GenerationMixin as GenerationMixin,
        LogitsProcessor as LogitsProcessor,
        LogitsProcessorList as LogitsProcessorList,
        PhrasalConstraint as PhrasalConstraint,
        StoppingCriteria as StoppingCriteria,
        StoppingCriteriaList as StoppingCriteriaList,
        TextIteratorStreamer as TextIteratorStreamer,
        TextStreamer as TextStreamer,
        WatermarkDetector as WatermarkDetector,
        WatermarkingConfig as WatermarkingConfig,
    )
    from zoo_core.modeling import PreTrainedModel as PreTrainedModel
    from zoo_core.nn.cache import Cache as Cache, DynamicCache as DynamicCache
    from zoo_core.nn.offloaded_cache import OffloadedCache as OffloadedCache
    from zoo_core.nn.quantized_cache import QuantizedCache as QuantizedCache
    from zoo_core.nn.static_cache import StaticCache as StaticCache
    from zoo_core.processing import (
        BatchFeature as BatchFeature,
        FeatureExtractionMixin as FeatureExtractionMixin,
        ImageProcessingMixin as ImageProcessingMixin,
        ProcessorMixin as ProcessorMixin,
        VideoProcessingMixin as VideoProcessingMixin,
    )
    from zoo_core.quantization import BitsAndBytesConfig as BitsAndBytesConfig
    from zoo_core.registry import prefer as prefer
    from zoo_core.tokenization import (
        BatchEncoding as BatchEncoding,
        PreTrainedTokenizer as PreTrainedTokenizer,
        PreTrainedTokenizerBase as PreTrainedTokenizerBase,
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
    "zoo_core.generation": (
        "AsyncTextIteratorStreamer",
        "BaseStreamer",
        "CompileConfig",
        "Constraint",
        "DisjunctiveConstraint",
        "GenerationConfig",
        "GenerationMixin",
        "LogitsProcessor",
        "LogitsProcessorList",
        "PhrasalConstraint",
        "StoppingCriteria",
        "StoppingCriteriaList",
        "TextIteratorStreamer",
        "TextStreamer",
        "WatermarkDetector",
        "WatermarkingConfig",
    ),
    "zoo_core.modeling": ("PreTrainedModel",),
    "zoo_core.nn.cache": ("Cache", "DynamicCache"),
    "zoo_core.nn.offloaded_cache": ("OffloadedCache",),
    "zoo_core.nn.quantized_cache": ("QuantizedCache",),
    "zoo_core.nn.static_cache": ("StaticCache",),
    "zoo_core.processing": (
        "BatchFeature",
        "FeatureExtractionMixin",
        "ImageProcessingMixin",
        "ProcessorMixin",
        "VideoProcessingMixin",
    ),
    "zoo_core.quantization": ("BitsAndBytesConfig",),
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
