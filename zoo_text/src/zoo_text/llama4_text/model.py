"""Llama 4's language model: chunked layers with rotary, full layers without, experts fed weighted inputs."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_options, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import rule_of
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import MixtureOfExperts, Router, StackedExperts
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryTables
from zoo_text.llama4_text.config import Llama4TextConfig


class QueryTemperature(nn.Module):
    """Factors of queries that grow with the logarithm of their position, for layers without rotary."""

    can_keep = False  # made anew for each token

    def __init__(self, config: Llama4TextConfig) -> None:
        super().__init__()
        self.floor, self.scale = config.floor_scale, config.attn_scale

    def forward(self, positions: Tensor, *, dtype: torch.dtype, length: int = 0) -> Tensor:
        """Positions (sequence,) or (batch, sequence) to float32 (1 or batch, 1, sequence, 1)."""
        steps = torch.floor((positions.float() + 1.0) / self.floor)
        factors = torch.log1p(steps) * self.scale + 1.0
        return factors.view(-1, 1, positions.shape[-1], 1)


class Llama4TextAttention(Attention):
    """Rotated and then normalised queries and keys; without rotary, queries with a temperature."""

    def heads(self, hidden: Tensor, rotary: RotaryTables | Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = (self.split(x) for x in self.project(hidden))
        if isinstance(rotary, Tensor):
            return (query * rotary).to(query.dtype), key, value
        if rotary is not None:
            query, key = rotary(query), rotary(key)
            if self.q_norm is not None and self.k_norm is not None:
                query, key = self.q_norm(query), self.k_norm(key)
        return query, key, value


class Llama4Router(Router):
    """The best `top_k` scores, each through a sigmoid."""

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        best, index = logits.topk(self.top_k, dim=-1)
        return index, best.float().sigmoid()


class Llama4TextExperts(StackedExperts):
    """Gated MLPs that weigh what goes in, not what comes out; gate and up are one matrix, input first."""

    def __init__(self, config: Llama4TextConfig) -> None:
        experts, size, width = config.num_local_experts, config.hidden_size, config.intermediate_size
        super().__init__(experts)
        self.gate_up_proj = nn.Parameter(torch.empty(experts, size, 2 * width))
        self.down_proj = nn.Parameter(torch.empty(experts, width, size))
        self.act = activation(config.hidden_act)
        self.reset_parameters()

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        gate, up = (tokens @ self.gate_up_proj[number]).chunk(2, dim=-1)
        return (up * self.act(gate)) @ self.down_proj[number]

    def forward(self, tokens: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        weighted = (tokens[:, None] * weight[..., None]).flatten(0, 1)
        answers = super().forward(weighted, index.reshape(-1, 1), torch.ones_like(weight).reshape(-1, 1))
        return answers.view(*index.shape, -1).sum(1)


class Llama4TextPreTrainedModel(PreTrainedModel):
    """What all classes of Llama 4's language model share."""

    config_class = Llama4TextConfig
    base_model_prefix = "model"
    aliases = {"^language_model.model": "model", "^language_model.lm_head": "lm_head"}
    ignored_names = ("vision_model", "multi_modal_projector")  # of the whole Llama 4


class Llama4TextModel(Llama4TextPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {
        "layers.*.mlp": "layers.*.feed_forward",
        "layers.*.mlp.shared_experts": "layers.*.feed_forward.shared_expert",
    }

    def make_attention(self, config: Llama4TextConfig, layer_idx: int) -> nn.Module:
        normed = config.use_qk_norm and config.no_rope_layers[layer_idx]
        norm = partial(RMSNorm, eps=config.rms_norm_eps, affine=False)
        rule = rule_of(config.layer_types[layer_idx], chunk=config.attention_chunk_size)
        options = attention_options(config, layer_idx, rule=rule, qk_norm=norm if normed else None)
        return Llama4TextAttention(config.hidden_size, config.num_attention_heads, **options)

    def make_mlp(self, config: Llama4TextConfig, layer_idx: int) -> nn.Module:
        size = config.hidden_size
        if layer_idx not in config.moe_layers:
            return GatedMLP(size, config.intermediate_size_mlp, config.hidden_act)
        return MixtureOfExperts(
            Llama4Router(size, config.num_local_experts, config.num_experts_per_tok),
            Llama4TextExperts(config),
            GatedMLP(size, config.intermediate_size, config.hidden_act),
        )

    def make_rotary(self, config: Llama4TextConfig) -> dict[str, nn.Module]:
        made: dict[str, nn.Module] = {"rotary": rotary_of(config, interleaved=True, float32=True)}
        if config.attn_temperature_tuning:
            made["temperature"] = QueryTemperature(config)
        return made

    def kinds_of_rotary(self, config: Llama4TextConfig) -> list[str | None]:
        return ["rotary" if rotated else "temperature" for rotated in config.no_rope_layers]


class Llama4ForCausalLM(ForCausalLM, Llama4TextPreTrainedModel):
    """The language model of Llama 4 with a language modeling head."""

    base_class = Llama4TextModel
