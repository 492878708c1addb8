"""XLM: a post-norm encoder for many languages, each of which may have an embedding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.beam_span import ForBeamSpans
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.pooled import ForMultipleChoice, Pooled
from zoo_core.heads.summary import SequenceSummary
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    MaskedLMOutput,
    ModelOutput,
    SequenceClassifierOutput,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_text.xlm.config import XLMConfig


class XLMForQuestionAnsweringOutput(ModelOutput):
    """The likeliest answers; see `XLNetForQuestionAnsweringOutput`."""

    loss: Tensor | None = None
    start_top_log_probs: Tensor | None = None
    start_top_index: Tensor | None = None
    end_top_log_probs: Tensor | None = None
    end_top_index: Tensor | None = None
    cls_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class XLMPreTrainedModel(PreTrainedModel):
    """What all XLM classes share."""

    config_class = XLMConfig
    base_model_prefix = "transformer"
    ignored_names = ("*position_ids",)


class XLMLayer(nn.Module):
    """Attention and a feed-forward block, with norms after or before them; padding stays zero."""

    def __init__(self, config: XLMConfig, layer_idx: int, *, pre_norm: bool = False) -> None:
        super().__init__()
        size, eps = config.emb_dim, config.layer_norm_eps
        self.pre_norm = pre_norm
        rule = CAUSAL if config.causal else FULL
        self.self_attn = Attention(size, config.n_heads, dropout=config.attention_dropout, rule=rule)
        self.self_attn_layer_norm = nn.LayerNorm(size, eps=eps)
        act = "gelu" if config.gelu_activation else "relu"
        self.mlp = MLP(size, 4 * size, act)
        self.final_layer_norm = nn.LayerNorm(size, eps=eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        first, last, pre = self.self_attn_layer_norm, self.final_layer_norm, self.pre_norm
        hidden = hidden + self.dropout(self.self_attn(first(hidden) if pre else hidden, context, **attention))
        hidden = hidden if pre else first(hidden)
        hidden = hidden + self.dropout(self.mlp(last(hidden) if pre else hidden))
        return without_padding(hidden if pre else last(hidden), context)


def without_padding(hidden: Tensor, context: AttentionContext) -> Tensor:
    """States (batch, sequence, size) with zeros for padding."""
    return hidden if context.padding is None else hidden * context.padding[:, 0, 0, :, None]


class XLMModel(XLMPreTrainedModel):
    """The encoder without a head."""

    hub_names = {
        "embed_tokens": "embeddings",
        "embed_positions": "position_embeddings",
        "embed_langs": "lang_embeddings",
        "layer_norm": "layer_norm_emb",
        **{f"layers.*.self_attn.{part}_proj": f"attentions.*.{part}_lin" for part in "qkv"},
        "layers.*.self_attn.o_proj": "attentions.*.out_lin",
        "layers.*.self_attn_layer_norm": "layer_norm1.*",
        "layers.*.mlp.fc1": "ffns.*.lin1",
        "layers.*.mlp.fc2": "ffns.*.lin2",
        "layers.*.final_layer_norm": "layer_norm2.*",
    }

    def __init__(self, config: XLMConfig) -> None:
        super().__init__(config)
        size = config.emb_dim
        self.embed_tokens = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_index)
        self.embed_positions = LearnedPositions(config.max_position_embeddings, size)
        several = config.n_langs > 1 and config.use_lang_emb
        self.embed_langs = nn.Embedding(config.n_langs, size) if several else None
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(self.make_layer(config, i) for i in range(config.n_layers))
        self.post_init()

    def make_layer(self, config: XLMConfig, layer_idx: int) -> nn.Module:
        """Layer number `layer_idx`."""
        return XLMLayer(config, layer_idx)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        langs: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        lengths: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> BaseModelOutput:
        """ids (batch, sequence) to states (batch, sequence, size).

        Args:
            langs: (batch, sequence) the language of each token. token_type_ids: ids of tokens whose
                embeddings are added. lengths: (batch,) tokens before the padding, in place of
                attention_mask; by default those that are not pad_index.
        """
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        hidden = hidden + self.embed_positions(position_ids, 0, hidden)
        if langs is not None and self.embed_langs is not None:
            hidden = hidden + self.embed_langs(langs)
        if token_type_ids is not None:
            hidden = hidden + self.embed_tokens(token_type_ids)
        if attention_mask is None:
            if lengths is None and input_ids is not None:
                lengths = (input_ids != self.config.pad_index).sum(1)
            if lengths is not None:
                attention_mask = torch.arange(hidden.shape[1], device=hidden.device) < lengths[:, None]
        context = AttentionContext(hidden, attention_mask)
        hidden = without_padding(self.dropout(self.layer_norm(hidden)), context)
        return BaseModelOutput(
            last_hidden_state=run_layers(self.layers, hidden, context, head_mask=head_mask)
        )


class XLMWithLMHeadModel(ForCausalLM, XLMPreTrainedModel):
    """XLM with a language modeling head; generation fills in a masked token after the text."""

    base_class = XLMModel
    head_names = {"lm_head": "pred_layer.proj"}
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}
    output_class = MaskedLMOutput
    shift_labels = False

    def make_lm_head(self, config: XLMConfig) -> nn.Module:
        return nn.Linear(config.emb_dim, config.vocab_size)

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        arguments = super().prepare_inputs_for_generation(input_ids, **inputs)
        if arguments.get("inputs_embeds") is not None:
            raise ValueError(f"{type(self).__name__} generates from input_ids only")

        def longer(values: Tensor, last: Any) -> Tensor:
            return torch.cat((values, torch.zeros_like(values[:, :1]) + last), dim=1)

        tokens = arguments["input_ids"] = longer(arguments["input_ids"], self.config.mask_token_id)
        for name, following in (("attention_mask", 1), ("position_ids", None), ("langs", None)):
            values = arguments.get(name)
            if values is not None:
                step = int(name == "position_ids")
                arguments[name] = longer(values, values[:, -1:] + step if following is None else following)
        if arguments.get("langs") is None and self.config.lang_id is not None:
            arguments["langs"] = torch.full_like(tokens, self.config.lang_id)
        for name in ("token_type_ids", "use_cache"):
            arguments.pop(name, None)
        return arguments


class Summarised(Pooled):
    """A head on the summary that the config describes."""

    def build_head(self, config: XLMConfig) -> None:
        self.sequence_summary = SequenceSummary(config)

    def pooled(self, outputs: ModelOutput) -> Tensor:
        return self.sequence_summary(outputs.last_hidden_state)


class XLMForSequenceClassification(Summarised, XLMPreTrainedModel):
    """XLM with the summary as the labels' scores."""

    base_class = XLMModel

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        logits = self.pooled(outputs)
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


class XLMForMultipleChoice(Summarised, ForMultipleChoice, XLMPreTrainedModel):
    """XLM with one score for each choice; `lengths` say nothing here, attention_mask does."""

    base_class = XLMModel
    head_names = {"classifier": "logits_proj"}

    def build_head(self, config: XLMConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Identity()
        self.classifier = nn.Linear(config.num_labels, 1)

    def forward(
        self, input_ids: Tensor | None = None, *, lengths: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        return super().forward(input_ids, **inputs)


class XLMForTokenClassification(ForTokenClassification, XLMPreTrainedModel):
    """XLM with a classifier on each token."""

    base_class = XLMModel


class XLMForQuestionAnsweringSimple(ForQuestionAnswering, XLMPreTrainedModel):
    """XLM with scores of an answer's first and last token."""

    base_class = XLMModel


class XLMForQuestionAnswering(ForBeamSpans, XLMPreTrainedModel):
    """XLM with a search for the best answers."""

    base_class = XLMModel
    output_class = XLMForQuestionAnsweringOutput
