"""DBRX: norms without biases, clipped queries, keys and values, and a mixture of experts in every layer."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused, Reshaped, Transposed
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.dbrx.config import DbrxConfig


class DbrxPreTrainedModel(PreTrainedModel):
    """What all DBRX classes share."""

    config_class = DbrxConfig
    base_model_prefix = "transformer"


class DbrxAttention(Attention):
    """Attention whose projections are clipped to [-clip, clip]."""

    def __init__(self, config: DbrxConfig, layer_idx: int) -> None:
        settings = config.attn_config
        super().__init__(
            config.d_model,
            config.n_heads,
            num_kv_heads=settings.kv_n_heads,
            bias=False,
            dropout=settings.attn_pdrop,
            rule=CAUSAL,
            layer_idx=layer_idx,
        )
        self.clip = settings.clip_qkv

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().project(hidden)
        if self.clip is None:
            return query, key, value
        return tuple(x.clamp(-self.clip, self.clip) for x in (query, key, value))  # type: ignore[return-value]


class DbrxRouter(Router):
    """The best experts by softmax, their weights divided by their p-norm."""

    def __init__(self, hidden_size: int, num_experts: int, top_k: int, *, norm: float | None) -> None:
        super().__init__(hidden_size, num_experts, top_k)
        self.norm = norm

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        index, weight = super().choose(logits)
        return index, weight if self.norm is None else weight / weight.norm(p=self.norm, dim=-1, keepdim=True)


class DbrxModel(DbrxPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    @property
    def hub_names(self) -> dict[object, object]:  # type: ignore[override]
        block, size = "blocks.*.norm_attn_norm", self.config.d_model
        qkv = tuple(f"layers.*.self_attn.{part}_proj" for part in "qkv")
        experts = "blocks.*.ffn.experts.mlp"
        return {
            "embed_tokens": "wte",
            "layers": "blocks",
            "layers.*.input_layernorm": f"{block}.norm_1",
            "layers.*.post_attention_layernorm": f"{block}.norm_2",
            qkv: Fused(f"{block}.attn.Wqkv"),
            "layers.*.self_attn.o_proj": f"{block}.attn.out_proj",
            "layers.*.mlp.router": "blocks.*.ffn.router.layer",
            "layers.*.mlp.experts.gate_proj": Reshaped(f"{experts}.w1", (-1, size)),
            "layers.*.mlp.experts.up_proj": Reshaped(f"{experts}.v1", (-1, size)),
            "layers.*.mlp.experts.down_proj": Transposed(Reshaped(f"{experts}.w2", (-1, size))),
            "norm": "norm_f",
        }

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return partial(nn.LayerNorm, bias=False)

    def make_attention(self, config: DbrxConfig, layer_idx: int) -> nn.Module:
        return DbrxAttention(config, layer_idx)

    def make_mlp(self, config: DbrxConfig, layer_idx: int) -> nn.Module:
        size, settings = config.d_model, config.ffn_config
        experts, act = settings.moe_num_experts, settings.ffn_act_fn["name"]
        router = DbrxRouter(size, experts, settings.moe_top_k, norm=settings.moe_normalize_expert_weights)
        return MixtureOfExperts(router, Experts(experts, size, settings.ffn_hidden_size, act))

    def layer_options(self, config: DbrxConfig) -> dict[str, float]:
        return {"dropout": config.resid_pdrop}

    def make_rotary(self, config: DbrxConfig) -> dict[str, RotaryEmbedding]:
        width = config.d_model // config.n_heads
        theta, positions = config.attn_config.rope_theta, config.max_seq_len
        return {"full": RotaryEmbedding(width, theta=theta, max_positions=positions)}


class DbrxForCausalLM(ForMoeCausalLM, DbrxPreTrainedModel):
    """DBRX with a language modeling head."""

    base_class = DbrxModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}
