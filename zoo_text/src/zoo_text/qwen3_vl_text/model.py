"""Qwen3-VL's language model: Qwen3 with positions of three axes, and image features added between layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

from torch import Tensor

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.rotary_multi import MultiAxisRotary
from zoo_text.qwen3.model import QKNormDecoder
from zoo_text.qwen3_vl_text.config import Qwen3VLTextConfig


class DeepStackLayer(PreNormLayer):
    """A layer that then adds features to some positions."""

    def forward(
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        where: Tensor | None = None,
        added: Tensor | None = None,
        **attention: Any,
    ) -> Tensor:
        """`added` (positions, hidden) goes to the positions that `where` (batch, sequence) marks."""
        hidden = super().forward(hidden, context, **attention)
        if where is None or added is None:
            return hidden
        spread = hidden.new_zeros(hidden.shape).masked_scatter(where[..., None], added.to(hidden))
        return hidden + spread


class DeepStackDecoder(QKNormDecoder):
    """Qwen3 whose first layers add what the image tower saw at several depths (arXiv 2406.04334)."""

    layer_class = DeepStackLayer

    def make_rotary(self, config: PretrainedConfig) -> dict[str, RotaryEmbedding]:
        sections = (config.rope_scaling or {}).get("mrope_section") or (24, 20, 20)
        return {"full": rotary_of(config, kind=MultiAxisRotary, sections=sections, alternate=True)}

    def run(
        self,
        hidden: Tensor,
        context: AttentionContext,
        position_ids: Tensor | None,
        *,
        visual_pos_masks: Tensor | None = None,
        deepstack_visual_embeds: Sequence[Tensor] | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As in any decoder; positions are (axes, batch, sequence), or plain ones for all axes.

        Args:
            visual_pos_masks: (batch, sequence) bool, the positions of image patches.
            deepstack_visual_embeds: for each of the first layers (patches, hidden), added after it.
        """
        if visual_pos_masks is not None and deepstack_visual_embeds is not None:
            added = chain(deepstack_visual_embeds, repeat(None))
            inputs |= {"where": visual_pos_masks.to(hidden.device), "per_layer": {"added": added}}
        return super().run(hidden, context, position_ids, **inputs)


class Qwen3VLTextPreTrainedModel(PreTrainedModel):
    """What all Qwen3-VL's language model classes share."""

    config_class = Qwen3VLTextConfig
    base_model_prefix = "model"


class Qwen3VLTextModel(Qwen3VLTextPreTrainedModel, DeepStackDecoder):
    """The decoder without a head."""
