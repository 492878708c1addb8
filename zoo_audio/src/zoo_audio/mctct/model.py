"""M-CTC-T: a strided convolution over log-mel frames and a post-norm encoder with relative positions."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.mctct.config import MCTCTConfig
from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.heads.audio import ForCTC, OfFeatures
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.relative_key import RelativeKeyAttention
from zoo_core.nn.stack import run_layers


class MCTCTPreTrainedModel(PreTrainedModel):
    """What all M-CTC-T classes share."""

    config_class = MCTCTConfig
    base_model_prefix = "mctct"
    main_input_name = "input_features"


class ScalarNorm(nn.Module):
    """One weight and one bias for everything, as Flashlight has them."""

    def __init__(self) -> None:
        super().__init__()
        self.singleton_weight = nn.Parameter(torch.ones(1))
        self.singleton_bias = nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden * self.singleton_weight + self.singleton_bias


class Subsampler(nn.Module):
    """A strided convolution with a gated linear unit."""

    hub_names = {"conv": "conv_layers.0"}

    def __init__(self, config: MCTCTConfig) -> None:
        super().__init__()
        bands, size = config.input_feat_per_channel * config.input_channels, config.hidden_size
        kernel, stride = config.conv_kernel[0], config.conv_stride[0]
        self.glu_dim, self.dropout = config.conv_glu_dim, nn.Dropout(config.conv_dropout)
        self.conv = nn.Conv1d(bands, 2 * size, kernel, stride, padding=kernel // 2)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Frames of the output for so many of the input."""
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        return (lengths + 2 * (kernel // 2) - kernel) // stride + 1

    def forward(self, features: Tensor) -> Tensor:
        """(batch, frames, bands) to (batch, fewer frames, hidden)."""
        hidden = F.glu(self.conv(features.transpose(1, 2)), dim=self.glu_dim)
        return self.dropout(hidden).transpose(1, 2)


class FollowingKeyAttention(RelativeKeyAttention):
    """Learned vectors of the distance, counted from the query to the key."""

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        place = context.positions
        index = place - place[:, None] + self.max_positions - 1
        return (
            torch.einsum("bhqd,qkd->bhqk", query, self.distance_embedding(index).to(query.dtype)) * self.scale
        )


class MCTCTLayer(PostNormLayer):
    """A layer under BERT's names; no linear map has a bias."""

    hub_names = BERT_LAYER | {"self_attn.distance_embedding": "attention.self.distance_embedding"}

    def __init__(self, config: MCTCTConfig) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=FollowingKeyAttention(
                config.hidden_size,
                config.num_attention_heads,
                head_dim=config.attention_head_dim,
                bias=False,
                dropout=config.attention_probs_dropout_prob,
                max_positions=config.max_position_embeddings,
                with_key=False,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=False),
            dropout=config.hidden_dropout_prob,
        )


class MCTCTModel(MCTCTPreTrainedModel):
    """The encoder without a head."""

    hub_names = {part: f"encoder.{part}" for part in ("layer_norm", "conv", "layers")}

    def __init__(self, config: MCTCTConfig) -> None:
        super().__init__(config)
        self.layer_norm = ScalarNorm()
        self.conv = Subsampler(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.layers = nn.ModuleList(MCTCTLayer(config) for _ in range(config.num_hidden_layers))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes log-mel frames, not tokens")

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """Bool (batch, frames): those that hold no padding, from the mask of the input's frames."""
        lengths = self.conv.frame_lengths(attention_mask.sum(-1))
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """Log-mel frames (batch, frames, bands) to states (batch, fewer frames, hidden)."""
        if input_features is None:
            raise ValueError("pass input_features (batch, frames, bands)")
        hidden = self.conv(self.layer_norm(input_features.to(self.dtype)))
        mask = None if attention_mask is None else self.frame_mask(hidden.shape[1], attention_mask)
        context = AttentionContext(hidden, mask)
        hidden = run_layers(self.layers, self.dropout(hidden), context, head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=hidden)


class MCTCTForCTC(OfFeatures, ForCTC, MCTCTPreTrainedModel):
    """M-CTC-T that transcribes."""

    base_class = MCTCTModel
    head_names = {"lm_head": "ctc_head"}

    def build_head(self, config: MCTCTConfig) -> None:
        self.dropout = nn.Identity()
        self.lm_head = Linear(config.hidden_size, config.vocab_size)
