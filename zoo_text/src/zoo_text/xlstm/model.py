"""xLSTM: matrix memories with exponential gates (mLSTM), and gated feed-forward blocks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import softcap
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.ssm import started, state_slot
from zoo_text.mamba.model import MambaForCausalLM, MambaModel
from zoo_text.xlstm.config import xLSTMConfig

State = tuple[Tensor, Tensor, Tensor]


def matrix_memory(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    write: Tensor,
    keep: Tensor,
    state: State | None,
    *,
    chunk: int,
    eps: float,
) -> tuple[Tensor, State]:
    """C[t] = f[t] C[t-1] + i[t] k[t] v[t]', n[t] = f[t] n[t-1] + i[t] k[t], y = C' q / max(|n' q|, 1).

    Equations 19 to 27 of https://arxiv.org/abs/2405.04517, chunk by chunk: inside a chunk it is attention
    with decaying weights. All weights stand relative to exp(m), the largest so far, so that none overflows.

    Args:
        query, key: (batch, heads, sequence, n), scaled. value: (batch, heads, sequence, m).
        write, keep: log of "i" and of "f", (batch, heads, sequence).
        state: C (batch, heads, n, m), n (batch, heads, n, 1) and m (batch, heads, 1, 1).

    Returns:
        y (batch, heads, sequence, m) and the last state.
    """
    batch, heads, length, width = key.shape
    if state is None:
        zeros = key.new_zeros(batch, heads, width, value.shape[-1] + 2)
        state = zeros[..., :-2], zeros[..., -2:-1], zeros[..., :1, -1:]
    memory, norm, top = state
    answers = []
    for start in range(0, length, chunk):
        part = slice(start, start + chunk)
        q, k, v, i = query[:, :, part], key[:, :, part], value[:, :, part], write[:, :, part]
        total = keep[:, :, part].cumsum(-1)
        later = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device).triu(1)
        left = (total[..., :, None] - total[..., None, :] + i[..., None, :]).masked_fill(later, -torch.inf)
        before = total[..., None] + top
        highest = torch.maximum(left.amax(-1, keepdim=True), before)
        within, before = q @ k.transpose(2, 3) * (left - highest).exp(), (before - highest).exp()
        found = within @ v + before * (q @ memory)
        weight = within.sum(-1, keepdim=True) + before * (q @ norm)
        answers.append(found / (torch.maximum(weight.abs(), (-highest).exp()) + eps))
        top = highest[:, :, -1:]
        fading, kept = (left[:, :, -1:] - top).exp().transpose(2, 3), before[:, :, -1:]
        memory = kept * memory + (k * fading).transpose(2, 3) @ v
        norm = kept * norm + (k * fading).sum(2, keepdim=True).transpose(2, 3)
    return torch.cat(answers, dim=2), (memory, norm, top)


class BiasedRMSNorm(RMSNorm):
    """RMS norm with a bias."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__(size, eps)
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.bias


class HeadLayerNorm(nn.Module):
    """Layer norm of each head's part, in float32, with weights over all heads."""

    def __init__(self, size: int, eps: float, *, bias: bool) -> None:
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, sequence, heads, width) to (batch, sequence, heads x width)."""
        y = F.layer_norm(x.float(), x.shape[-1:], eps=self.eps).flatten(-2)
        y = y.to(self.weight.dtype) * self.weight
        return y if self.bias is None else y + self.bias


class MatrixLSTM(nn.Module):
    """The mLSTM cell: heads with a matrix for memory, an output gate and a norm."""

    def __init__(self, config: xLSTMConfig, layer_idx: int) -> None:
        super().__init__()
        size, bias = config.hidden_size, config.use_bias
        self.layer_idx, self.heads, self.cap = layer_idx, config.num_heads, config.gate_soft_cap
        self.chunk, self.eps = config.chunk_size, config.eps
        self.q_proj, self.k_proj = (Linear(size, config.qk_dim, bias=bias) for _ in range(2))
        self.v_proj, self.gate_proj = (Linear(size, config.v_dim, bias=bias) for _ in range(2))
        self.input_gate, self.forget_gate = (Linear(size, self.heads) for _ in range(2))
        self.norm = HeadLayerNorm(config.v_dim, config.norm_eps, bias=bias)
        self.out_proj = Linear(config.v_dim, size, bias=bias)
        self.hub_names = {
            "q_proj": "q",
            "k_proj": "k",
            "v_proj": "v",
            "gate_proj": "ogate_preact",
            "input_gate": "igate_preact",
            "forget_gate": "fgate_preact",
            "norm": "multihead_norm",
        }
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """The authors' gates: little is written at first, and heads forget at different rates."""
        for gate in (self.input_gate, self.forget_gate):
            nn.init.zeros_(gate.weight)
        nn.init.constant_(self.input_gate.bias, -10.0)
        self.forget_gate.bias.copy_(torch.linspace(3.0, 6.0, self.heads))

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        slot, begun = state_slot(context, self.layer_idx), started(context)
        parts = (self.q_proj(hidden), self.k_proj(hidden), self.v_proj(hidden))
        query, key, value = (x.float().unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in parts)
        write, keep = (
            softcap(gate(hidden).float(), self.cap).transpose(1, 2)
            for gate in (self.input_gate, self.forget_gate)
        )
        keep = F.logsigmoid(keep)
        if begun is not None:  # nothing is written and nothing fades before a row begins
            padding = ~begun[..., 0][:, None]
            write, keep = write.masked_fill(padding, -torch.inf), keep.masked_fill(padding, 0.0)
        kept = {} if slot is None else slot.state
        state = (kept["memory"], kept["norm"], kept["top"]) if kept else None
        query = query * query.shape[-1] ** -0.5
        y, state = matrix_memory(query, key, value, write, keep, state, chunk=self.chunk, eps=self.eps)
        if slot is not None:
            slot.state.update(zip(("memory", "norm", "top"), state, strict=True))
            slot.seen += hidden.shape[1]
        y = self.norm(y.transpose(1, 2).to(hidden.dtype))
        return self.out_proj(torch.sigmoid(self.gate_proj(hidden)) * y)


class xLSTMModel(MambaModel):
    """The model without a head; what it remembers goes by the name `cache_params`."""

    config_class = xLSTMConfig
    record_after = True
    hub_names = {
        "embed_tokens": "embeddings",
        "layers": "blocks",
        "layers.*.self_attn": "blocks.*.mlstm_layer",
        "layers.*.input_layernorm": "blocks.*.norm_mlstm",
        "layers.*.post_attention_layernorm": "blocks.*.norm_ffn",
        "layers.*.mlp.gate_proj": "blocks.*.ffn.proj_up_gate",
        "layers.*.mlp.up_proj": "blocks.*.ffn.proj_up",
        "layers.*.mlp.down_proj": "blocks.*.ffn.proj_down",
        "norm": "out_norm",
    }

    def make_layer(self, config: xLSTMConfig, layer_idx: int) -> nn.Module:
        def norm(size: int) -> nn.Module:
            return (BiasedRMSNorm if config.use_bias else RMSNorm)(size, config.norm_eps)

        return PreNormLayer(
            config.hidden_size,
            norm,
            self_attn=MatrixLSTM(config, layer_idx),
            mlp=GatedMLP(config.hidden_size, config.intermediate_size, "silu", bias=config.use_bias),
        )

    def norm_of(self, config: xLSTMConfig) -> NormFactory:
        return lambda size: RMSNorm(size, config.norm_eps)


class xLSTMForCausalLM(MambaForCausalLM):
    """xLSTM with a language modeling head; scores are float32 and softly capped."""

    config_class = xLSTMConfig
    base_class = xLSTMModel

    def score(self, hidden: Tensor) -> Tensor:
        return softcap(super().score(hidden), self.config.output_logit_soft_cap)
