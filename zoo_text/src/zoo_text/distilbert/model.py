"""DistilBERT: BERT with half the layers, without segments and pooler."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.heads.language import ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification, Pooled
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_text.distilbert.config import DistilBertConfig


class DistilBertPreTrainedModel(PreTrainedModel):
    """What all DistilBERT classes share."""

    config_class = DistilBertConfig
    base_model_prefix = "distilbert"


class DistilBertModel(DistilBertPreTrainedModel):
    """The encoder without a head."""

    hub_names = {
        "embeddings.layer_norm": "embeddings.LayerNorm",
        "layers": "transformer.layer",
        "layers.*.self_attn.q_proj": "transformer.layer.*.attention.q_lin",
        "layers.*.self_attn.k_proj": "transformer.layer.*.attention.k_lin",
        "layers.*.self_attn.v_proj": "transformer.layer.*.attention.v_lin",
        "layers.*.self_attn.o_proj": "transformer.layer.*.attention.out_lin",
        "layers.*.self_attn_layer_norm": "transformer.layer.*.sa_layer_norm",
        "layers.*.mlp.fc1": "transformer.layer.*.ffn.lin1",
        "layers.*.mlp.fc2": "transformer.layer.*.ffn.lin2",
        "layers.*.final_layer_norm": "transformer.layer.*.output_layer_norm",
    }

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.dim,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=1e-12,
            dropout=config.dropout,
        )
        self.layers = nn.ModuleList(
            PostNormLayer(
                config.dim,
                partial(nn.LayerNorm, eps=1e-12),
                self_attn=Attention(config.dim, config.n_heads, dropout=config.attention_dropout),
                mlp=MLP(config.dim, config.hidden_dim, config.activation, dropout=config.dropout),
            )
            for _ in range(config.n_layers)
        )
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> BaseModelOutput:
        """ids (batch, sequence) to states (batch, sequence, dim)."""
        hidden = self.embeddings(input_ids, inputs_embeds=inputs_embeds)
        context = AttentionContext(hidden, attention_mask)
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=hidden)


class DistilBertForMaskedLM(ForMaskedLM, DistilBertPreTrainedModel):
    """DistilBERT with a masked language modeling head."""

    base_class = DistilBertModel
    head_names = {
        "lm_head.dense": "vocab_transform",
        "lm_head.layer_norm": "vocab_layer_norm",
        "lm_head.decoder": "vocab_projector",
    }
    tied_weights = {"lm_head.decoder.weight": "model.embeddings.word_embeddings.weight"}

    def make_lm_head(self, config: DistilBertConfig) -> nn.Module:
        return LMTransform(config.dim, config.vocab_size, act=config.activation, eps=1e-12)


class DistilBertPooled(Pooled, DistilBertPreTrainedModel):
    """Heads whose one vector is a dense layer and ReLU on the first token."""

    base_class = DistilBertModel

    def build_head(self, config: DistilBertConfig) -> None:
        super().build_head(config)
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.dropout = nn.Dropout(config.seq_classif_dropout)

    def pooled(self, outputs: ModelOutput) -> Tensor:
        return self.pre_classifier(outputs.last_hidden_state[:, 0]).relu()


class DistilBertForSequenceClassification(DistilBertPooled, ForSequenceClassification):
    """DistilBERT with a classifier on the first token."""


class DistilBertForMultipleChoice(DistilBertPooled, ForMultipleChoice):
    """DistilBERT with one score for each choice."""


class DistilBertForTokenClassification(ForTokenClassification, DistilBertPreTrainedModel):
    """DistilBERT with a classifier on each token."""

    base_class = DistilBertModel


class DistilBertForQuestionAnswering(ForQuestionAnswering, DistilBertPreTrainedModel):
    """DistilBERT with scores of an answer's first and last token."""

    base_class = DistilBertModel
