"""SEW: wav2vec 2.0 whose transformer works on fewer frames than go in and come out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.weight_norm import NormedConv1d
from zoo_audio.sew.config import SEWConfig
from zoo_audio.wav2vec2.model import SpeechEncoderModel
from zoo_core.heads.audio import ForAudioClassification, ForCTC
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers


class SEWPreTrainedModel(PreTrainedModel):
    """What all SEW classes share."""

    config_class = SEWConfig
    base_model_prefix = "sew"
    main_input_name = "input_values"


class SqueezedPositions(nn.Module):
    """The positional convolution, at every `squeeze_factor`-th frame only."""

    def __init__(self, config: SEWConfig) -> None:
        super().__init__()
        size, width = config.num_conv_pos_embeddings, config.hidden_size
        self.even = size % 2 == 0
        self.conv = NormedConv1d(
            width,
            width,
            size,
            dim=2,
            padding=size // 2,
            stride=config.squeeze_factor,
            groups=config.num_conv_pos_embedding_groups,
        )
        self.act = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, hidden, frames) to (batch, hidden, fewer frames)."""
        found = self.conv(hidden)
        return self.act(found[..., :-1] if self.even else found)


class Upsampler(nn.Module):
    """Each state back into `squeeze_factor` frames."""

    def __init__(self, config: SEWConfig) -> None:
        super().__init__()
        self.width = config.hidden_size
        self.projection = nn.Linear(self.width, self.width * config.squeeze_factor)
        self.act = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, states, hidden) to (batch, frames, hidden)."""
        return self.act(self.projection(hidden)).reshape(len(hidden), -1, self.width)


class SEWModel(SpeechEncoderModel, SEWPreTrainedModel):
    """SEW without a head."""

    hub_names = {
        **SpeechEncoderModel.hub_names,
        "feature_projection.layer_norm": "layer_norm",
        "feature_projection.projection": "feature_projection",
        "upsample": "encoder.upsample",
    }
    output_class = BaseModelOutput

    def __init__(self, config: SEWConfig) -> None:
        super().__init__(config)
        if config.conv_dim[-1] == config.hidden_size:
            self.feature_projection.projection = nn.Identity()
        self.upsample = Upsampler(config)
        self.post_init()

    def make_positions(self, config: SEWConfig) -> nn.Module:
        return SqueezedPositions(config)

    def encode(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        factor, frames = self.config.squeeze_factor, hidden.shape[1]
        kept = None
        if mask is not None:
            hidden = hidden * mask[..., None]
            lengths = mask.sum(-1) // factor
            kept = torch.arange(frames // factor, device=hidden.device) < lengths[:, None]
        turned = hidden.transpose(1, 2)
        pooled, places = F.avg_pool1d(turned, factor), self.pos_conv_embed(turned)
        count = min(pooled.shape[-1], places.shape[-1])
        hidden = (pooled[..., :count] + places[..., :count]).transpose(1, 2)
        hidden = self.upsample(self.transform(hidden, kept))
        return F.pad(hidden, (0, 0, 0, frames - hidden.shape[1]))

    def transform(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """The transformer, over squeezed frames (batch, states, hidden) of which those in `mask` count."""
        hidden = self.dropout(self.norm(hidden))
        return run_layers(self.layers, hidden, AttentionContext(hidden, mask))


class SEWForCTC(ForCTC, SEWPreTrainedModel):
    """SEW that transcribes."""

    base_class = SEWModel


class SEWForSequenceClassification(ForAudioClassification, SEWPreTrainedModel):
    """SEW with a classifier of the whole sound."""

    base_class = SEWModel
