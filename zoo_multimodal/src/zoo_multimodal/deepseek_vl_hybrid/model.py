"""DeepSeek-VL with two image towers: SigLIP on a small image, Segment Anything's on a large one."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.parts import build_part
from zoo_multimodal.deepseek_vl_hybrid.config import DeepseekVLHybridConfig
from zoo_multimodal.image_text import (
    ImageTextModel,
    ImageTextModelOutput,
    NamedAsBuiltForConditionalGeneration,
)
from zoo_vision.sam.encoder import SamVisionNeck


class DeepseekVLHybridPreTrainedModel(PreTrainedModel):
    """What all classes of DeepSeek-VL with two image towers share."""

    config_class = DeepseekVLHybridConfig
    base_model_prefix = "model"


class MapProjection(nn.Module):
    """A map stretched to four times the wanted edge, which two convolutions halve."""

    def __init__(self, channels: int, edge: int) -> None:
        super().__init__()
        self.edge = edge
        self.conv1 = nn.Conv2d(channels, channels * 2, 3, stride=2, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels * 2, channels * 4, 3, stride=2, padding=1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(images, channels, rows, columns) to (images, channels x 4, edge, edge)."""
        stretched = F.interpolate(
            features.float(), (4 * self.edge,) * 2, mode="bilinear", align_corners=False
        )
        return self.conv2(self.conv1(stretched.to(features.dtype)))


class Aligner(nn.Module):
    """Features of both towers, each to half the width, side by side through a feed-forward block."""

    def __init__(self, low: int, high: int, hidden_size: int) -> None:
        super().__init__()
        self.vision_proj = nn.Linear(low, hidden_size // 2)
        self.high_res_vision_proj = nn.Linear(high, hidden_size // 2)
        self.proj = nn.Linear(hidden_size, hidden_size)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """(images, patches, low) and (images, patches, high) to (images, patches, hidden)."""
        joined = torch.cat((self.high_res_vision_proj(high), self.vision_proj(low)), dim=-1)
        return self.proj(F.gelu(joined))


class DeepseekVLHybridModel(DeepseekVLHybridPreTrainedModel, ImageTextModel):
    """The model without its head."""

    hub_names = {"vision_tower": "vision_model", "multi_modal_projector": "aligner"}
    aliases: dict[str, str] = {}
    exact_places = False

    def __init__(self, config: DeepseekVLHybridConfig) -> None:
        super().__init__(config)
        vision, high = config.vision_config, config.high_res_vision_config
        self.high_res_vision_model = build_part(high)
        self.high_res_vision_neck = SamVisionNeck(high)
        self.high_res_vision_proj = MapProjection(
            high.output_channels, vision.image_size // vision.patch_size
        )
        self.high_res_vision_alpha = nn.Parameter(torch.zeros(1))
        self.post_init()

    def make_projector(self, config: DeepseekVLHybridConfig) -> nn.Module:
        high = config.high_res_vision_config.output_channels * 4
        return Aligner(config.vision_config.hidden_size, high, config.text_config.hidden_size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        high_res_pixel_values: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's; `high_res_pixel_values` are the same images, larger."""
        return super().forward(input_ids, pixel_values, high_res_pixel_values=high_res_pixel_values, **inputs)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"high_res_pixel_values": inputs.pop("high_res_pixel_values", None)}

    def get_image_features(  # type: ignore[override]
        self, pixel_values: Tensor, high_res_pixel_values: Tensor | None = None
    ) -> Tensor:
        """Images (images, channels, height, width), small and large, to (images, patches, hidden)."""
        if high_res_pixel_values is None:
            raise ValueError("pass high_res_pixel_values with the pixels; the image processor returns both")
        low = self.vision_tower(pixel_values).last_hidden_state
        return self.multi_modal_projector(low, self.high_res_features(high_res_pixel_values))

    def high_res_features(self, pixels: Tensor) -> Tensor:
        """(images, channels, height, width) to (images, patches, width).

        What the first layer that sees the whole image makes is added to the tower's result.
        """
        outputs = self.high_res_vision_model(pixels, output_hidden_states=True)
        early = outputs.hidden_states[self.config.high_res_vision_config.global_attn_indexes[0] + 1]
        early = self.high_res_vision_proj(self.high_res_vision_neck(early))
        last = self.high_res_vision_proj(outputs.last_hidden_state)
        return (last + early * self.high_res_vision_alpha).flatten(2).transpose(1, 2)


class DeepseekVLHybridForConditionalGeneration(
    NamedAsBuiltForConditionalGeneration, DeepseekVLHybridPreTrainedModel
):
    """DeepSeek-VL with two image towers and the language model's head."""

    base_class = DeepseekVLHybridModel
