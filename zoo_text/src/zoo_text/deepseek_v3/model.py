"""DeepSeek-V3 (https://arxiv.org/abs/2412.19437): latent attention and a fine-grained mixture of experts."""

from __future__ import annotations

from typing import Any

from torch import nn

from zoo_core.checkpoint.dialects import EXPERTS
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.latent_attention import LatentAttention
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, GroupedRouter, MixtureOfExperts
from zoo_core.nn.rope_scaling import yarn_scale
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.deepseek_v3.config import DeepseekV3Config


class DeepseekV3PreTrainedModel(PreTrainedModel):
    """What all DeepSeek-V3 classes share."""

    config_class = DeepseekV3Config
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq", "model.layers.61.*")  # the multi-token prediction layer
    always_float32 = ("*e_score_correction_bias",)


class DeepseekV3MoE(MixtureOfExperts):
    """Routed experts and a shared one."""

    hub_names = EXPERTS

    def __init__(self, config: DeepseekV3Config) -> None:
        size, width = config.hidden_size, config.moe_intermediate_size
        router = GroupedRouter(
            size,
            config.n_routed_experts,
            config.num_experts_per_tok,
            groups=config.n_group,
            top_groups=config.topk_group,
            normalize=config.norm_topk_prob,
            scaling=config.routed_scaling_factor,
        )
        experts = Experts(config.n_routed_experts, size, width, config.hidden_act)
        super().__init__(
            router, experts, GatedMLP(size, width * (config.n_shared_experts or 0), config.hidden_act)
        )


class DeepseekV3Model(DeepseekV3PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: DeepseekV3Config, layer_idx: int) -> nn.Module:
        return LatentAttention(**latent_options(config, layer_idx, scale=attention_scale(config)))

    def make_mlp(self, config: DeepseekV3Config, layer_idx: int) -> nn.Module:
        return gated_mlp_of(config) if layer_idx < config.first_k_dense_replace else DeepseekV3MoE(config)

    def make_rotary(self, config: DeepseekV3Config) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, dim=config.qk_rope_head_dim, interleaved=config.rope_interleave)}


def latent_options(config: PretrainedConfig, layer_idx: int, **changes: Any) -> dict[str, Any]:
    """The keywords of `LatentAttention` that a config names as DeepSeek does; further ones override them."""
    options = {
        "hidden_size": config.hidden_size,
        "num_heads": config.num_attention_heads,
        "q_rank": config.q_lora_rank,
        "kv_rank": config.kv_lora_rank,
        "nope_dim": config.qk_nope_head_dim,
        "rope_dim": config.qk_rope_head_dim,
        "v_dim": config.v_head_dim,
        "bias": config.attention_bias,
        "dropout": config.attention_dropout,
        "layer_idx": layer_idx,
    }
    return options | changes


def attention_scale(config: DeepseekV3Config) -> float:
    """The usual scale of the full head width, times YaRN's square where that stretches the context."""
    scale = (config.qk_nope_head_dim + config.qk_rope_head_dim) ** -0.5
    scaling = config.rope_scaling or {}
    if scaling.get("mscale_all_dim"):
        scale *= yarn_scale(scaling["factor"], scaling["mscale_all_dim"]) ** 2
    return scale


class DeepseekV3ForCausalLM(ForCausalLM, DeepseekV3PreTrainedModel):
    """DeepSeek-V3 with a language modeling head."""

    base_class = DeepseekV3Model
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class DeepseekV3ForSequenceClassification(ForLastTokenClassification, DeepseekV3PreTrainedModel):
    """DeepSeek-V3 with a classifier on the last token."""

    base_class = DeepseekV3Model


class DeepseekV3ForTokenClassification(ForTokenClassification, DeepseekV3PreTrainedModel):
    """DeepSeek-V3 with a classifier on each token."""

    base_class = DeepseekV3Model
    head_names = {"classifier": "score"}
