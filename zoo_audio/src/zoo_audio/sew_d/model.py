"""SEW-D: SEW whose transformer attends to content and to relative positions apart."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_audio.sew.model import SEWModel
from zoo_audio.sew_d.config import SEWDConfig
from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.heads.audio import ForAudioClassification, ForCTC
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.disentangled import DisentangledAttention, RelativePositions
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext, Mask, token_pairs
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers


class SEWDPreTrainedModel(PreTrainedModel):
    """What all SEW-D classes share."""

    config_class = SEWDConfig
    base_model_prefix = "sew_d"
    main_input_name = "input_values"


class SEWDAttention(DisentangledAttention):
    """Padding, which sees nothing, has weights of zero."""

    def weigh(self, query: Tensor, key: Tensor, value: Tensor, mask: Mask, **options: Any) -> Any:
        attended, weights = super().weigh(query, key, value, mask, **options)
        if weights is not None and mask.allowed is not None:
            weights = weights * mask.allowed.any(-1, keepdim=True)
        return attended, weights


class SEWDLayer(PostNormLayer):
    """A layer under the names of DeBERTa-v2."""

    hub_names = BERT_LAYER | {
        f"self_attn.{x[0]}_proj": f"attention.self.{x}_proj" for x in ("query", "key", "value")
    }


class SEWDModel(RelativePositions, SEWModel, SEWDPreTrainedModel):
    """SEW-D without a head."""

    hub_names = SEWModel.hub_names | {
        "layers": "encoder.encoder.layer",
        "rel_embeddings": "encoder.encoder.rel_embeddings",
        "rel_norm": "encoder.encoder.LayerNorm",
    }

    def __init__(self, config: SEWDConfig) -> None:
        super().__init__(config)
        self.feature_projection.layer_norm.eps = config.feature_layer_norm_eps
        self.norm = None
        self.make_relative_positions(config)
        self.post_init()

    def make_layer(self, config: SEWDConfig, index: int) -> nn.Module:
        return SEWDLayer(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=SEWDAttention(config),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.activation_dropout,
        )

    def transform(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        context = AttentionContext(hidden, None if mask is None else token_pairs(mask))
        self.prepare_positions(context)
        return run_layers(self.layers, hidden, context)


class SEWDForCTC(ForCTC, SEWDPreTrainedModel):
    """SEW-D that transcribes."""

    base_class = SEWDModel


class SEWDForSequenceClassification(ForAudioClassification, SEWDPreTrainedModel):
    """SEW-D with a classifier of the whole sound."""

    base_class = SEWDModel
