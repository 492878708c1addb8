"""The Auto classes of models, one for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo_core.auto.base import Path
from zoo_core.auto.factory import AutoModelClass
from zoo_core.auto.resolve import model_class
from zoo_core.config import config_class_for

if TYPE_CHECKING:
    from zoo_core.generation import GenerationMixin
    from zoo_core.modeling import PreTrainedModel

    class GenerativeModel(PreTrainedModel, GenerationMixin):
        """What the classes of generating models return, to type checkers."""

else:  # subscripts of base classes are evaluated
    PreTrainedModel = GenerativeModel = Any


class AutoModel(AutoModelClass[PreTrainedModel]):
    """Base models: the hidden states, without a head."""


class AutoModelForPreTraining(AutoModelClass[GenerativeModel]):
    """Models with a pretraining head."""


class AutoModelForCausalLM(AutoModelClass[GenerativeModel]):
    """Models with a causal language modeling head."""


class AutoModelForMaskedLM(AutoModelClass[PreTrainedModel]):
    """Models with a masked language modeling head."""


class AutoModelForMaskGeneration(AutoModelClass[PreTrainedModel]):
    """Models with a mask generation head."""


class AutoModelForSeq2SeqLM(AutoModelClass[GenerativeModel]):
    """Models with a sequence-to-sequence language modeling head."""


class AutoModelForSequenceClassification(AutoModelClass[PreTrainedModel]):
    """Models with a sequence classification head."""


class AutoModelForMultipleChoice(AutoModelClass[PreTrainedModel]):
    """Models with a multiple choice head."""


class AutoModelForNextSentencePrediction(AutoModelClass[PreTrainedModel]):
    """Models with a next sentence prediction head."""


class AutoModelForTokenClassification(AutoModelClass[PreTrainedModel]):
    """Models with a token classification head."""


class AutoModelForQuestionAnswering(AutoModelClass[PreTrainedModel]):
    """Models with a question answering head."""


class AutoModelForTextEncoding(AutoModelClass[PreTrainedModel]):
    """Models with a text encoding head."""


class AutoModelForTableQuestionAnswering(AutoModelClass[PreTrainedModel]):
    """Models with a table question answering head."""


class AutoModelForDocumentQuestionAnswering(AutoModelClass[PreTrainedModel]):
    """Models with a document question answering head."""


class AutoModelForVisualQuestionAnswering(AutoModelClass[PreTrainedModel]):
    """Models with a visual question answering head."""


class AutoModelForImageClassification(AutoModelClass[PreTrainedModel]):
    """Models with an image classification head."""


class AutoModelForZeroShotImageClassification(AutoModelClass[PreTrainedModel]):
    """Models with a zero-shot image classification head."""


class AutoModelForImageSegmentation(AutoModelClass[PreTrainedModel]):
    """Models with an image segmentation head."""


class AutoModelForSemanticSegmentation(AutoModelClass[PreTrainedModel]):
    """Models with a semantic segmentation head."""


class AutoModelForInstanceSegmentation(AutoModelClass[PreTrainedModel]):
    """Models with an instance segmentation head."""


class AutoModelForUniversalSegmentation(AutoModelClass[PreTrainedModel]):
    """Models with a universal image segmentation head."""


class AutoModelForObjectDetection(AutoModelClass[PreTrainedModel]):
    """Models with an object detection head."""


class AutoModelForZeroShotObjectDetection(AutoModelClass[PreTrainedModel]):
    """Models with a zero-shot object detection head."""


class AutoModelForDepthEstimation(AutoModelClass[PreTrainedModel]):
    """Models with a depth estimation head."""


class AutoModelForKeypointDetection(AutoModelClass[PreTrainedModel]):
    """Models with a keypoint detection head."""


class AutoModelForKeypointMatching(AutoModelClass[PreTrainedModel]):
    """Models with a keypoint matching head."""


class AutoModelForMaskedImageModeling(AutoModelClass[PreTrainedModel]):
    """Models with a masked image modeling head."""


class AutoModelForImageToImage(AutoModelClass[PreTrainedModel]):
    """Models with an image-to-image head."""


class AutoModelForVideoClassification(AutoModelClass[PreTrainedModel]):
    """Models with a video classification head."""


class AutoModelForAudioClassification(AutoModelClass[PreTrainedModel]):
    """Models with an audio classification head."""


class AutoModelForAudioFrameClassification(AutoModelClass[PreTrainedModel]):
    """Models with an audio frame (token) classification head."""


class AutoModelForAudioXVector(AutoModelClass[PreTrainedModel]):
    """Models with an audio retrieval via x-vector head."""


class AutoModelForAudioTokenization(AutoModelClass[PreTrainedModel]):
    """Models with an audio tokenization through codebooks head."""


class AutoModelForCTC(AutoModelClass[PreTrainedModel]):
    """Models with a connectionist temporal classification head."""


class AutoModelForSpeechSeq2Seq(AutoModelClass[GenerativeModel]):
    """Models with a sequence-to-sequence speech-to-text modeling head."""


class AutoModelForTextToSpectrogram(AutoModelClass[PreTrainedModel]):
    """Models with a text-to-spectrogram head."""


class AutoModelForTextToWaveform(AutoModelClass[GenerativeModel]):
    """Models with a text-to-waveform head."""


class AutoModelForImageTextToText(AutoModelClass[GenerativeModel]):
    """Models with an image-text-to-text modeling head."""


class AutoModelForTimeSeriesPrediction(AutoModelClass[PreTrainedModel]):
    """Models with a time-series prediction head."""


class AutoModelForVision2Seq(AutoModelClass[GenerativeModel]):
    """Models with a vision-to-text modeling head; deprecated for `AutoModelForImageTextToText`."""

    _deprecated = "Use AutoModelForImageTextToText."


class AutoModelWithLMHead(AutoModelClass[GenerativeModel]):
    """Models with a language modeling head of any kind; deprecated for the class of the kind."""

    _deprecated = (
        "Use AutoModelForCausalLM for causal, AutoModelForMaskedLM for masked and AutoModelForSeq2SeqLM for "
        "encoder-decoder language models."
    )


class AutoBackbone(AutoModelClass[PreTrainedModel]):
    """Vision backbones: feature maps of chosen stages."""

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: Path | None, *model_args: Any, **kwargs: Any
    ) -> Any:
        """As every Auto class of models; with ``use_timm_backbone=True`` a backbone by timm's name.

        The latter takes ``num_channels``, ``features_only``, ``use_pretrained_backbone`` (by default True:
        load the weights that timm has published) and ``out_indices``, and neither ``config`` nor
        ``output_loading_info``.
        """
        if not kwargs.pop("use_timm_backbone", False):
            return super().from_pretrained(pretrained_model_name_or_path, *model_args, **kwargs)
        for refused in ("config", "output_loading_info"):
            if kwargs.pop(refused, None):
                raise ValueError(
                    f"AutoBackbone: {refused} cannot be given together with use_timm_backbone=True"
                )
        config = config_class_for("timm_backbone")(
            backbone=pretrained_model_name_or_path,
            num_channels=kwargs.pop("num_channels", 3),
            features_only=kwargs.pop("features_only", True),
            use_pretrained_backbone=kwargs.pop("use_pretrained_backbone", True),
            out_indices=kwargs.pop("out_indices", (-1,)),
        )
        if config.use_pretrained_backbone:
            return model_class(cls.__name__, config).from_timm(config, **kwargs)
        return cls.from_config(config, **kwargs)
