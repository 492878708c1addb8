"""GPT-2: pre-norm layers with learned positions; the matrices of its files are transposed."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import GPT2
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.summary import SequenceSummary
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.gpt import GPTBody, GPTLayer
from zoo_core.modeling.loss import causal_lm_loss, token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    CausalLMOutputWithCrossAttentions,
    ModelOutput,
)
from zoo_core.nn.cache import Cache
from zoo_text.gpt2.config import GPT2Config


class GPT2PreTrainedModel(PreTrainedModel):
    """What all GPT-2 classes share."""

    config_class = GPT2Config
    base_model_prefix = "transformer"
    ignored_names = ("*attn.bias", "*attn.masked_bias", "*crossattention.bias", "*crossattention.masked_bias")


class GPT2Model(GPT2PreTrainedModel, GPTBody):
    """The decoder without a head."""

    hub_names = GPT2

    def make_layer(self, config: GPT2Config, layer_idx: int) -> nn.Module:
        return GPTLayer(config, layer_idx, self.norm_of(config))


LM_TIE = {"lm_head.weight": "model.embed_tokens.weight"}


class GPT2LMHeadModel(ForCausalLM, GPT2PreTrainedModel):
    """GPT-2 with a language modeling head."""

    base_class = GPT2Model
    tied_weights = LM_TIE
    output_class = CausalLMOutputWithCrossAttentions


class GPT2DoubleHeadsModelOutput(ModelOutput):
    """Language modeling scores, and `mc_logits` (batch, choices)."""

    loss: Tensor | None = None
    mc_loss: Tensor | None = None
    logits: Tensor
    mc_logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class GPT2DoubleHeadsModel(GPT2LMHeadModel):
    """GPT-2 with a language modeling and a multiple-choice head; inputs (batch, choices, sequence)."""

    def build_head(self, config: GPT2Config) -> None:
        super().build_head(config)
        config.num_labels = 1
        self.multiple_choice_head = SequenceSummary(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        mc_token_ids: Tensor | None = None,
        labels: Tensor | None = None,
        mc_labels: Tensor | None = None,
        **inputs: Any,
    ) -> GPT2DoubleHeadsModelOutput:
        given = input_ids if input_ids is not None else inputs["inputs_embeds"]
        rows = given.shape[: given.dim() - (1 if input_ids is not None else 2)]
        flat = {k: v.flatten(0, len(rows) - 1) if isinstance(v, Tensor) else v for k, v in inputs.items()}
        ids = None if input_ids is None else input_ids.flatten(0, len(rows) - 1)
        outputs = self.model(ids, **flat)
        hidden = outputs.last_hidden_state.unflatten(0, rows)
        logits, mc_logits = self.lm_head(hidden), self.multiple_choice_head(hidden, mc_token_ids).squeeze(-1)
        return GPT2DoubleHeadsModelOutput.carry(
            outputs,
            loss=None if labels is None else causal_lm_loss(logits, labels),
            mc_loss=None if mc_labels is None else token_loss(mc_logits, mc_labels),
            logits=logits,
            mc_logits=mc_logits,
            hidden_states=outputs.hidden_states and (*outputs.hidden_states[:-1], hidden),
        )


class GPT2ForSequenceClassification(ForLastTokenClassification, GPT2PreTrainedModel):
    """GPT-2 with a classifier on the last token."""

    base_class = GPT2Model


class GPT2ForTokenClassification(ForTokenClassification, GPT2PreTrainedModel):
    """GPT-2 with a classifier on each token."""

    base_class = GPT2Model


class GPT2ForQuestionAnswering(ForQuestionAnswering, GPT2PreTrainedModel):
    """GPT-2 with scores of an answer's first and last token."""

    base_class = GPT2Model
