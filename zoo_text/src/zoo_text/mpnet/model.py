"""MPNet: a BERT whose layers share learned biases for the distance between tokens."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.heads.first_token import ForFirstTokenClassification
from zoo_core.heads.language import ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.relative_bias import RelativeBias
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import LM_TIE, Pooler
from zoo_text.mpnet.config import MPNetConfig


class MPNetPreTrainedModel(PreTrainedModel):
    """What all MPNet classes share."""

    config_class = MPNetConfig
    base_model_prefix = "mpnet"


class MPNetModel(MPNetPreTrainedModel):
    """The encoder and the pooler."""

    hub_names = {
        "embeddings.layer_norm": "embeddings.LayerNorm",
        "relative_attention_bias": "encoder.relative_attention_bias",
        "layers": "encoder.layer",
        "layers.*.self_attn.q_proj": "encoder.layer.*.attention.attn.q",
        "layers.*.self_attn.k_proj": "encoder.layer.*.attention.attn.k",
        "layers.*.self_attn.v_proj": "encoder.layer.*.attention.attn.v",
        "layers.*.self_attn.o_proj": "encoder.layer.*.attention.attn.o",
        "layers.*.self_attn_layer_norm": "encoder.layer.*.attention.LayerNorm",
        "layers.*.mlp.fc1": "encoder.layer.*.intermediate.dense",
        "layers.*.mlp.fc2": "encoder.layer.*.output.dense",
        "layers.*.final_layer_norm": "encoder.layer.*.output.LayerNorm",
    }

    def __init__(self, config: MPNetConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        size, heads = config.hidden_size, config.num_attention_heads
        self.embeddings = UnpaddedTextEmbeddings(
            config.vocab_size,
            size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.relative_attention_bias = RelativeBias(
            heads, buckets=config.relative_attention_num_buckets, max_distance=128, bidirectional=True
        )
        self.layers = nn.ModuleList(
            PostNormLayer(
                size,
                partial(nn.LayerNorm, eps=config.layer_norm_eps),
                self_attn=Attention(size, heads, dropout=config.attention_probs_dropout_prob),
                mlp=MLP(size, config.intermediate_size, config.hidden_act),
                dropout=config.hidden_dropout_prob,
            )
            for _ in range(config.num_hidden_layers)
        )
        self.pooler = Pooler(size) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        hidden = self.embeddings(input_ids, inputs_embeds=inputs_embeds, position_ids=position_ids)
        context = AttentionContext(hidden, attention_mask)
        bias = self.relative_attention_bias(context.positions, context.positions)
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask, bias=bias)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class MPNetForMaskedLM(ForMaskedLM, MPNetPreTrainedModel):
    """MPNet with a masked language modeling head."""

    base_class = MPNetModel
    base_options = {"add_pooling_layer": False}
    head_names = {"lm_head.decoder.bias": "lm_head.bias"}
    tied_weights = LM_TIE

    def make_lm_head(self, config: MPNetConfig) -> nn.Module:
        return LMTransform(config.hidden_size, config.vocab_size, act="gelu", eps=config.layer_norm_eps)


class MPNetForSequenceClassification(ForFirstTokenClassification, MPNetPreTrainedModel):
    """MPNet with a classifier on the first token."""

    base_class = MPNetModel


class MPNetForMultipleChoice(ForMultipleChoice, MPNetPreTrainedModel):
    """MPNet with one score for each choice."""

    base_class = MPNetModel


class MPNetForTokenClassification(ForTokenClassification, MPNetPreTrainedModel):
    """MPNet with a classifier on each token."""

    base_class = MPNetModel
    base_options = {"add_pooling_layer": False}


class MPNetForQuestionAnswering(ForQuestionAnswering, MPNetPreTrainedModel):
    """MPNet with scores of an answer's first and last token."""

    base_class = MPNetModel
    base_options = {"add_pooling_layer": False}
