"""Gemma 3n's language model: alternating updates, low-rank side branches, embeddings for every layer."""

from __future__ import annotations

import math
from functools import partial
from statistics import NormalDist
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.decoder import attention_options, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import SandwichLayer
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_text.gemma2.model import CappedLogits
from zoo_text.gemma3_text.model import LocalRotaryDecoder, ScaledEmbedding
from zoo_text.gemma3n_text.config import Gemma3nTextConfig


class SharingContext(AttentionContext):
    """Also holds what each layer attended over, for later layers that use the same keys and values."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remembered: dict[int | None, tuple[Tensor, Tensor, Mask]] = {}


class Gemma3nTextAttention(Attention):
    """Attention with norms of queries, keys and values; the last layers borrow from earlier ones."""

    def __init__(self, config: Gemma3nTextConfig, layer_idx: int, *, norm: NormFactory) -> None:
        rule = layer_rule(config, layer_idx)
        options = attention_options(config, layer_idx, qk_norm=norm, scale=1.0, rule=rule)
        super().__init__(config.hidden_size, config.num_attention_heads, **options)
        self.v_norm = RMSNorm(self.head_dim, config.rms_norm_eps, affine=False)
        self.lender = config.lender_of(layer_idx)

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        assert isinstance(context, SharingContext) and rotary is not None
        query = rotary(self.split(self.q_proj(hidden), self.q_norm))
        if self.lender is None:
            key = rotary(self.split(self.k_proj(hidden), self.k_norm))
            value = self.split(self.v_proj(hidden), self.v_norm)
            context.remembered[self.layer_idx] = self.remember(key, value, context)
        lender = self.layer_idx if self.lender is None else self.lender
        return query, *context.remembered[lender]


class SparseMLP(GatedMLP):
    """A gated MLP whose gate keeps only what exceeds the mean by a quantile of the normal distribution."""

    def __init__(self, config: Gemma3nTextConfig, layer_idx: int) -> None:
        super().__init__(config.hidden_size, config.intermediate_size[layer_idx], config.hidden_activation)
        sparsity = config.activation_sparsity_pattern[layer_idx]
        self.deviations = NormalDist().inv_cdf(sparsity) if sparsity > 0.0 else None

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate_proj(x)
        if self.deviations is not None:
            mean, std = gate.mean(-1, keepdim=True), gate.std(-1, keepdim=True, unbiased=False)
            gate = F.relu(gate - (mean + std * gate.new_tensor(self.deviations)))
        return self.down_proj(self.act(gate) * self.up_proj(x))


class Laurel(nn.Module):
    """x + norm(B A x) with a low rank (https://arxiv.org/abs/2411.07501)."""

    def __init__(self, config: Gemma3nTextConfig, norm: NormFactory) -> None:
        super().__init__()
        self.linear_left = nn.Linear(config.hidden_size, config.laurel_rank, bias=False)
        self.linear_right = nn.Linear(config.laurel_rank, config.hidden_size, bias=False)
        self.post_laurel_norm = norm(config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.post_laurel_norm(self.linear_right(self.linear_left(x)))


class AltUp(nn.Module):
    """Alternating updates (https://arxiv.org/abs/2301.13310): the layer sees one of several streams.

    `predict` guesses all streams (streams, batch, sequence, hidden) from before the layer; `correct`
    moves all of them by what the layer made of the active one.
    """

    def __init__(self, config: Gemma3nTextConfig, norm: NormFactory) -> None:
        super().__init__()
        streams, size = config.altup_num_inputs, config.hidden_size
        self.active, self.clip = config.altup_active_idx, config.altup_coef_clip
        self.correct_output_scale = nn.Parameter(torch.zeros(size))
        self.correction_coefs = nn.Linear(streams, streams, bias=False)
        self.prediction_coefs = nn.Linear(streams, streams**2, bias=False)
        self.modality_router = nn.Linear(size, streams, bias=False)
        self.router_norm = norm(size)

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.correct_output_scale)

    def modalities(self, x: Tensor) -> Tensor:
        """(batch, sequence, hidden) to (batch, sequence, streams) in (-1, 1)."""
        routed = self.modality_router(self.router_norm(x) * x.shape[-1] ** -1.0)
        return torch.tanh(routed.float()).to(x.dtype)

    def coefficients(self, of: nn.Linear, x: Tensor) -> Tensor:
        """What a linear map makes of the modalities; in training its weight is clipped."""
        if self.training and self.clip is not None:
            return F.linear(self.modalities(x), of.weight.clamp(-self.clip, self.clip))
        return of(self.modalities(x))

    def predict(self, streams: Tensor) -> Tensor:
        count = streams.shape[0]
        mixing = self.coefficients(self.prediction_coefs, streams[self.active])
        mixing = mixing.unflatten(-1, (count, count)).transpose(-1, -2)
        return (streams.permute(1, 2, 3, 0) @ mixing).permute(3, 0, 1, 2) + streams

    def correct(self, predicted: Tensor, activated: Tensor) -> Tensor:
        steps = self.coefficients(self.correction_coefs, activated) + 1.0
        innovation = activated - predicted[self.active]
        return predicted + innovation * steps.permute(2, 0, 1)[..., None]


class Gemma3nTextLayer(SandwichLayer):
    """A sandwich layer on the active stream, beside a low-rank branch; then the layer's own embeddings."""

    def __init__(self, config: Gemma3nTextConfig, norm: NormFactory, **parts: nn.Module) -> None:
        size, width = config.hidden_size, config.hidden_size_per_layer_input
        super().__init__(size, norm, **parts)
        self.altup = AltUp(config, norm)
        self.laurel = Laurel(config, norm)
        self.per_layer_input_gate = nn.Linear(size, width, bias=False)
        self.per_layer_projection = nn.Linear(width, size, bias=False)
        self.post_per_layer_input_norm = norm(size)
        self.act = activation(config.hidden_activation)
        self.scale_corrected = config.altup_correct_scale

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, per_layer_input: Tensor, **attention: Any
    ) -> Tensor:
        predicted = self.altup.predict(hidden)
        active = predicted[self.altup.active]
        normed = self.input_layernorm(active)
        attended = active + self.post_attention_layernorm(self.self_attn(normed, context, **attention))
        joined = (attended + self.laurel(normed)) / math.sqrt(2)
        changed = self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(joined)))
        corrected = self.altup.correct(predicted, joined + changed)
        first = corrected[self.altup.active]
        if self.scale_corrected:
            first = first * self.altup.correct_output_scale
        gated = self.act(self.per_layer_input_gate(first)) * per_layer_input
        extra = self.post_per_layer_input_norm(self.per_layer_projection(gated))
        return torch.cat((corrected[:1], corrected[1:] + extra))


class Gemma3nTextPreTrainedModel(PreTrainedModel):
    """What all classes of Gemma 3n's language model share."""

    config_class = Gemma3nTextConfig
    base_model_prefix = "model"
    ignored_names = ("vision_tower", "audio_tower", "embed_vision", "embed_audio")  # of the whole Gemma 3n
    aliases = {
        "^model.language_model": "",
        "per_layer_model_projection": "per_layer_model.language_model_projection",
        "per_layer_model.language_model_projection": "per_layer_model_projection",
    }


class Gemma3nTextModel(Gemma3nTextPreTrainedModel, LocalRotaryDecoder):
    """The decoder without a head."""

    def make_embeddings(self, config: Gemma3nTextConfig) -> None:
        size, layers, width = config.hidden_size, config.num_hidden_layers, config.hidden_size_per_layer_input
        padding, norm = config.pad_token_id, self.norm_of(config)
        self.embed_tokens = ScaledEmbedding(config.vocab_size, size, padding)
        self.embed_tokens_per_layer = ScaledEmbedding(
            config.vocab_size_per_layer_input, layers * width, padding, scale=width**0.5
        )
        self.per_layer_model_projection = nn.Linear(size, layers * width, bias=False)
        self.per_layer_projection_norm = norm(width)
        others = range(config.altup_num_inputs - 1)
        self.altup_projections = nn.ModuleList(nn.Linear(size, size, bias=False) for _ in others)
        self.altup_unembed_projections = nn.ModuleList(nn.Linear(size, size, bias=False) for _ in others)

    def norm_of(self, config: Gemma3nTextConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.rms_norm_eps, scale_in_float32=True)

    def make_layer(self, config: Gemma3nTextConfig, layer_idx: int) -> nn.Module:
        norm = self.norm_of(config)
        attention = Gemma3nTextAttention(config, layer_idx, norm=norm)
        return Gemma3nTextLayer(config, norm, self_attn=attention, mlp=SparseMLP(config, layer_idx))

    def make_context(
        self,
        hidden: Tensor,
        attention_mask: Tensor | None,
        cache: Cache | None,
        cache_position: Tensor | None,
    ) -> AttentionContext:
        return SharingContext(hidden, attention_mask, cache=cache, positions=cache_position)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        per_layer_inputs: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As of any decoder; `per_layer_inputs` (batch, sequence, layers, width) default to the ids'."""
        if per_layer_inputs is None and input_ids is not None:
            per_layer_inputs = self.get_per_layer_inputs(input_ids)
        return super().forward(
            input_ids,
            attention_mask,
            position_ids,
            past_key_values,
            per_layer_inputs=per_layer_inputs,
            **inputs,
        )

    def get_per_layer_inputs(self, input_ids: Tensor) -> Tensor:
        """Embeddings of ids for each layer, (batch, sequence, layers, width)."""
        return self.embed_tokens_per_layer(input_ids).unflatten(-1, (len(self.layers), -1))

    def project_per_layer_inputs(self, hidden: Tensor, per_layer_inputs: Tensor | None) -> Tensor:
        """What the embedded input means to each layer, joined with the layers' own embeddings."""
        projected = self.per_layer_model_projection(hidden) * hidden.new_tensor(hidden.shape[-1] ** -0.5)
        projected = self.per_layer_projection_norm(projected.unflatten(-1, (len(self.layers), -1)))
        if per_layer_inputs is None:
            return projected
        return (projected + per_layer_inputs) * projected.new_tensor(2.0**-0.5)

    def run(
        self,
        hidden: Tensor,
        context: AttentionContext,
        position_ids: Tensor | None,
        *,
        per_layer_inputs: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        layered = self.project_per_layer_inputs(hidden, per_layer_inputs).unbind(2)
        rotary = self.rotary_arguments(hidden, context, position_ids)
        rotary["per_layer"]["per_layer_input"] = layered
        streams = [hidden, *(resized(project(hidden), hidden) for project in self.altup_projections)]
        streams = run_layers(self.layers, torch.stack(streams), context, **rotary, **inputs)
        first, *others = streams.unbind()
        unembed = zip(self.altup_unembed_projections, others, strict=True)
        merged = torch.stack([first, *(resized(project(x), first) for project, x in unembed)]).mean(0)
        return self.output_class(last_hidden_state=self.norm(merged), past_key_values=context.cache)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """`x` with the root mean square of `like` in each position."""
    wanted, own = (y.square().mean(-1, keepdim=True) for y in (like, x))
    return x * wanted.sqrt() / own.clamp(min=1e-5).sqrt()


class Gemma3nForCausalLM(CappedLogits, Gemma3nTextPreTrainedModel):
    """the language model of Gemma 3n with a language modeling head."""

    base_class = Gemma3nTextModel
    base_name = "model.language_model"
    head_names = {  # as files have it: "model" was replaced wherever it stood
        "model.per_layer_model_projection": "model.language_model.per_layer_model.language_model_projection"
    }
