"""Qwen3-Next: gated delta networks, gated attention now and then, and experts."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_options
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.ssm import CausalConv1d, GatedRMSNorm, hide_padding, real_tokens, state_slot
from zoo_text.gemma.model import gemma_norm
from zoo_text.qwen2_moe.model import GatedExpert, SparseMoE, is_sparse
from zoo_text.qwen3_next.config import Qwen3NextConfig

#: positions that are computed as one product
CHUNK = 64


class Qwen3NextPreTrainedModel(PreTrainedModel):
    """What all Qwen3-Next classes share."""

    config_class = Qwen3NextConfig
    base_model_prefix = "model"
    ignored_names = ("mtp.*",)


class GatedAttention(Attention):
    """Attention whose answer passes a gate of the query's own state before the output projection."""

    def __init__(self, config: Qwen3NextConfig, layer_idx: int, norm: NormFactory) -> None:
        super().__init__(
            config.hidden_size,
            config.num_attention_heads,
            **attention_options(config, layer_idx, qk_norm=norm),
        )
        self.gate_proj = Linear(
            config.hidden_size, self.num_heads * self.head_dim, bias=config.attention_bias
        )
        self.hub_names = {("q_proj", "gate_proj"): Fused("q_proj", groups=self.num_heads)}

    def forward(
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        head_mask: Tensor | None = None,
        **unused: object,
    ) -> Tensor:
        attended = self.attend(*self.inputs(hidden, context, rotary), head_mask=head_mask)
        return self.o_proj(attended.transpose(1, 2).flatten(2) * torch.sigmoid(self.gate_proj(hidden)))


def gated_delta_rule(
    query: Tensor, key: Tensor, value: Tensor, log_decay: Tensor, rate: Tensor, state: Tensor | None
) -> tuple[Tensor, Tensor]:
    """S[t] = a[t] S[t-1] + k[t] u[t]', u[t] = b[t] (v[t] - a[t] S[t-1]' k[t]); y[t] = S[t]' q[t].

    Gated delta networks (https://arxiv.org/abs/2412.06464). Written out over a chunk, what is written ("u")
    solves a triangular system, and the rest is attention with decaying weights. In float32.

    Args:
        query, key: (batch, heads, sequence, n). value: (batch, heads, sequence, m).
        log_decay, rate: log of "a", and "b", (batch, heads, sequence).
        state: (batch, heads, n, m).

    Returns:
        y (batch, heads, sequence, m) and the last state.
    """
    if state is None:
        state = value.new_zeros(*key.shape[:2], key.shape[3], value.shape[3])
    answers = []
    for start in range(0, key.shape[2], CHUNK):
        part = slice(start, start + CHUNK)
        q, k, v, b = query[:, :, part], key[:, :, part], value[:, :, part], rate[:, :, part, None]
        total = log_decay[:, :, part].cumsum(-1)
        later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device).triu(1)
        left = (total[..., :, None] - total[..., None, :]).masked_fill(later, -torch.inf).exp()
        faded = total.exp()[..., None]
        known = (k @ k.transpose(2, 3) * left * b).tril(-1)
        news = b * (v - faded * (k @ state))
        written = torch.linalg.solve_triangular(known, news, upper=False, unitriangular=True)
        answers.append(faded * (q @ state) + (q @ k.transpose(2, 3) * left) @ written)
        fading = (total[..., -1:] - total).exp()[..., None]
        state = state * faded[:, :, -1:] + (k * fading).transpose(2, 3) @ written
    return torch.cat(answers, dim=2), state


class GatedDeltaNet(nn.Module):
    """The recurrence of `gated_delta_rule` after a convolution, normalised and gated.

    Each key head serves several value heads.
    """

    def __init__(self, config: Qwen3NextConfig, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx, size = layer_idx, config.hidden_size
        self.key_heads, self.value_heads = config.linear_num_key_heads, config.linear_num_value_heads
        keys, values = (
            self.key_heads * config.linear_key_head_dim,
            self.value_heads * config.linear_value_head_dim,
        )
        self.sizes = [keys, keys, values]
        self.q_proj, self.k_proj = (Linear(size, keys, bias=False) for _ in range(2))
        self.v_proj, self.gate_proj = (Linear(size, values, bias=False) for _ in range(2))
        self.b_proj, self.a_proj = (Linear(size, self.value_heads, bias=False) for _ in range(2))
        self.conv1d = CausalConv1d(sum(self.sizes), config.linear_conv_kernel_dim, bias=False)
        self.dt_bias = nn.Parameter(torch.empty(self.value_heads))
        self.A_log = nn.Parameter(torch.empty(self.value_heads))
        self.norm = GatedRMSNorm(config.linear_value_head_dim, config.rms_norm_eps, gate_first=False)
        self.out_proj = Linear(values, size, bias=False)
        self.hub_names = {
            ("q_proj", "k_proj", "v_proj", "gate_proj"): Fused("in_proj_qkvz", groups=self.key_heads),
            ("b_proj", "a_proj"): Fused("in_proj_ba", groups=self.key_heads),
        }
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        nn.init.ones_(self.dt_bias)
        self.A_log.copy_(torch.empty_like(self.A_log).uniform_(1e-3, 16).log())

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: object) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        slot = state_slot(context, self.layer_idx)
        hidden = hide_padding(hidden, real_tokens(context))
        mixed = torch.cat((self.q_proj(hidden), self.k_proj(hidden), self.v_proj(hidden)), dim=-1)
        parts = F.silu(self.conv1d(mixed, slot)).float().split(self.sizes, dim=-1)
        counts = (self.key_heads, self.key_heads, self.value_heads)
        query, key, value = (
            x.unflatten(-1, (n, -1)).transpose(1, 2) for x, n in zip(parts, counts, strict=True)
        )
        query, key = (
            (x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)).repeat_interleave(
                self.value_heads // self.key_heads, dim=1
            )
            for x in (query, key)
        )
        rate = torch.sigmoid(self.b_proj(hidden).float()).transpose(1, 2)
        steps = F.softplus(self.a_proj(hidden).float() + self.dt_bias.float())
        log_decay = (-self.A_log.float().exp() * steps).transpose(1, 2)
        state = None if slot is None else slot.state.get("delta")
        y, state = gated_delta_rule(query * query.shape[-1] ** -0.5, key, value, log_decay, rate, state)
        if slot is not None:
            slot.state["delta"] = state
            slot.seen += hidden.shape[1]
        gate = self.gate_proj(hidden).unflatten(-1, (self.value_heads, -1))
        return self.out_proj(self.norm(y.transpose(1, 2), gate).flatten(2).to(hidden.dtype))


class DeltaLayer(PreNormLayer):
    """A layer with a recurrence for attention."""

    hub_names = {"self_attn": "linear_attn"}


class Qwen3NextModel(Qwen3NextPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_layer(self, config: Qwen3NextConfig, layer_idx: int) -> nn.Module:
        norm, mlp = self.norm_of(config), self.make_mlp(config, layer_idx)
        if (config.layer_types or [])[layer_idx] == "linear_attention":
            return DeltaLayer(config.hidden_size, norm, self_attn=GatedDeltaNet(config, layer_idx), mlp=mlp)
        attention = GatedAttention(config, layer_idx, norm)
        return PreNormLayer(config.hidden_size, norm, self_attn=attention, mlp=mlp)

    def make_mlp(self, config: Qwen3NextConfig, layer_idx: int) -> nn.Module:
        if not is_sparse(config, layer_idx):
            return super().make_mlp(config, layer_idx)
        width = config.shared_expert_intermediate_size
        return SparseMoE(config, GatedExpert(config.hidden_size, width, config.hidden_act))

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return gemma_norm(config)


class Qwen3NextForCausalLM(ForMoeCausalLM, Qwen3NextPreTrainedModel):
    """Qwen3-Next with a language modeling head."""

    base_class = Qwen3NextModel


class Qwen3NextForSequenceClassification(ForLastTokenClassification, Qwen3NextPreTrainedModel):
    """Qwen3-Next with a classifier on the last token."""

    base_class = Qwen3NextModel


class Qwen3NextForTokenClassification(ForTokenClassification, Qwen3NextPreTrainedModel):
    """Qwen3-Next with a classifier on each token."""

    base_class = Qwen3NextModel
    head_names = {"classifier": "score"}


class Qwen3NextForQuestionAnswering(ForQuestionAnswering, Qwen3NextPreTrainedModel):
    """Qwen3-Next with scores of an answer's first and last token."""

    base_class = Qwen3NextModel
    base_name = "transformer"
