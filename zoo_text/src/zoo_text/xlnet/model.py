"""XLNet: a language model that reads a text in any order, by two streams of states.

The content stream knows each token, the query stream only where a token stands that is to be predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.beam_span import ForBeamSpans
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification, Pooled
from zoo_core.heads.summary import SequenceSummary
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    MaskedLMOutput,
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_text.xlnet.attention import View, XLNetAttention, XLNetLayer
from zoo_text.xlnet.config import XLNetConfig


class XLNetModelOutput(ModelOutput):
    """States of the query stream (batch, targets, hidden), or without targets of the content.

    mems: the inputs of each layer, (remembered, batch, hidden) each, for the next part of the text.
    With two streams hidden_states hold them in turn, and attentions are pairs.
    """

    last_hidden_state: Tensor
    mems: tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Any, ...] | None = None


class XLNetLMHeadModelOutput(MaskedLMOutput):
    """Scores (batch, targets, vocabulary)."""

    mems: tuple[Tensor, ...] | None = None


class XLNetForSequenceClassificationOutput(SequenceClassifierOutput):
    """Scores of the whole sequence."""

    mems: tuple[Tensor, ...] | None = None


class XLNetForTokenClassificationOutput(TokenClassifierOutput):
    """Scores of each token."""

    mems: tuple[Tensor, ...] | None = None


class XLNetForMultipleChoiceOutput(MultipleChoiceModelOutput):
    """Scores of the choices."""

    mems: tuple[Tensor, ...] | None = None


class XLNetForQuestionAnsweringSimpleOutput(QuestionAnsweringModelOutput):
    """Scores of the answer's first and last token."""

    mems: tuple[Tensor, ...] | None = None


class XLNetForQuestionAnsweringOutput(ModelOutput):
    """The likeliest answers: beginnings (batch, start_n_top), and ends of each (batch, both together).

    The "log_probs" are probabilities. cls_logits (batch,) speak for there being no answer.
    """

    loss: Tensor | None = None
    start_top_log_probs: Tensor | None = None
    start_top_index: Tensor | None = None
    end_top_log_probs: Tensor | None = None
    end_top_index: Tensor | None = None
    cls_logits: Tensor | None = None
    mems: tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Any, ...] | None = None


class XLNetPreTrainedModel(PreTrainedModel):
    """What all XLNet classes share."""

    config_class = XLNetConfig
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = False

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        own = [p for p in module.parameters(recurse=False) if isinstance(module, XLNetAttention)]
        for parameter in [*own, *([module.mask_emb] if isinstance(module, XLNetModel) else [])]:
            nn.init.normal_(parameter, std=self.config.initializer_range)


class XLNetModel(XLNetPreTrainedModel):
    """Embeddings and layers."""

    hub_names = {"embed_tokens": "word_embedding", "layers": "layer"}

    def __init__(self, config: XLNetConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.d_model)
        self.mask_emb = nn.Parameter(torch.empty(1, 1, config.d_model))
        self.layers = nn.ModuleList(XLNetLayer(config, i) for i in range(config.n_layer))
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        mems: Sequence[Tensor] | None = None,
        perm_mask: Tensor | None = None,
        target_mapping: Tensor | None = None,
        *,
        token_type_ids: Tensor | None = None,
        input_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        use_mems: bool | None = None,
        past_key_values: Cache | None = None,
    ) -> XLNetModelOutput:
        """ids (batch, S) to states (batch, S or targets, hidden).

        Args:
            attention_mask: (batch, S), 0 for padding. input_mask: the same with 1 for padding.
            mems: what an earlier call returned, for the text before.
            perm_mask: (batch, S, S), 1 where the row's token must not see the column's.
            target_mapping: (batch, targets, S), 1 at the position of each token to predict.
            past_key_values: keys and values of earlier tokens in place of mems; attention_mask then covers
                these too. The last of the ids is a place to fill, and is not kept.
        """
        if attention_mask is not None and input_mask is not None:
            raise ValueError("pass attention_mask (0 for padding) or input_mask (1 for padding), not both")
        if input_mask is not None:
            attention_mask = 1 - input_mask
        if past_key_values is not None and not past_key_values.contiguous:
            raise ValueError("XLNet reads its last token again, which a static cache does not do")
        config = self.config
        content = self.dropout(embed(self.embed_tokens, input_ids, inputs_embeds))
        query = None
        if target_mapping is not None:
            query = self.dropout(self.mask_emb.expand(len(content), target_mapping.shape[1], -1))
            target_mapping = target_mapping.to(content.dtype)
        view = self.view(content, mems, attention_mask, perm_mask, token_type_ids, past_key_values)
        view = View(**{**vars(view), "mapping": target_mapping})
        keeps = config.use_mems_train if self.training else config.use_mems_eval
        keeps = keeps if use_mems is None else use_mems
        kept: list[Tensor] = []
        masks = [None] * len(self.layers) if head_mask is None else _layered(head_mask, len(self.layers))
        for i, layer in enumerate(self.layers):
            memory = None if mems is None else mems[i].transpose(0, 1)
            self.record(content, query)
            if keeps:
                kept.append(self.remember(content, memory))
            content, query = layer(content, query, view, memory=memory, head_mask=masks[i])
        self.record(content, query)
        if past_key_values is not None:
            past_key_values.crop(past_key_values.length - 1)
        output = self.dropout(content if query is None else query)
        return XLNetModelOutput(last_hidden_state=output, mems=tuple(kept) if keeps else None)

    @staticmethod
    def record(content: Tensor, query: Tensor | None) -> None:
        """Hand both streams over as hidden states."""
        record(HIDDEN_STATES, content)
        if query is not None:
            record(HIDDEN_STATES, query)

    def remember(self, content: Tensor, memory: Tensor | None) -> Tensor:
        """(remembered, batch, hidden) of a layer's input, without gradient."""
        content = content[:, : self.config.reuse_len] if self.config.reuse_len else content
        both = content if memory is None else torch.cat((memory, content), dim=1)
        return both[:, -(self.config.mem_len or 0) :].transpose(0, 1).detach()

    def view(
        self,
        content: Tensor,
        mems: Sequence[Tensor] | None,
        attention_mask: Tensor | None,
        perm_mask: Tensor | None,
        token_type_ids: Tensor | None,
        cache: Cache | None,
    ) -> View:
        """Who sees whom, how far apart, and in the same segment or not."""
        length, device = content.shape[1], content.device
        past = 0 if mems is None else mems[0].shape[0]
        if cache is not None:
            past = cache.length
            if self.config.mem_len:  # room for the place to fill and for the token that is read again
                past = min(past, max(self.config.mem_len - 2, 0))
        keys = torch.arange(past + length, device=device)
        queries = torch.arange(length, device=device)[:, None]
        allowed = self.rule(queries, keys, past)
        if attention_mask is not None:
            covered = attention_mask[:, -len(keys) :] if cache is not None else attention_mask
            kept = nn.functional.pad(covered > 0, (len(keys) - covered.shape[1], 0), value=True)
            allowed = allowed & kept[:, None, None]
        if perm_mask is not None:
            allowed = allowed & nn.functional.pad(perm_mask <= 0, (past, 0), value=True)[:, None]
        other = None
        if token_type_ids is not None:
            segments = nn.functional.pad(token_type_ids, (past, 0))
            other = (token_type_ids[:, :, None] != segments[:, None])[:, None]
        distances = self.distances(length, past, content)
        return View(
            distances=self.dropout(distances),
            # the first distance is that of the last token to the first key
            index=(length - queries + keys).clamp(max=distances.shape[1] - 1),
            content=allowed | (keys == queries + past),
            query=allowed,
            other_segment=other,
            cache=cache,
        )

    def rule(self, queries: Tensor, keys: Tensor, past: int) -> Tensor:
        """(1, 1, S, K) bool: what may be seen whatever the tokens are."""
        allowed = torch.ones_like(keys + queries, dtype=torch.bool)
        if self.config.attn_type == "uni":
            allowed = keys <= queries + past
            if self.config.same_length:
                allowed = allowed & (keys >= queries)
        return allowed[None, None]

    def distances(self, length: int, past: int, content: Tensor) -> Tensor:
        """(1 or batch, distances, hidden): sinusoids of every distance from past + length downwards."""
        config, device = self.config, content.device
        last = -length if config.attn_type == "bi" else -1
        steps = torch.arange(past + length, last, -1, device=device, dtype=torch.float32)
        if config.clamp_len > 0:
            steps = steps.clamp(-config.clamp_len, config.clamp_len)
        powers = torch.arange(0, config.d_model, 2, device=device, dtype=torch.float32) / config.d_model
        angles = steps[:, None] / 10000**powers
        sines, cosines = angles.sin(), angles.cos()
        table = torch.cat((sines, cosines), dim=-1)[None]
        if config.bi_data:
            backwards = torch.cat((-sines, cosines), dim=-1)[None]
            half = len(content) // 2
            table = torch.cat((table.expand(half, -1, -1), backwards.expand(len(content) - half, -1, -1)))
        return table.to(content.dtype)


def _layered(head_mask: Tensor, layers: int) -> list[Tensor]:
    """(heads,) or (layers, heads) as a factor of each layer's weights."""
    table = head_mask.expand(layers, -1) if head_mask.dim() == 1 else head_mask
    return list(table[:, None, :, None, None])


class XLNetLMHeadModel(ForCausalLM, XLNetPreTrainedModel):
    """XLNet with a language modeling head.

    In generation the next token is a place to fill at the end, which the query stream predicts and no
    other token sees. The last token is read again each time, as it could not see the token after it.
    """

    base_class = XLNetModel
    head_names = {"lm_head": "lm_loss"}
    output_class = XLNetLMHeadModelOutput
    shift_labels = False
    caches = True

    def make_lm_head(self, config: XLNetConfig) -> nn.Module:
        return nn.Linear(config.d_model, config.vocab_size)

    def prepare_inputs_for_generation(  # type: ignore[override]
        self,
        input_ids: Tensor,
        *,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        attention_mask: Tensor | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        assert past_key_values is not None
        if inputs_embeds is not None:
            raise ValueError("XLNet generates from input_ids only")
        past_key_values.crop(max(past_key_values.length - 1, 0))
        tokens = nn.functional.pad(input_ids[:, past_key_values.length :], (0, 1))
        rows, length = tokens.shape
        hidden = torch.zeros(rows, length, length, device=tokens.device)
        hidden[:, :, -1] = 1
        target = torch.zeros(rows, 1, length, device=tokens.device)
        target[:, :, -1] = 1
        if attention_mask is not None:
            attention_mask = nn.functional.pad(attention_mask, (0, 1), value=1)
        return {
            "input_ids": tokens,
            "attention_mask": attention_mask,
            "perm_mask": hidden,
            "target_mapping": target,
            "past_key_values": past_key_values,
            "use_mems": False,
            "head_mask": inputs.get("head_mask"),
        }


class Summarised(Pooled):
    """A head on the summary that the config describes."""

    head_names = {"classifier": "logits_proj"}

    def build_head(self, config: XLNetConfig) -> None:
        super().build_head(config)
        self.sequence_summary = SequenceSummary(config)

    def pooled(self, outputs: ModelOutput) -> Tensor:
        return self.sequence_summary(outputs.last_hidden_state)


class XLNetForSequenceClassification(Summarised, ForSequenceClassification, XLNetPreTrainedModel):
    """XLNet with a classifier on the summary."""

    base_class = XLNetModel
    output_class = XLNetForSequenceClassificationOutput


class XLNetForMultipleChoice(Summarised, ForMultipleChoice, XLNetPreTrainedModel):
    """XLNet with one score for each choice."""

    base_class = XLNetModel
    output_class = XLNetForMultipleChoiceOutput


class XLNetForTokenClassification(ForTokenClassification, XLNetPreTrainedModel):
    """XLNet with a classifier on each token."""

    base_class = XLNetModel
    output_class = XLNetForTokenClassificationOutput


class XLNetForQuestionAnsweringSimple(ForQuestionAnswering, XLNetPreTrainedModel):
    """XLNet with scores of an answer's first and last token."""

    base_class = XLNetModel
    output_class = XLNetForQuestionAnsweringSimpleOutput


class XLNetForQuestionAnswering(ForBeamSpans, XLNetPreTrainedModel):
    """XLNet with a search for the best answers."""

    base_class = XLNetModel
    head_names = {"qa_outputs": ""}
    output_class = XLNetForQuestionAnsweringOutput
