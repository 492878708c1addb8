"""Aria: learned queries take an image's features into the text of a mixture of experts."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import MLP
from zoo_multimodal.aria.config import AriaConfig
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
)


class AriaPreTrainedModel(PreTrainedModel):
    """What all Aria classes share."""

    config_class = AriaConfig
    base_model_prefix = "model"


class AriaCrossAttention(nn.Module):
    """Queries attend to features; both are projected before the attention projects them again."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.multihead_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear = nn.Linear(width, width)
        self.layer_norm, self.layer_norm_kv = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, queries: Tensor, features: Tensor, hidden: Tensor | None) -> Tensor:
        """(images, queries, width) over (images, patches, width); `hidden` (images, patches) is padding."""
        query, seen = self.q_proj(self.layer_norm(queries)), self.layer_norm_kv(features)
        attended, _ = self.multihead_attn(
            query, self.k_proj(seen), self.v_proj(seen), key_padding_mask=hidden, need_weights=False
        )
        return self.linear(attended)


class AriaProjector(nn.Module):
    """As many features of an image as the config has queries for its number of patches."""

    hub_names = {"feed_forward.fc1": "feed_forward.linear_in", "feed_forward.fc2": "feed_forward.linear_out"}

    def __init__(self, config: AriaConfig) -> None:
        super().__init__()
        vision, hidden_size = config.vision_config, config.text_config.hidden_size
        self.queries_for = config.projector_patch_to_query_dict
        self.query = nn.Parameter(torch.zeros(max(self.queries_for.values()), vision.hidden_size))
        self.cross_attn = AriaCrossAttention(vision.hidden_size, vision.num_attention_heads)
        self.layer_norm = nn.LayerNorm(vision.hidden_size)
        self.feed_forward = MLP(vision.hidden_size, hidden_size, "gelu_new", bias=False)
        self.feed_forward.fc2 = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, features: Tensor, hidden: Tensor | None) -> Tensor:
        """(images, patches, width), of which `hidden` are padding, to (images, queries, hidden size)."""
        count = self.queries_for.get(features.shape[1])
        if count is None:
            raise ValueError(
                f"an image has {features.shape[1]} patches; projector_patch_to_query_dict has queries for "
                f"{', '.join(map(str, self.queries_for))}"
            )
        queries = self.query[:count].expand(len(features), -1, -1)
        return self.feed_forward(self.layer_norm(self.cross_attn(queries, features, hidden)))


class AriaModel(AriaPreTrainedModel, ImageTextModel):
    """The model without its head."""

    def make_projector(self, config: AriaConfig) -> nn.Module:
        return AriaProjector(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's; `pixel_mask` (images, height, width) is true for pixels that are no padding."""
        return super().forward(input_ids, pixel_values, pixel_mask=pixel_mask, **inputs)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {name: inputs.pop(name) for name in ("pixel_mask", "vision_feature_layer") if name in inputs}

    def get_image_features(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        vision_feature_layer: int | None = None,
    ) -> Tensor:
        """(images, channels, height, width) to (images, features, hidden)."""
        layer = self.config.vision_feature_layer if vision_feature_layer is None else vision_feature_layer
        patches = None
        if pixel_mask is not None:
            share = F.avg_pool2d(pixel_mask[:, None].float(), self.config.vision_config.patch_size)[:, 0]
            patches = share > 0
        states = self.vision_tower(pixel_values, patches, output_hidden_states=True).hidden_states[layer]
        return self.multi_modal_projector(states, None if patches is None else ~patches.flatten(1))


class AriaForConditionalGeneration(ImageTextForConditionalGeneration, AriaPreTrainedModel):
    """Aria with the language model's head."""

    base_class = AriaModel
