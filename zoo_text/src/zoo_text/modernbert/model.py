"""ModernBERT: a pre-norm encoder with rotary positions, where most layers see a window only."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMaskedLM
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, BaseModelOutputWithPooling, MaskedLMOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import FULL, AttentionContext, MaskRule
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.stack import run_layers
from zoo_text.modernbert.config import ModernBertConfig
from zoo_text.modernbert_decoder.model import PredictionHead, norm_of


class ModernBertPreTrainedModel(PreTrainedModel):
    """What all ModernBERT classes share."""

    config_class = ModernBertConfig
    base_model_prefix = "model"


class ModernBertLayer(PreNormLayer):
    """Self-attention, over a window in most layers, and a gated block."""

    hub_names = {
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "mlp_norm",
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.Wqkv"),
        "self_attn.o_proj": "attn.Wo",
        ("mlp.gate_proj", "mlp.up_proj"): Fused("mlp.Wi"),
        "mlp.down_proj": "mlp.Wo",
    }

    def __init__(self, config: ModernBertConfig, layer_idx: int) -> None:
        everywhere = layer_idx % config.global_attn_every_n_layers == 0
        rule = FULL if everywhere else MaskRule(window=config.local_attention // 2 + 1)
        super().__init__(
            config.hidden_size,
            norm_of(config),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=config.attention_bias,
                dropout=config.attention_dropout,
                rule=rule,
            ),
            mlp=GatedMLP(
                config.hidden_size,
                config.intermediate_size,
                config.hidden_activation,
                bias=config.mlp_bias,
                dropout=config.mlp_dropout,
            ),
        )
        if layer_idx == 0:  # the embeddings end with a norm
            self.input_layernorm = nn.Identity()


class ModernBertModel(ModernBertPreTrainedModel):
    """The encoder without a head."""

    hub_names = {
        "embed_tokens": "embeddings.tok_embeddings",
        "embed_norm": "embeddings.norm",
        "norm": "final_norm",
    }

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.embed_norm = norm_of(config)(config.hidden_size)
        self.dropout = nn.Dropout(config.embedding_dropout)
        rotary = partial(RotaryEmbedding, config.hidden_size // config.num_attention_heads)
        self.rotary = rotary(theta=config.global_rope_theta)
        self.local_rotary = rotary(theta=config.local_rope_theta or config.global_rope_theta)
        self.layers = nn.ModuleList(ModernBertLayer(config, i) for i in range(config.num_hidden_layers))
        self.everywhere = [i % config.global_attn_every_n_layers == 0 for i in range(len(self.layers))]
        self.norm = norm_of(config)(config.hidden_size)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> BaseModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden)."""
        hidden = self.dropout(self.embed_norm(embed(self.embed_tokens, input_ids, inputs_embeds)))
        context = AttentionContext(hidden, attention_mask)
        context.blind_queries_average = True
        positions = context.positions if position_ids is None else position_ids
        wide, near = (r(positions, dtype=hidden.dtype) for r in (self.rotary, self.local_rotary))
        tables = [wide if everywhere else near for everywhere in self.everywhere]
        hidden = run_layers(self.layers, hidden, context, per_layer={"rotary": tables})
        return BaseModelOutput(last_hidden_state=self.norm(hidden))


class ModernBertForMaskedLM(ForMaskedLM, ModernBertPreTrainedModel):
    """ModernBERT with a masked language modeling head.

    With `sparse_prediction` in the config and labels given, only positions that have a label are scored:
    logits (labelled positions, vocab_size).
    """

    base_class = ModernBertModel
    head_names = {"lm_head.0": "head", "lm_head.1": "decoder"}
    tied_weights = {"lm_head.1.weight": "model.embed_tokens.weight"}

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        assert isinstance(config, ModernBertConfig)
        return nn.Sequential(
            PredictionHead(config), Linear(config.hidden_size, config.vocab_size, bias=config.decoder_bias)
        )

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> MaskedLMOutput:
        if labels is None or not self.config.sparse_prediction:
            return super().forward(input_ids, labels=labels, **inputs)
        outputs = self.model(input_ids, **inputs)
        labelled = labels != self.config.sparse_pred_ignore_index
        logits = self.lm_head(outputs.last_hidden_state[labelled])
        return MaskedLMOutput.carry(outputs, loss=token_loss(logits, labels[labelled]), logits=logits)


class ModernBertTokens(ModernBertModel):
    """The encoder, with its states transformed by a `PredictionHead`."""

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__(config)
        self.head = PredictionHead(config)
        self.post_init()

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> BaseModelOutput:
        outputs = super().forward(input_ids, **inputs)
        return BaseModelOutput(last_hidden_state=self.head(outputs.last_hidden_state))


class ModernBertPooled(ModernBertModel):
    """The encoder, and a `PredictionHead` on one vector for each sequence.

    As `classifier_pooling` says that is the first token, or the mean of all that are not padding.
    """

    def __init__(self, config: ModernBertConfig) -> None:
        super().__init__(config)
        self.head = PredictionHead(config)
        self.post_init()

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> BaseModelOutputWithPooling:
        hidden = super().forward(input_ids, attention_mask, **inputs).last_hidden_state
        if self.config.classifier_pooling == "cls":
            pooled = self.first(hidden, attention_mask)
        elif attention_mask is None:
            pooled = hidden.mean(1)
        else:
            kept = attention_mask[..., None].to(hidden.dtype)
            pooled = (hidden * kept).sum(1) / kept.sum(1)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=self.head(pooled))

    def first(self, hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
        """The state (batch, hidden) of the first token."""
        return hidden[:, 0]


class ModernBertPooledUnpadded(ModernBertPooled):
    """The same, where the first token is the first that is not padding."""

    def first(self, hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
        if attention_mask is None:
            return hidden[:, 0]
        rows = torch.arange(len(hidden), device=hidden.device)
        return hidden[rows, attention_mask.to(torch.uint8).argmax(-1)]


class ModernBertForSequenceClassification(ForSequenceClassification, ModernBertPreTrainedModel):
    """ModernBERT with a classifier on the pooled states."""

    base_class = ModernBertPooled
    head_names = {"model.head": "head"}


class ModernBertForMultipleChoice(ForMultipleChoice, ModernBertPreTrainedModel):
    """ModernBERT with one score for each choice."""

    base_class = ModernBertPooledUnpadded
    head_names = {"model.head": "head"}


class ModernBertForTokenClassification(ForTokenClassification, ModernBertPreTrainedModel):
    """ModernBERT with a classifier on each token."""

    base_class = ModernBertTokens
    head_names = {"model.head": "head"}


class ModernBertForQuestionAnswering(ForQuestionAnswering, ModernBertPreTrainedModel):
    """ModernBERT with scores of an answer's first and last token."""

    base_class = ModernBertTokens
    head_names = {"model.head": "head", "qa_outputs": "classifier"}
