"""HuBERT: wav2vec 2.0's encoder, trained on clusters of frames."""

from __future__ import annotations

from zoo_audio.hubert.config import HubertConfig
from zoo_audio.wav2vec2.model import SpeechEncoderModel
from zoo_core.heads.audio import ForAudioClassification, ForCTC
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput


class HubertPreTrainedModel(PreTrainedModel):
    """What all HuBERT classes share."""

    config_class = HubertConfig
    base_model_prefix = "hubert"
    main_input_name = "input_values"


class HubertModel(SpeechEncoderModel, HubertPreTrainedModel):
    """HuBERT without a head."""

    output_class = BaseModelOutput


class HubertForCTC(ForCTC, HubertPreTrainedModel):
    """HuBERT that transcribes."""

    base_class = HubertModel


class HubertForSequenceClassification(ForAudioClassification, HubertPreTrainedModel):
    """HuBERT with a classifier of the whole sound."""

    base_class = HubertModel
