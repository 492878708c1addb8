"""Hunyuan: Llama with norms of the rotated queries and keys."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_options, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables
from zoo_text.hunyuan_v1_dense.config import HunYuanDenseV1Config


class RotatedNormAttention(Attention):
    """Attention that normalises queries and keys after rotating them."""

    hub_names = {"q_norm": "query_layernorm", "k_norm": "key_layernorm"}

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = (self.split(x) for x in self.project(hidden))
        assert rotary is not None and self.q_norm is not None and self.k_norm is not None
        return self.q_norm(rotary(query)), self.k_norm(rotary(key)), value


class HunYuanDecoder(DecoderModel):
    """Hunyuan's layers."""

    def make_attention(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        options = attention_options(config, layer_idx, qk_norm=self.norm_of(config))
        return RotatedNormAttention(config.hidden_size, config.num_attention_heads, **options)

    def make_rotary(self, config: PretrainedConfig) -> dict[str, RotaryEmbedding]:
        """A dynamic scaling with `alpha` has been stretched once and for all, NTK-aware."""
        scaling = config.rope_scaling or {}
        alpha, width = scaling.get("alpha"), config.head_dim
        if not alpha or scaling.get("rope_type", scaling.get("type")) != "dynamic":
            return {"full": rotary_of(config)}
        return {
            "full": rotary_of(config, scaling=None, theta=config.rope_theta * alpha ** (width / (width - 2)))
        }


class HunYuanDenseV1PreTrainedModel(PreTrainedModel):
    """What all dense Hunyuan classes share."""

    config_class = HunYuanDenseV1Config
    base_model_prefix = "model"


class HunYuanDenseV1Model(HunYuanDenseV1PreTrainedModel, HunYuanDecoder):
    """The decoder without a head."""


class HunYuanDenseV1ForCausalLM(ForCausalLM, HunYuanDenseV1PreTrainedModel):
    """Hunyuan with a language modeling head."""

    base_class = HunYuanDenseV1Model


class HunYuanDenseV1ForSequenceClassification(ForLastTokenClassification, HunYuanDenseV1PreTrainedModel):
    """Hunyuan with a classifier on the last token."""

    base_class = HunYuanDenseV1Model
