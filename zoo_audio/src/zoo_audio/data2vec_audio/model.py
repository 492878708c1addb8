"""data2vec for speech: wav2vec 2.0's encoder with a stack of convolutions for positions."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.data2vec_audio.config import Data2VecAudioConfig
from zoo_audio.wav2vec2.model import SpeechEncoderModel
from zoo_core.heads.audio import ForAudioClassification, ForAudioFrameClassification, ForCTC, ForXVector
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation


class Data2VecAudioPreTrainedModel(PreTrainedModel):
    """What all data2vec for speech classes share."""

    config_class = Data2VecAudioConfig
    base_model_prefix = "data2vec_audio"
    main_input_name = "input_values"


class PositionLayer(nn.Module):
    """A grouped convolution, a norm without weights, and the activation."""

    def __init__(self, config: Data2VecAudioConfig) -> None:
        super().__init__()
        width, kernel = config.hidden_size, config.conv_pos_kernel_size
        groups = config.num_conv_pos_embedding_groups
        self.conv = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=groups)
        self.act = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        turned = self.conv(hidden.transpose(1, 2))[..., : hidden.shape[1]].transpose(1, 2)
        return self.act(F.layer_norm(turned, turned.shape[-1:]))


class PositionStack(nn.Module):
    """Several of them, which together see as far as one wide convolution."""

    def __init__(self, config: Data2VecAudioConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(PositionLayer(config) for _ in range(config.num_conv_pos_embeddings))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, hidden) to the same shape."""
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class Data2VecAudioModel(SpeechEncoderModel, Data2VecAudioPreTrainedModel):
    """data2vec for speech without a head."""

    def make_positions(self, config: Data2VecAudioConfig) -> nn.Module:
        return PositionStack(config)


class Data2VecAudioForCTC(ForCTC, Data2VecAudioPreTrainedModel):
    """data2vec for speech that transcribes."""

    base_class = Data2VecAudioModel


class Data2VecAudioForSequenceClassification(ForAudioClassification, Data2VecAudioPreTrainedModel):
    """data2vec for speech with a classifier of the whole sound."""

    base_class = Data2VecAudioModel


class Data2VecAudioForAudioFrameClassification(ForAudioFrameClassification, Data2VecAudioPreTrainedModel):
    """data2vec for speech with a classifier of every frame."""

    base_class = Data2VecAudioModel


class Data2VecAudioForXVector(ForXVector, Data2VecAudioPreTrainedModel):
    """data2vec for speech with a vector for the speaker."""

    base_class = Data2VecAudioModel
