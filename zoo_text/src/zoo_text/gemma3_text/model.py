"""Gemma 3's language model: Gemma 2 with query and key norms and two rotary bases."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.layer import SandwichLayer
from zoo_core.nn.masks import AttentionContext, MaskRule
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.gemma.model import gemma_norm
from zoo_text.gemma2.model import CappedLogits
from zoo_text.gemma3_text.config import Gemma3TextConfig


class ScaledEmbedding(nn.Embedding):
    """Embeddings times `scale`, by default the root of the width, rounded to the dtype; vectors given instead
    of ids are not scaled."""

    def __init__(self, rows: int, width: int, padding: int | None, *, scale: float | None = None) -> None:
        super().__init__(rows, width, padding_idx=padding)
        self.scale = width**0.5 if scale is None else scale

    def forward(self, input_ids: Tensor) -> Tensor:
        return super().forward(input_ids) * self.weight.new_tensor(self.scale)


class LocalRotaryDecoder(DecoderModel):
    """A decoder whose windowed layers have a rotary base of their own, without scaling."""

    def make_rotary(self, config: PretrainedConfig) -> dict[str, RotaryEmbedding]:
        local = rotary_of(config, theta=config.rope_local_base_freq, scaling=None)
        return {"full_attention": rotary_of(config), "sliding_attention": local}

    def kinds_of_rotary(self, config: PretrainedConfig) -> list[str | None]:
        return list(config.layer_types)


class Gemma3TextPreTrainedModel(PreTrainedModel):
    """What all classes of Gemma 3's language model share."""

    config_class = Gemma3TextConfig
    base_model_prefix = "model"


class Gemma3TextModel(Gemma3TextPreTrainedModel, LocalRotaryDecoder):
    """The decoder without a head."""

    layer_class = SandwichLayer

    def make_embeddings(self, config: Gemma3TextConfig) -> None:
        self.embed_tokens = ScaledEmbedding(config.vocab_size, config.hidden_size, config.pad_token_id)

    def norm_of(self, config: Gemma3TextConfig) -> NormFactory:
        return gemma_norm(config)

    def run(
        self,
        hidden: Tensor,
        context: AttentionContext,
        position_ids: Tensor | None,
        *,
        blocks: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As in any decoder; tokens with the same label, 0 or more, in `blocks` (batch, sequence) see each
        other, as those of an image do."""
        context.blocks = blocks
        return super().run(hidden, context, position_ids, **inputs)

    def make_attention(self, config: Gemma3TextConfig, layer_idx: int) -> nn.Module:
        return attention_of(
            config,
            layer_idx,
            scale=config.query_pre_attn_scalar**-0.5,
            softcap=config.attn_logit_softcapping,
            qk_norm=self.norm_of(config),
            rule=gemma3_rule(config, layer_idx),
        )

    def make_mlp(self, config: Gemma3TextConfig, layer_idx: int) -> nn.Module:
        return GatedMLP(config.hidden_size, config.intermediate_size, config.hidden_activation)


def gemma3_rule(config: Gemma3TextConfig, layer_idx: int) -> MaskRule:
    """What a layer sees; an encoder (EmbeddingGemma) looks both ways, half its window to each side."""
    if not config.use_bidirectional_attention:
        return layer_rule(config, layer_idx)
    windowed = config.layer_types[layer_idx] == "sliding_attention"
    return MaskRule(window=config.sliding_window // 2 + 1 if windowed else None)


class Gemma3ForCausalLM(CappedLogits, Gemma3TextPreTrainedModel):
    """The language model of Gemma 3 with a language modeling head."""

    base_class = Gemma3TextModel


class Gemma3TextForSequenceClassification(ForLastTokenClassification, Gemma3TextPreTrainedModel):
    """The language model of Gemma 3 with a classifier on the last token."""

    base_class = Gemma3TextModel
