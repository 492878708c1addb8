"""GPT-OSS (https://arxiv.org/abs/2508.10925): attention sinks, alternating windows, clamped experts."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import rule_of
from zoo_core.nn.moe import MixtureOfExperts, Router, StackedExperts
from zoo_core.nn.norm import RMSNorm
from zoo_text.gpt_oss.config import GptOssConfig


class ClampedExperts(StackedExperts):
    """Experts with biases, gate and up interleaved in one matrix (experts, hidden, 2 x intermediate).

    The activation is (up + 1) * gate * sigmoid(1.702 gate), with gate at most 7 and up within 7 of zero.
    """

    def __init__(self, num_experts: int, hidden_size: int, intermediate_size: int) -> None:
        super().__init__(num_experts)
        self.gate_up_proj = nn.Parameter(torch.empty(num_experts, hidden_size, 2 * intermediate_size))
        self.gate_up_proj_bias = nn.Parameter(torch.empty(num_experts, 2 * intermediate_size))
        self.down_proj = nn.Parameter(torch.empty(num_experts, intermediate_size, hidden_size))
        self.down_proj_bias = nn.Parameter(torch.empty(num_experts, hidden_size))
        self.reset_parameters()

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        both = torch.addmm(self.gate_up_proj_bias[number], tokens, self.gate_up_proj[number])
        gate, up = both[..., ::2].clamp(max=7.0), both[..., 1::2].clamp(-7.0, 7.0)
        hidden = (up + 1) * gate * torch.sigmoid(1.702 * gate)
        return torch.addmm(self.down_proj_bias[number], hidden, self.down_proj[number])


class GptOssPreTrainedModel(PreTrainedModel):
    """What all GPT-OSS classes share."""

    config_class = GptOssConfig
    base_model_prefix = "model"


class GptOssModel(GptOssPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_layer(self, config: GptOssConfig, layer_idx: int) -> nn.Module:
        size, experts = config.hidden_size, config.num_local_experts
        return PreNormLayer(
            size,
            partial(RMSNorm, eps=config.rms_norm_eps, scale_in_float32=True),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                num_kv_heads=config.num_key_value_heads,
                head_dim=config.head_dim,
                bias=config.attention_bias,
                dropout=config.attention_dropout,
                sinks=True,
                rule=rule_of(config.layer_types[layer_idx], window=config.sliding_window),
                layer_idx=layer_idx,
            ),
            mlp=MixtureOfExperts(
                Router(size, experts, config.num_experts_per_tok, softmax_after=True, bias=True),
                ClampedExperts(experts, size, config.intermediate_size),
            ),
        )

    def make_norm(self, config: GptOssConfig) -> nn.Module:
        return RMSNorm(config.hidden_size, config.rms_norm_eps, scale_in_float32=True)


class GptOssForCausalLM(ForMoeCausalLM, GptOssPreTrainedModel):
    """GPT-OSS with a language modeling head."""

    base_class = GptOssModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class GptOssForSequenceClassification(ForLastTokenClassification, GptOssPreTrainedModel):
    """GPT-OSS with a classifier on the last token."""

    base_class = GptOssModel


class GptOssForTokenClassification(ForTokenClassification, GptOssPreTrainedModel):
    """GPT-OSS with a classifier on each token."""

    base_class = GptOssModel
    head_names = {"classifier": "score"}
