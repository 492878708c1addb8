"""Zamba: Mamba layers, now and then with one attention block that they all share."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Permuted
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.ssm import (
    CausalConv1d,
    hide_padding,
    inverse_softplus_of_steps,
    real_tokens,
    selective_scan,
    state_slot,
)
from zoo_text.zamba.config import ZambaConfig

AttentionT = TypeVar("AttentionT", bound=Attention)


class ZambaPreTrainedModel(PreTrainedModel):
    """What all Zamba classes share."""

    config_class = ZambaConfig
    base_model_prefix = "model"


class HeadedMambaMixer(nn.Module):
    """Mamba's state space where each head chooses steps, "B" and "C" for its own channels."""

    def __init__(self, config: ZambaConfig, layer_idx: int) -> None:
        super().__init__()
        inner, heads, states = (
            config.mamba_expand * config.hidden_size,
            config.n_mamba_heads,
            config.mamba_d_state,
        )
        rank, width = int(config.mamba_dt_rank), inner // heads
        self.layer_idx, self.sizes = layer_idx, [rank, states, states]
        self.steps = config.time_step_min, config.time_step_max, config.time_step_floor
        self.in_proj = Linear(config.hidden_size, 2 * inner, bias=config.mamba_proj_bias)
        self.conv1d = CausalConv1d(inner, config.mamba_d_conv, bias=config.mamba_conv_bias)
        self.x_proj_weight = nn.Parameter(torch.empty(heads, sum(self.sizes), width))
        self.dt_proj_weight = nn.Parameter(torch.empty(heads, width, rank))
        self.dt_proj_bias = nn.Parameter(torch.empty(heads, width))
        self.A_log = nn.Parameter(torch.empty(heads, width, states))
        self.D = nn.Parameter(torch.empty(heads, width))
        self.out_proj = Linear(inner, config.hidden_size, bias=config.mamba_proj_bias)
        self.act = activation(config.hidden_mamba_act)
        # files hold input and gate of each channel in turn
        self.hub_names = {"in_proj": Permuted("in_proj", (1, 0, 2), view=(inner, 2, -1))}
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        self.A_log.copy_(torch.arange(1, self.A_log.shape[-1] + 1).float().log().expand_as(self.A_log))
        nn.init.ones_(self.D)
        nn.init.normal_(self.x_proj_weight, std=0.02)
        scale = self.sizes[0] ** -0.5
        nn.init.uniform_(self.dt_proj_weight, -scale, scale)
        self.dt_proj_bias.copy_(inverse_softplus_of_steps(tuple(self.dt_proj_bias.shape), *self.steps))

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: object) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        slot, real = state_slot(context, self.layer_idx), real_tokens(context)
        x, gate = self.in_proj(hidden).chunk(2, dim=-1)
        x = hide_padding(self.act(self.conv1d(hide_padding(x, real), slot)), real)
        state = None if slot is None else slot.state.get("ssm")
        answers, states = [], []
        for head, part in enumerate(x.chunk(len(self.D), dim=-1)):
            step, write, read = F.linear(part, self.x_proj_weight[head]).split(self.sizes, dim=-1)
            step = F.softplus(F.linear(step, self.dt_proj_weight[head], self.dt_proj_bias[head]))
            decay = -torch.exp(self.A_log[head].float())
            before = None if state is None else state[:, head]
            y, after = selective_scan(part, step, decay, write, read, before)
            answers.append(y + part * self.D[head])
            states.append(after)
        if slot is not None:
            slot.state["ssm"] = torch.stack(states, dim=1)
            slot.seen += hidden.shape[1]
        y = torch.cat(answers, dim=-1) * self.act(gate)
        return self.out_proj(y.to(hidden.dtype))


class MambaLayer(nn.Module):
    """x + mamba(norm(x)); what a shared block has found is added to the norm's input."""

    hub_names = {"self_attn": "mamba"}

    def __init__(self, config: PretrainedConfig, mixer: nn.Module) -> None:
        super().__init__()
        self.self_attn = mixer
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, found: Tensor | None = None, **unused: Any
    ) -> Tensor:
        given = hidden if found is None else hidden + found
        return hidden + self.self_attn(self.input_layernorm(given), context)


def double_attention(config: PretrainedConfig, layer_idx: int, kind: type[AttentionT]) -> AttentionT:
    """Attention over hidden states and embeddings side by side, to a width of the hidden states alone."""
    width, head_dim = config.attention_hidden_size, config.attention_head_dim
    attention = kind(
        width,
        config.num_attention_heads,
        num_kv_heads=config.num_key_value_heads,
        head_dim=head_dim,
        bias=False,
        scale=(head_dim / 2) ** -0.5,
        dropout=config.attention_dropout,
        rule=CAUSAL,
        layer_idx=layer_idx,
    )
    attention.o_proj = Linear(config.num_attention_heads * head_dim, config.hidden_size, bias=False)
    return attention


class SharedBlock(nn.Module):
    """Attention and MLP, each after a norm, over hidden states and embeddings side by side."""

    hub_names = {"mlp": "feed_forward", "post_attention_layernorm": "pre_ff_layernorm"}

    def __init__(self, config: PretrainedConfig, attention: nn.Module, mlp: nn.Module) -> None:
        super().__init__()
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        self.self_attn, self.mlp = attention, mlp
        self.input_layernorm = norm(config.attention_hidden_size)
        self.post_attention_layernorm = norm(config.hidden_size)

    def forward(
        self, hidden: Tensor, embedded: Tensor, context: AttentionContext, **attention: Any
    ) -> Tensor:
        both = self.input_layernorm(torch.cat((hidden, embedded), dim=-1))
        return self.mlp(self.post_attention_layernorm(self.self_attn(both, context, **attention)))


class HybridLayer(nn.Module):
    """The shared block, a linear layer of its own, and a Mamba layer that is given what they found."""

    def __init__(self, config: PretrainedConfig, block: nn.Module, mamba: nn.Module) -> None:
        super().__init__()
        self.shared_transf, self.mamba_decoder = block, mamba
        self.linear = Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, embedded: Tensor, **attention: Any
    ) -> Tensor:
        found = self.linear(self.shared_transf(hidden, embedded, context, **attention))
        return self.mamba_decoder(hidden, context, found=found)


class ZambaModel(ZambaPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"norm": "final_layernorm"}

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        mamba = MambaLayer(config, self.make_mixer(config, layer_idx))
        if config.layers_block_type[layer_idx] != "hybrid":
            return mamba
        turn, owner = self.shared(config)[layer_idx]
        with nullcontext() if owner == layer_idx else torch.device("meta"):  # it will be the owner's memory
            block = self.make_block(config, layer_idx, turn)
        return HybridLayer(config, block, mamba)

    def shared(self, config: PretrainedConfig) -> dict[int, tuple[int, int]]:
        """For each hybrid layer its number among them, and the last layer in which its block stands."""
        hybrid = [i for i, kind in enumerate(config.layers_block_type) if kind == "hybrid"]
        blocks = getattr(config, "num_mem_blocks", 1)  # that many take turns
        return {layer: (turn, hybrid[turn::blocks][-1]) for turn, layer in enumerate(hybrid)}

    def post_init(self) -> None:
        self.tie_weights()
        super().post_init()

    def make_mixer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return HeadedMambaMixer(config, layer_idx)

    def make_block(self, config: PretrainedConfig, layer_idx: int, turn: int) -> nn.Module:
        """The shared block as it stands in the hybrid layer number `turn`."""
        return SharedBlock(config, double_attention(config, layer_idx, Attention), gated_mlp_of(config))

    def make_rotary(self, config: PretrainedConfig) -> dict[str, nn.Module]:
        return {}

    def ties(self) -> dict[str, str]:
        """Every block's parameters are those of the last layer in which it stands."""
        found: dict[str, str] = {}
        for layer, (_, owner) in self.shared(self.config).items():
            mine, its = f"layers.{layer}.shared_transf.", f"layers.{owner}.shared_transf."
            if layer != owner:
                names = dict(self.get_submodule(mine[:-1]).named_parameters(remove_duplicate=False))
                found.update({mine + name: its + name for name in names})
        return found

    def run(
        self, hidden: Tensor, context: AttentionContext, position_ids: Tensor | None, **inputs: Any
    ) -> ModelOutput:
        return super().run(hidden, context, position_ids, embedded=hidden, **inputs)


class ZambaForCausalLM(ForCausalLM, ZambaPreTrainedModel):
    """Zamba with a language modeling head."""

    base_class = ZambaModel


class ZambaForSequenceClassification(ForLastTokenClassification, ZambaPreTrainedModel):
    """Zamba with a classifier on the last token."""

    base_class = ZambaModel
