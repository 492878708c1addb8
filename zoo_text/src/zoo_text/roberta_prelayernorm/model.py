"""RoBERTa with norms before the blocks."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_text.bert.model import PreNormBertLayer
from zoo_text.roberta import model as roberta
from zoo_text.roberta_prelayernorm.config import RobertaPreLayerNormConfig


class RobertaPreLayerNormPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all pre-norm RoBERTa classes share."""

    config_class = RobertaPreLayerNormConfig
    base_model_prefix = "roberta_prelayernorm"


class RobertaPreLayerNormLayer(PreNormBertLayer):
    """A layer with the norms before the blocks."""

    hub_names = PreNormBertLayer.hub_names | {
        "input_layernorm": "attention.LayerNorm",
        "cross_attn_layernorm": "crossattention.LayerNorm",
        "post_attention_layernorm": "intermediate.LayerNorm",
    }


class RobertaPreLayerNormModel(RobertaPreLayerNormPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""

    hub_names = BERT | {"last_norm": "LayerNorm"}
    layer_class = RobertaPreLayerNormLayer

    def __init__(self, config: RobertaPreLayerNormConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)
        self.last_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def finish(self, hidden: Tensor) -> Tensor:
        return self.last_norm(hidden)


class RobertaPreLayerNormForMaskedLM(RobertaPreLayerNormPreTrainedModel, roberta.RobertaForMaskedLM):
    """pre-norm RoBERTa with a masked language modeling head."""

    base_class = RobertaPreLayerNormModel


class RobertaPreLayerNormForCausalLM(RobertaPreLayerNormPreTrainedModel, roberta.RobertaForCausalLM):
    """pre-norm RoBERTa as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = RobertaPreLayerNormModel


class RobertaPreLayerNormForSequenceClassification(
    RobertaPreLayerNormPreTrainedModel, roberta.RobertaForSequenceClassification
):
    """pre-norm RoBERTa with a classifier on the first token."""

    base_class = RobertaPreLayerNormModel


class RobertaPreLayerNormForMultipleChoice(
    RobertaPreLayerNormPreTrainedModel, roberta.RobertaForMultipleChoice
):
    """pre-norm RoBERTa with one score for each choice."""

    base_class = RobertaPreLayerNormModel


class RobertaPreLayerNormForTokenClassification(
    RobertaPreLayerNormPreTrainedModel, roberta.RobertaForTokenClassification
):
    """pre-norm RoBERTa with a classifier on each token."""

    base_class = RobertaPreLayerNormModel


class RobertaPreLayerNormForQuestionAnswering(
    RobertaPreLayerNormPreTrainedModel, roberta.RobertaForQuestionAnswering
):
    """pre-norm RoBERTa with scores of an answer's first and last token."""

    base_class = RobertaPreLayerNormModel
