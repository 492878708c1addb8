"""NLLB-MoE: an M2M-100 in whose sparse layers each token visits two of many experts."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.checkpoint.ops import Stacked
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.layer import PreNormLayer, has_source
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.moe import Router, StackedExperts
from zoo_core.nn.recording import record
from zoo_text.bart.model import seq2seq_layer
from zoo_text.m2m_100 import model as m2m
from zoo_text.nllb_moe.config import NllbMoeConfig
from zoo_text.switch_transformers.model import (
    Seq2SeqMoEModelOutput,
    Seq2SeqMoEOutput,
    SwitchDecoderOutput,
    SwitchEncoderOutput,
    balance,
)

LAYER = {
    name: {"encoder_attn": "cross_attention"}.get(hub, hub.replace("encoder_attn", "cross_attention"))
    for name, hub in BART_PRE_NORM_LAYER.items()
    if isinstance(name, str) and isinstance(hub, str)
} | {"mlp": "ffn", "mlp.fc1": "ffn.fc1", "mlp.fc2": "ffn.fc2", "post_attention_layernorm": "ff_layer_norm"}


class NllbMoePreTrainedModel(m2m.M2M100PreTrainedModel):
    """What all NLLB-MoE classes share."""

    config_class = NllbMoeConfig


class NllbMoeRouter(Router):
    """The two best experts of each token, as far as they have room; the best ones' tokens come first."""

    def __init__(self, config: NllbMoeConfig) -> None:
        super().__init__(
            config.d_model,
            config.num_experts,
            2,
            bias=config.router_bias,
            float32=config.router_dtype == "float32",
        )
        self.policy = config.second_expert_policy
        self.before = config.normalize_router_prob_before_dropping
        self.prioritized = config.batch_prioritized_routing
        self.room, self.fraction = config.expert_capacity, config.moe_eval_capacity_token_fraction

    def capacity(self, tokens: int) -> int:
        """How many tokens an expert takes."""
        if not self.training and self.fraction > 0:
            return math.ceil(self.fraction * tokens)
        return 2 * math.ceil(tokens / len(self.weight)) if self.room is None else self.room

    def route(self, tokens: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
        """Weights (tokens, experts), two a token at most, and its best expert (0: full).

        `kept` (tokens,) is False for padding, which visits no expert.
        """
        logits = self.logits(tokens)
        probabilities = logits.softmax(-1)
        experts = logits.shape[-1]
        first = F.one_hot(probabilities.argmax(-1), experts)
        noise = torch.zeros_like(logits)
        if self.policy == "sampling":
            noise = -torch.empty_like(logits).exponential_().log()  # Gumbel's
        second = F.one_hot((logits + noise).masked_fill(first.bool(), -math.inf).argmax(-1), experts)
        chosen = probabilities * (first + second)
        if self.before:
            chosen = normalized(chosen)
        if self.policy == "random":
            weight = (normalized(chosen) * second).sum(-1, keepdim=True)
            second = second * (2 * weight > torch.rand_like(weight))
        if kept is not None:
            first, second = first * kept[:, None], second * kept[:, None]
        order = torch.arange(len(tokens), device=tokens.device)
        if self.prioritized:
            order = probabilities.amax(-1).argsort(descending=True)
        queue = torch.cat((first[order], second[order])).cumsum(0)
        fits = (queue <= self.capacity(len(tokens))).view(2, len(tokens), experts)
        back = order.argsort()
        first, second = first * fits[0][back], second * fits[1][back]
        weights = chosen * (first + second)
        return weights if self.before else normalized(weights), first.argmax(-1)


def normalized(weights: Tensor) -> Tensor:
    """Weights (tokens, experts) that sum to one a token, or to zero."""
    return weights / weights.sum(-1, keepdim=True).clamp(min=torch.finfo(weights.dtype).eps)


class NllbMoeExperts(StackedExperts):
    """fc2(act(fc1(x))) with biases, all experts stacked."""

    def __init__(self, config: NllbMoeConfig, intermediate_size: int) -> None:
        super().__init__(config.num_experts)
        experts, size = config.num_experts, config.d_model
        self.fc1 = nn.Parameter(torch.empty(experts, intermediate_size, size))
        self.fc1_bias = nn.Parameter(torch.empty(experts, intermediate_size))
        self.fc2 = nn.Parameter(torch.empty(experts, size, intermediate_size))
        self.fc2_bias = nn.Parameter(torch.empty(experts, size))
        self.act, self.dropout = activation(config.activation_function), nn.Dropout(config.activation_dropout)
        self.reset_parameters()

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        inner = self.act(F.linear(tokens, self.fc1[number], self.fc1_bias[number]))
        return F.linear(self.dropout(inner), self.fc2[number], self.fc2_bias[number])


class NllbMoeMLP(nn.Module):
    """A router and its experts; what a token gets is scaled as if in training, where some get nothing."""

    hub_names = {
        "router": "router.classifier",
        **{
            f"experts.{part}{ours}": Stacked(f"experts.expert_*.{part}.{theirs}")
            for part in ("fc1", "fc2")
            for ours, theirs in (("", "weight"), ("_bias", "bias"))
        },
    }

    def __init__(self, config: NllbMoeConfig, intermediate_size: int) -> None:
        super().__init__()
        self.router = NllbMoeRouter(config)
        self.experts = NllbMoeExperts(config, intermediate_size)
        self.token_dropout = config.moe_token_dropout

    def forward(self, hidden: Tensor, kept: Tensor | None = None) -> Tensor:
        """(batch, sequence, hidden) to the same shape; `kept` (batch, sequence) is False for padding."""
        tokens = hidden.flatten(0, 1)
        weights, best = self.router.route(tokens, None if kept is None else kept.flatten())
        record("router_logits", (weights, best))
        two, index = weights.to(hidden.dtype).topk(2, dim=-1)
        mixed = self.experts(tokens, index, two)
        if self.token_dropout > 0 and self.training:
            seen = torch.rand(len(mixed), 1, device=mixed.device) >= self.token_dropout
            mixed = mixed * seen
        elif self.token_dropout > 0:
            mixed = mixed * (1 - self.token_dropout)
        return mixed.view_as(hidden)


class NllbMoeLayer(PreNormLayer):
    """A pre-norm layer that tells experts what is padding."""

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + self.dropout(self.self_attn(self.input_layernorm(hidden), context, **attention))
        if self.cross_attn is not None and self.cross_attn_layernorm is not None and has_source(context):
            hidden = hidden + self.dropout(self.cross_attn(self.cross_attn_layernorm(hidden), context))
        inner = self.post_attention_layernorm(hidden)
        if not isinstance(self.mlp, NllbMoeMLP):
            record("router_logits", None)
            return hidden + self.dropout(self.mlp(inner))
        kept = context.padding
        if kept is not None:
            kept = kept[:, 0, -1, -hidden.shape[1] :].expand(len(hidden), -1)
        return hidden + self.dropout(self.mlp(inner, kept))


class NllbMoeStack(NllbMoePreTrainedModel, m2m.M2M100Stack):
    """NLLB-MoE's encoder or decoder."""

    def make_layer(self, config: NllbMoeConfig, layer_idx: int) -> nn.Module:
        layer = seq2seq_layer(NllbMoeLayer, config, layer_idx, decoder=self.is_decoder)
        step = config.decoder_sparse_step if self.is_decoder else config.encoder_sparse_step
        if step > 0 and (layer_idx + 1) % step == 0:
            size = config.decoder_ffn_dim if self.is_decoder else config.encoder_ffn_dim
            layer.mlp = NllbMoeMLP(config, size)
        layer.hub_names = LAYER
        return layer

    def forward(self, *args: Any, **inputs: Any) -> ModelOutput:
        """As the base's."""
        output = super().forward(*args, **inputs)
        return (SwitchDecoderOutput if self.is_decoder else SwitchEncoderOutput).carry(output)


class NllbMoeModel(NllbMoePreTrainedModel, m2m.M2M100Model):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = NllbMoeStack
    output_class = Seq2SeqMoEModelOutput


class NllbMoeForConditionalGeneration(NllbMoePreTrainedModel, m2m.M2M100ForConditionalGeneration):
    """NLLB-MoE for translation; with `output_router_logits` also the losses that keep experts busy."""

    base_class = NllbMoeModel
    output_class = Seq2SeqMoEOutput

    def scored(self, outputs: ModelOutput, labels: Tensor | None) -> ModelOutput:
        found = super().scored(outputs, labels)
        for side in ("encoder", "decoder"):
            layers = [one for one in outputs.get(f"{side}_router_logits") or () if one is not None]
            if not layers:
                continue
            weights, index = (torch.cat(parts) for parts in zip(*layers, strict=True))
            found[f"{side}_aux_loss"] = balance(weights[None], index[None])
            if found.loss is not None:
                found.loss = found.loss + self.config.router_aux_loss_coef * found[f"{side}_aux_loss"]
        return found
