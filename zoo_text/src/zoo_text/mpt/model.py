"""MPT: pre-norm layers without biases, and ALiBi instead of positions."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.alibi import alibi_bias
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.gpt2.model import LM_TIE
from zoo_text.mpt.config import MptConfig


class MptPreTrainedModel(PreTrainedModel):
    """What all MPT classes share."""

    config_class = MptConfig
    base_model_prefix = "transformer"


class MptAttention(Attention):
    """Attention with ALiBi, and optionally clipped queries, keys and values."""

    def __init__(self, config: MptConfig, layer_idx: int) -> None:
        settings = config.attn_config or {}
        super().__init__(
            config.d_model,
            config.n_heads,
            bias=False,
            scale=settings["softmax_scale"],
            dropout=settings["attn_pdrop"],
            rule=CAUSAL,
            layer_idx=layer_idx,
        )
        self.clip, self.max_bias = settings["clip_qkv"], settings["alibi_bias_max"]

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().project(hidden)
        if self.clip:
            return (
                query.clamp(-self.clip, self.clip),
                key.clamp(-self.clip, self.clip),
                value.clamp(-self.clip, self.clip),
            )
        return query, key, value

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        return alibi_bias(self.num_heads, key.shape[2], query.device, max_bias=self.max_bias).to(query.dtype)


class MptModel(MptPreTrainedModel, GPTBody):
    """The decoder without a head."""

    hub_names = {
        "embed_tokens": "wte",
        "layers": "blocks",
        "layers.*.input_layernorm": "blocks.*.norm_1",
        "layers.*.post_attention_layernorm": "blocks.*.norm_2",
        tuple(f"layers.*.self_attn.{part}_proj" for part in "qkv"): Fused("blocks.*.attn.Wqkv"),
        "layers.*.self_attn.o_proj": "blocks.*.attn.out_proj",
        "layers.*.mlp.fc1": "blocks.*.ffn.up_proj",
        "layers.*.mlp.fc2": "blocks.*.ffn.down_proj",
        "norm": "norm_f",
    }

    def make_positions(self, config: MptConfig) -> None:
        return None

    def norm_of(self, config: MptConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_epsilon, bias=False)

    def make_attention(self, config: MptConfig, layer_idx: int) -> nn.Module:
        return MptAttention(config, layer_idx)

    def make_mlp(self, config: MptConfig, layer_idx: int) -> nn.Module:
        return MLP(config.d_model, config.expansion_ratio * config.d_model, "gelu", bias=False)

    def layer_options(self, config: MptConfig) -> dict[str, float]:
        return {"dropout": config.resid_pdrop}


class MptForCausalLM(ForCausalLM, MptPreTrainedModel):
    """MPT with a language modeling head."""

    base_class = MptModel
    tied_weights = LM_TIE


class MptForSequenceClassification(ForLastTokenClassification, MptPreTrainedModel):
    """MPT with a classifier on the last token."""

    base_class = MptModel


class MptForTokenClassification(ForTokenClassification, MptPreTrainedModel):
    """MPT with a classifier on each token."""

    base_class = MptModel


class MptForQuestionAnswering(ForQuestionAnswering, MptPreTrainedModel):
    """MPT with scores of an answer's first and last token."""

    base_class = MptModel
