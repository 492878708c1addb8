"""Bamba: Mamba-2 state spaces with an attention layer now and then, and an MLP in every layer."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext, Mask, MaskRule
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.ssm import GatedRMSNorm, Mamba2Mixer
from zoo_text.bamba.config import BambaConfig


class BambaPreTrainedModel(PreTrainedModel):
    """What all Bamba classes share."""

    config_class = BambaConfig
    base_model_prefix = "model"


def mixer_of(config: PretrainedConfig, layer_idx: int) -> Mamba2Mixer:
    """The state space that a config names as Bamba's does."""
    heads, width = config.mamba_n_heads, int(config.mamba_d_head)
    return Mamba2Mixer(
        config.hidden_size,
        heads=heads,
        head_dim=width,
        state_size=config.mamba_d_state,
        groups=config.mamba_n_groups,
        conv_width=config.mamba_d_conv,
        conv_bias=config.mamba_conv_bias,
        bias=config.mamba_proj_bias,
        act=config.hidden_act,
        norm=GatedRMSNorm(heads * width, config.rms_norm_eps),
        chunk=config.mamba_chunk_size,
        layer_idx=layer_idx,
    )


class BambaContext(AttentionContext):
    """Padding sees the padding before it, rather than nothing; what real tokens see is the same."""

    def mask(self, rule: MaskRule, key_length: int, *, key_offset: int = 0) -> Mask:
        if self.padding is None or self.padding.shape[-2] > 1 or key_length != self.query_length:
            return super().mask(rule, key_length, key_offset=key_offset)
        real = self.padding[:, 0, 0]
        same = real[:, :, None] == real[:, None, :]
        return Mask(allowed=same.tril()[:, None])


class BambaLayer(PreNormLayer):
    """A state space or attention, then an MLP."""

    def __init__(self, config: BambaConfig, mixer: nn.Module) -> None:
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        super().__init__(config.hidden_size, norm, self_attn=mixer, mlp=gated_mlp_of(config))
        self.hub_names = {
            "self_attn": "mamba" if isinstance(mixer, Mamba2Mixer) else "self_attn",
            "mlp": "feed_forward",
            "post_attention_layernorm": "pre_ff_layernorm",
        }


class BambaModel(BambaPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"norm": "final_layernorm"}

    def make_layer(self, config: BambaConfig, layer_idx: int) -> nn.Module:
        attends = config.layers_block_type[layer_idx] == "attention"
        return BambaLayer(
            config, self.make_attention(config, layer_idx) if attends else mixer_of(config, layer_idx)
        )

    def make_context(
        self,
        hidden: Tensor,
        attention_mask: Tensor | None,
        cache: Cache | None,
        cache_position: Tensor | None,
    ) -> AttentionContext:
        return BambaContext(hidden, attention_mask, cache=cache, positions=cache_position)


class BambaForCausalLM(ForCausalLM, BambaPreTrainedModel):
    """Bamba with a language modeling head; `z_loss_coefficient` keeps scores small in training."""

    base_class = BambaModel

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        output = super().forward(input_ids, labels=labels, **inputs)
        if output.loss is not None and self.config.z_loss_coefficient > 0:
            spread = output.logits.float().logsumexp(-1).square().mean()
            output.loss = output.loss + self.config.z_loss_coefficient * spread
        return output
