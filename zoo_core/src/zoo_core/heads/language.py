"""Heads that score the vocabulary."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import causal_lm_loss, token_loss
from zoo_core.modeling.outputs import (
    CausalLMOutputWithPast,
    MaskedLMOutput,
    ModelOutput,
    MoeCausalLMOutputWithPast,
)
from zoo_core.nn.activation import activation
from zoo_core.nn.linear import Linear
from zoo_core.nn.moe import load_balancing_loss
from zoo_core.nn.recording import wants


class LMTransform(nn.Module):
    """Dense layer, activation and norm, then scores over the vocabulary (BERT's prediction head)."""

    def __init__(
        self, size: int, vocab_size: int, *, act: str, eps: float, inner_size: int | None = None
    ) -> None:
        super().__init__()
        self.dense = nn.Linear(size, inner_size or size)
        self.act = activation(act)
        self.layer_norm = nn.LayerNorm(inner_size or size, eps=eps)
        self.decoder = Linear(inner_size or size, vocab_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.decoder(self.layer_norm(self.act(self.dense(hidden))))


class ForMaskedLM(Headed):
    """Scores of each position's token; `lm_head` is built by `make_lm_head`."""

    output_class: ClassVar[type[ModelOutput]] = MaskedLMOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.lm_head = self.make_lm_head(config)

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        """By default BERT's: a transform and the decoder."""
        act, eps = config.hidden_act, config.layer_norm_eps
        return LMTransform(config.hidden_size, config.vocab_size, act=act, eps=eps)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForCausalLM(GenerationMixin, Headed):
    """Scores of the next token; logits (batch, sequence, vocab_size).

    `logits_to_keep` computes the scores of the last positions only (0: of all), or of those in a tensor
    of indices; during generation this saves the largest matrix product.
    """

    output_class: ClassVar[type[ModelOutput]] = CausalLMOutputWithPast
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}
    #: False where a family's labels are the next tokens already (decoders of BART and its kin)
    shift_labels: ClassVar[bool] = True

    def __init__(self, config: PretrainedConfig) -> None:
        if config.is_encoder_decoder:  # the config of a whole model, of which this is the decoder
            config = copy.deepcopy(config)
            config.is_encoder_decoder, config.is_decoder = False, True
        super().__init__(config)

    def build_head(self, config: PretrainedConfig) -> None:
        self.lm_head = self.make_lm_head(config)

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return Linear(config.hidden_size, config.vocab_size, bias=False)

    def score(self, hidden: Tensor) -> Tensor:
        """Logits of hidden states; an architecture that scales or caps them overrides this."""
        return self.lm_head(hidden)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        num_items_in_batch: Tensor | int | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        if not isinstance(logits_to_keep, int):
            hidden = hidden[:, logits_to_keep]
        elif logits_to_keep:
            hidden = hidden[:, -logits_to_keep:]
        logits = self.score(hidden)
        loss_of = causal_lm_loss if self.shift_labels else token_loss
        loss = None if labels is None else loss_of(logits, labels, num_items=num_items_in_batch)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForMoeCausalLM(ForCausalLM):
    """As ForCausalLM for a mixture of experts: with `output_router_logits` the load-balancing loss.

    It is returned as `aux_loss` and added to `loss` with the factor `config.router_aux_loss_coef`.
    """

    output_class = MoeCausalLMOutputWithPast

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> ModelOutput:
        output = super().forward(input_ids, **inputs)
        return with_balance(output, self.config.get_text_config(), inputs.get("attention_mask"))


def with_balance(output: ModelOutput, config: PretrainedConfig, attention_mask: Tensor | None) -> ModelOutput:
    """`output` with the load-balancing loss of its router scores, where they were asked for."""
    if wants("router_logits") and output.router_logits is not None:
        experts = output.router_logits[0].shape[-1]
        output.aux_loss = load_balancing_loss(
            output.router_logits, experts, config.num_experts_per_tok, attention_mask
        )
        if output.loss is not None:
            output.loss = output.loss + config.router_aux_loss_coef * output.aux_loss
    return output
