"""StableLM: Llama with layer norms and partial rotary positions, in parallel on request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from zoo_core.checkpoint.ops import Stacked
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import ParallelLayer, PreNormLayer
from zoo_core.nn.norm import NormFactory
from zoo_text.cohere.model import HeadLayerNorm
from zoo_text.stablelm.config import StableLmConfig


class StableLmPreTrainedModel(PreTrainedModel):
    """What all StableLM classes share."""

    config_class = StableLmConfig
    base_model_prefix = "model"


class StableLmModel(StableLmPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {
        "layers.*.self_attn.q_norm.weight": Stacked("layers.*.self_attn.q_layernorm.norms.*.weight"),
        "layers.*.self_attn.k_norm.weight": Stacked("layers.*.self_attn.k_layernorm.norms.*.weight"),
    }

    @property
    def layer_class(self) -> Callable[..., nn.Module]:  # type: ignore[override]
        parallel = partial(ParallelLayer, branches_first=False)
        return parallel if self.config.use_parallel_residual else PreNormLayer

    def make_attention(self, config: StableLmConfig, layer_idx: int) -> nn.Module:
        attention = attention_of(config, layer_idx, bias=config.use_qkv_bias, out_bias=False)
        if config.qk_layernorm:
            width, eps = attention.head_dim, config.layer_norm_eps
            attention.q_norm = HeadLayerNorm(attention.num_heads, width, eps)
            attention.k_norm = HeadLayerNorm(attention.num_kv_heads, width, eps)
        return attention

    def norm_of(self, config: StableLmConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_eps)

    def layer_options(self, config: StableLmConfig) -> dict[str, Any]:
        return {"dropout": config.hidden_dropout}


class StableLmForCausalLM(ForCausalLM, StableLmPreTrainedModel):
    """StableLM with a language modeling head."""

    base_class = StableLmModel


class StableLmForSequenceClassification(ForLastTokenClassification, StableLmPreTrainedModel):
    """StableLM with a classifier on the last token."""

    base_class = StableLmModel


class StableLmForTokenClassification(ForTokenClassification, StableLmPreTrainedModel):
    """StableLM with a classifier on each token."""

    base_class = StableLmModel
    head_names = {"classifier": "score"}
