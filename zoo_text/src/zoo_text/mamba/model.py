"""Mamba: norm and selective state space, without attention and without MLP."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.ssm import MambaMixer
from zoo_core.nn.stack import run_layers
from zoo_text.mamba.config import MambaConfig


class MambaOutput(ModelOutput):
    """States, and `cache_params`: what the recurrences remember."""

    last_hidden_state: Tensor
    cache_params: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class MambaCausalLMOutput(ModelOutput):
    """Scores of the next token, and `cache_params`: what the recurrences remember."""

    loss: Tensor | None = None
    logits: Tensor
    cache_params: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class MambaPreTrainedModel(PreTrainedModel):
    """What all Mamba classes share."""

    config_class = MambaConfig
    base_model_prefix = "backbone"


class MambaLayer(nn.Module):
    """x + mixer(norm(x)); with `residual_in_fp32` the sum is kept in float32."""

    def __init__(self, config: PretrainedConfig, mixer: nn.Module) -> None:
        super().__init__()
        self.norm = RMSNorm(config.hidden_size, config.layer_norm_epsilon)
        self.mixer = mixer
        self.residual_in_fp32 = config.residual_in_fp32

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: Any) -> Tensor:
        assert self.norm.weight is not None
        mixed = self.mixer(self.norm(hidden.to(self.norm.weight.dtype)), context)
        return (hidden.float() if self.residual_in_fp32 else hidden) + mixed


class MambaModel(MambaPreTrainedModel, DecoderModel):
    """The model without a head; what it remembers goes by the name `cache_params`."""

    hub_names = {"embed_tokens": "embeddings", "norm": "norm_f"}
    #: whether the hidden states of an output are those after each layer, rather than before it
    record_after: ClassVar[bool] = False

    def make_mixer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        """The state space of layer `layer_idx`."""
        return MambaMixer(**mixer_options(config, layer_idx))

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return MambaLayer(config, self.make_mixer(config, layer_idx))

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.layer_norm_epsilon)

    def make_embeddings(self, config: PretrainedConfig) -> None:
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)

    def make_rotary(self, config: PretrainedConfig) -> dict[str, nn.Module]:
        return {}

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        cache_params: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden)."""
        cache = self.cache_for(cache_params, use_cache)
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        context = AttentionContext(hidden, attention_mask, cache=cache, positions=cache_position)
        hidden = run_layers(self.layers, hidden, context, norm=self.finish, record_after=self.record_after)
        return MambaOutput(last_hidden_state=hidden, cache_params=cache)


def mixer_options(config: PretrainedConfig, layer_idx: int) -> dict[str, Any]:
    """The keywords of `MambaMixer` that a config names as Mamba's does."""
    return {
        "hidden_size": config.hidden_size,
        "inner_size": config.intermediate_size,
        "state_size": config.state_size,
        "step_rank": config.time_step_rank,
        "conv_width": config.conv_kernel,
        "conv_bias": config.use_conv_bias,
        "bias": config.use_bias,
        "act": config.hidden_act,
        "layer_idx": layer_idx,
        "steps": (config.time_step_min, config.time_step_max, config.time_step_floor),
    }


class MambaForCausalLM(ForCausalLM, MambaPreTrainedModel):
    """Mamba with a language modeling head; scores are float32."""

    base_class = MambaModel
    cache_name = "cache_params"
    output_class = MambaCausalLMOutput

    def score(self, hidden: Tensor) -> Tensor:
        weight: torch.Tensor = self.lm_head.weight  # type: ignore[assignment]
        return super().score(hidden.to(weight.dtype)).float()
