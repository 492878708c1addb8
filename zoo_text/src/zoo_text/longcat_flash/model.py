"""LongCat-Flash: two latent attentions and MLPs a layer, experts around the second half."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import EXPERTS
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.latent_attention import LatentAttention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, MixtureOfExperts
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.deepseek_v3.model import attention_scale, latent_options
from zoo_text.ernie4_5_moe.model import CorrectedRouter
from zoo_text.longcat_flash.config import LongcatFlashConfig


class ScaledLatentAttention(LatentAttention):
    """Latent attention whose latents are scaled up to the variance of the full width."""

    def __init__(self, config: LongcatFlashConfig, layer_idx: int) -> None:
        size = config.hidden_size
        super().__init__(**latent_options(config, layer_idx, scale=attention_scale(config)))
        self.q_factor = (size / (config.q_lora_rank or size)) ** 0.5
        self.kv_factor = (size / config.kv_lora_rank) ** 0.5

    def queries(self, hidden: Tensor) -> Tensor:
        return super().queries(hidden) * self.q_factor

    def latents(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        latent, position = super().latents(hidden)
        return latent * self.kv_factor, position


class LongcatRouter(CorrectedRouter):
    """Weights as they come from softmax; experts are added up in float32."""

    weigh_in_float32 = True


class ExpertsOrNone(Experts):
    """Experts of which those beyond the last return their input as it is, at no cost."""

    def __init__(self, config: LongcatFlashConfig) -> None:
        size, width = config.hidden_size, config.expert_ffn_hidden_size
        super().__init__(config.n_routed_experts, size, width, config.hidden_act)
        self.real, self.num_experts = self.num_experts, self.num_experts + config.zero_expert_num

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        return super().expert(number, tokens) if number < self.real else tokens


class LongcatFlashMoE(MixtureOfExperts):
    """Experts that may be none."""

    hub_names = EXPERTS | {
        "router": "router",
        "router.weight": "router.classifier.weight",
    }

    def __init__(self, config: LongcatFlashConfig) -> None:
        number = config.n_routed_experts + config.zero_expert_num
        router = LongcatRouter(
            config.hidden_size, number, config.moe_topk, least=None, scaling=config.routed_scaling_factor
        )
        super().__init__(router, ExpertsOrNone(config))


class LongcatFlashLayer(nn.Module):
    """Attention, MLP, attention, MLP; the experts see what the first MLP sees and add to the end."""

    def __init__(self, config: LongcatFlashConfig, layer_idx: int) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.rms_norm_eps
        self.mlp = LongcatFlashMoE(config)
        self.self_attn = nn.ModuleList(ScaledLatentAttention(config, 2 * layer_idx + i) for i in range(2))
        self.mlps = nn.ModuleList(GatedMLP(size, config.ffn_hidden_size, config.hidden_act) for _ in range(2))
        self.input_layernorm = nn.ModuleList(RMSNorm(size, eps) for _ in range(2))
        self.post_attention_layernorm = nn.ModuleList(RMSNorm(size, eps) for _ in range(2))

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden, normed = self.attend(0, hidden, context, **attention)
        shortcut = self.mlp(normed)
        hidden = hidden + self.mlps[0](normed)
        hidden, normed = self.attend(1, hidden, context, **attention)
        return hidden + self.mlps[1](normed) + shortcut

    def attend(
        self, half: int, hidden: Tensor, context: AttentionContext, **attention: Any
    ) -> tuple[Tensor, Tensor]:
        """States after one of the attentions, and the same normalised."""
        attended = self.self_attn[half](self.input_layernorm[half](hidden), context, **attention)
        hidden = hidden + attended
        return hidden, self.post_attention_layernorm[half](hidden)


class LongcatFlashPreTrainedModel(PreTrainedModel):
    """What all LongCat-Flash classes share."""

    config_class = LongcatFlashConfig
    base_model_prefix = "model"
    ignored_names = ("model.mtp.*",)  # the multi-token prediction layers


class LongcatFlashModel(LongcatFlashPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_layers(self, config: LongcatFlashConfig) -> Iterator[nn.Module]:
        return (LongcatFlashLayer(config, i) for i in range(config.num_layers))

    def make_rotary(self, config: LongcatFlashConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, dim=config.qk_rope_head_dim, interleaved=True)}


class LongcatFlashForCausalLM(ForCausalLM, LongcatFlashPreTrainedModel):
    """LongCat-Flash with a language modeling head."""

    base_class = LongcatFlashModel
