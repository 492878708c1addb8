"""Zamba2: Mamba-2 layers, now and then with attention blocks that they share, adapted to each place."""

from __future__ import annotations

import math
from functools import partial

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.ssm import GatedRMSNorm, Mamba2Mixer
from zoo_text.zamba.model import SharedBlock, ZambaModel, double_attention
from zoo_text.zamba2.config import Zamba2Config


class Zamba2PreTrainedModel(PreTrainedModel):
    """What all Zamba2 classes share."""

    config_class = Zamba2Config
    base_model_prefix = "model"


def adapters(turns: list[int], size: int, rank: int, output_size: int) -> nn.ModuleDict:
    """For each turn of a block two thin matrices, whose product is added to a shared one."""
    linear = partial(nn.Linear, bias=False)
    return nn.ModuleDict(
        {str(n): nn.Sequential(linear(size, rank), linear(rank, output_size)) for n in turns}
    )


class AdaptedMLP(nn.Module):
    """A gated MLP whose first matrix, gate and value in one, is adapted in each of its `turns`."""

    hub_names = {"adapters": "gate_up_proj_adapter_list"}

    def __init__(self, config: Zamba2Config, turn: int, turns: list[int]) -> None:
        super().__init__()
        size, inner, bias = config.hidden_size, config.intermediate_size or 0, config.add_bias_linear
        self.gate_up_proj = Linear(size, 2 * inner, bias=bias)
        self.down_proj = Linear(inner, size, bias=bias)
        self.adapters, self.turn = adapters(turns, size, config.adapter_rank, 2 * inner), str(turn)
        self.act = activation(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = (self.gate_up_proj(x) + self.adapters[self.turn](x)).chunk(2, dim=-1)
        return self.down_proj(self.act(gate) * up)


class AdaptedAttention(Attention):
    """Attention whose queries, keys and values are adapted in each of its turns."""

    hub_names = {f"{part}_adapters": f"linear_{part}_adapter_list" for part in "qkv"}
    turn: str

    def adapt(self, config: Zamba2Config, turn: int, turns: list[int]) -> None:
        """Create the adapters."""
        self.turn, size = str(turn), config.attention_hidden_size or 0
        self.q_adapters, self.k_adapters, self.v_adapters = (
            adapters(turns, size, config.adapter_rank, size) for _ in range(3)
        )

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().project(hidden)
        adapted = (part[self.turn](hidden) for part in (self.q_adapters, self.k_adapters, self.v_adapters))
        q, k, v = adapted
        return query + q, key + k, value + v


class Zamba2Model(Zamba2PreTrainedModel, ZambaModel):
    """The decoder without a head."""

    hub_names = {"norm": "final_layernorm", "layers.*.shared_transf": "layers.*.shared_transformer"}

    def make_mixer(self, config: Zamba2Config, layer_idx: int) -> nn.Module:
        inner = config.mamba_expand * config.hidden_size
        return Mamba2Mixer(
            config.hidden_size,
            heads=config.n_mamba_heads,
            head_dim=config.mamba_headdim or 0,
            state_size=config.mamba_d_state,
            groups=config.mamba_ngroups,
            conv_width=config.mamba_d_conv,
            conv_bias=True,
            bias=config.add_bias_linear,
            act="silu",
            norm=GatedRMSNorm(inner, 1e-5, groups=config.mamba_ngroups),
            chunk=config.chunk_size,
            layer_idx=layer_idx,
            step_limit=(config.time_step_min, math.inf),
            steps=(config.time_step_min, config.time_step_max, config.time_step_floor),
        )

    def make_block(self, config: Zamba2Config, layer_idx: int, turn: int) -> nn.Module:
        turns = [n for n, _ in self.shared(config).values() if (n - turn) % config.num_mem_blocks == 0]
        if config.use_shared_attention_adapter:
            attention = double_attention(config, layer_idx, AdaptedAttention)
            attention.adapt(config, turn, turns)
        else:
            attention = double_attention(config, layer_idx, Attention)
        return SharedBlock(config, attention, AdaptedMLP(config, turn, turns))

    def make_rotary(self, config: Zamba2Config) -> dict[str, nn.Module]:
        if not config.use_mem_rope:
            return {}
        return {"full": RotaryEmbedding(config.attention_head_dim or 0, theta=config.scaled_theta)}


class Zamba2ForCausalLM(ForCausalLM, Zamba2PreTrainedModel):
    """Zamba2 with a language modeling head."""

    base_class = Zamba2Model


class Zamba2ForSequenceClassification(ForLastTokenClassification, Zamba2PreTrainedModel):
    """Zamba2 with a classifier on the last token."""

    base_class = Zamba2Model
