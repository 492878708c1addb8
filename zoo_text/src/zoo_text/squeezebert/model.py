"""SqueezeBERT: BERT whose linear layers fall into groups of features."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.mlp import MLP
from zoo_text.bert import model as bert
from zoo_text.score_attention import ScoreAttention
from zoo_text.squeezebert.config import SqueezeBertConfig


class SqueezeBertPreTrainedModel(bert.BertPreTrainedModel):
    """What all SqueezeBERT classes share."""

    config_class = SqueezeBertConfig
    base_model_prefix = "transformer"


class GroupedLinear(nn.Conv1d):
    """A linear map of each group of features, stored as a convolution of width 1."""

    def __init__(self, inputs: int, outputs: int, groups: int) -> None:
        super().__init__(inputs, outputs, kernel_size=1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, sequence, inputs) to (batch, sequence, outputs)."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class SqueezeBertLayer(bert.BertLayer):
    """BERT's layer with grouped maps."""

    hub_names = {
        "self_attn.q_proj": "attention.query",
        "self_attn.k_proj": "attention.key",
        "self_attn.v_proj": "attention.value",
        "self_attn.o_proj": "post_attention.conv1d",
        "self_attn_layer_norm": "post_attention.layernorm",
        "mlp.fc1": "intermediate.conv1d",
        "mlp.fc2": "output.conv1d",
        "final_layer_norm": "output.layernorm",
    }

    def __init__(self, config: SqueezeBertConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        size, inner = config.hidden_size, config.intermediate_size
        heads, dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.self_attn = attention = ScoreAttention(size, heads, dropout=dropout)
        attention.q_proj = GroupedLinear(size, size, config.q_groups)
        attention.k_proj = GroupedLinear(size, size, config.k_groups)
        attention.v_proj = GroupedLinear(size, size, config.v_groups)
        attention.o_proj = GroupedLinear(size, size, config.post_attention_groups)
        mlp = self.mlp
        assert isinstance(mlp, MLP)
        mlp.fc1 = GroupedLinear(size, inner, config.intermediate_groups)
        mlp.fc2 = GroupedLinear(inner, size, config.output_groups)


class SqueezeBertModel(SqueezeBertPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    hub_names = {"embeddings.layer_norm": "embeddings.LayerNorm", "layers": "encoder.layers"}
    layer_class = SqueezeBertLayer


class SqueezeBertForMaskedLM(SqueezeBertPreTrainedModel, bert.BertForMaskedLM):
    """SqueezeBERT with a masked language modeling head."""

    base_class = SqueezeBertModel
    base_options = {}


class SqueezeBertForSequenceClassification(SqueezeBertPreTrainedModel, bert.BertForSequenceClassification):
    """SqueezeBERT with a classifier on the pooled output."""

    base_class = SqueezeBertModel


class SqueezeBertForMultipleChoice(SqueezeBertPreTrainedModel, bert.BertForMultipleChoice):
    """SqueezeBERT with one score for each choice."""

    base_class = SqueezeBertModel


class SqueezeBertForTokenClassification(SqueezeBertPreTrainedModel, bert.BertForTokenClassification):
    """SqueezeBERT with a classifier on each token."""

    base_class = SqueezeBertModel
    base_options = {}


class SqueezeBertForQuestionAnswering(SqueezeBertPreTrainedModel, bert.BertForQuestionAnswering):
    """SqueezeBERT with scores of an answer's first and last token."""

    base_class = SqueezeBertModel
    base_options = {}
