"""Jamba: state spaces with an attention layer now and then, and a mixture of experts in every other layer."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Stacked
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.ssm import MambaMixer
from zoo_text.jamba.config import JambaConfig


class JambaPreTrainedModel(PreTrainedModel):
    """What all Jamba classes share."""

    config_class = JambaConfig
    base_model_prefix = "model"


class JambaMixer(MambaMixer):
    """Mamba's state space with norms on steps, "B" and "C"."""

    def __init__(self, config: JambaConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            config.mamba_expand * config.hidden_size,
            state_size=config.mamba_d_state,
            step_rank=int(config.mamba_dt_rank),
            conv_width=config.mamba_d_conv,
            conv_bias=config.mamba_conv_bias,
            bias=config.mamba_proj_bias,
            act=config.hidden_act,
            layer_idx=layer_idx,
        )
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        self.dt_layernorm, self.b_layernorm, self.c_layernorm = map(norm, self.sizes)

    def select(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        step, write, read = super().select(x)
        return self.dt_layernorm(step), self.b_layernorm(write), self.c_layernorm(read)


class JambaExperts(MixtureOfExperts):
    """The best experts of each token, their probabilities as they are."""

    hub_names = {
        f"experts.{part}_proj": Stacked(f"experts.*.{part}_proj.weight") for part in ("gate", "up", "down")
    }

    def __init__(self, config: JambaConfig, num_experts: int) -> None:
        size, inner = config.hidden_size, config.intermediate_size
        super().__init__(
            Router(size, num_experts, config.num_experts_per_tok),
            Experts(num_experts, size, inner, config.hidden_act),
        )


class JambaLayer(PreNormLayer):
    """A state space or attention, then an MLP or experts."""

    def __init__(self, config: JambaConfig, layer_idx: int, mixer: nn.Module) -> None:
        experts = config.layers_num_experts[layer_idx]
        super().__init__(
            config.hidden_size,
            partial(RMSNorm, eps=config.rms_norm_eps),
            self_attn=mixer,
            mlp=JambaExperts(config, experts) if experts > 1 else gated_mlp_of(config),
        )
        self.hub_names = {
            "self_attn": "mamba" if isinstance(mixer, JambaMixer) else "self_attn",
            "mlp": "feed_forward",
            "post_attention_layernorm": "pre_ff_layernorm",
        }


class JambaModel(JambaPreTrainedModel, DecoderModel):
    """The decoder without a head; it knows order from its recurrences alone."""

    hub_names = {"norm": "final_layernorm"}
    output_class = MoeModelOutputWithPast

    def make_layer(self, config: JambaConfig, layer_idx: int) -> nn.Module:
        attends = config.layers_block_type[layer_idx] == "attention"
        mixer = self.make_attention(config, layer_idx) if attends else JambaMixer(config, layer_idx)
        return JambaLayer(config, layer_idx, mixer)

    def make_rotary(self, config: JambaConfig) -> dict[str, RotaryEmbedding]:
        return {}


class JambaForCausalLM(ForMoeCausalLM, JambaPreTrainedModel):
    """Jamba with a language modeling head."""

    base_class = JambaModel


class JambaForSequenceClassification(ForLastTokenClassification, JambaPreTrainedModel):
    """Jamba with a classifier on the last token."""

    base_class = JambaModel
