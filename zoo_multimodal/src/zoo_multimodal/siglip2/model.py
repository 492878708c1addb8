"""SigLIP 2: SigLIP's towers; the image tower takes patches of images of any shape, and their grids."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.model import CLIPLayer
from zoo_multimodal.siglip import model as siglip
from zoo_multimodal.siglip2.config import Siglip2Config, Siglip2TextConfig, Siglip2VisionConfig


class Siglip2PreTrainedModel(PreTrainedModel):
    """What all SigLIP 2 classes share."""

    config_class = Siglip2Config
    base_model_prefix = "siglip2"


class Siglip2TextModel(Siglip2PreTrainedModel, siglip.SiglipTextModel):
    """The text tower."""

    config_class = Siglip2TextConfig


class Siglip2VisionModel(Siglip2PreTrainedModel):
    """The image tower; `pooler_output` is what a learned query takes from the patches."""

    config_class = Siglip2VisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding": "vision_model.embeddings.patch_embedding",
        "position_embedding": "vision_model.embeddings.position_embedding.weight",
        "layers": "vision_model.encoder.layers",
        "post_norm": "vision_model.post_layernorm",
        "head": "vision_model.head",
    }

    def __init__(self, config: Siglip2VisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.side = int(config.num_patches**0.5)
        self.patch_embedding = Linear(config.num_channels * config.patch_size**2, size)
        self.position_embedding = nn.Parameter(torch.empty(config.num_patches, size))
        self.layers = nn.ModuleList(CLIPLayer(config, causal=False) for _ in range(config.num_hidden_layers))
        self.post_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.head = siglip.AttentionPooling(config) if getattr(config, "vision_use_head", True) else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.normal_(self.position_embedding, std=self.config.hidden_size**-0.5)
        elif isinstance(module, siglip.AttentionPooling):
            nn.init.normal_(module.probe)

    def positions(self, grids: list[list[int]], longest: int) -> Tensor:
        """(images, longest, hidden): the trained square stretched to each grid; padding has the first."""
        square = self.position_embedding.view(1, self.side, self.side, -1).permute(0, 3, 1, 2).float()
        rows = []
        for height, width in grids:
            if height * width > longest:
                raise ValueError(f"a grid of {height} x {width} patches, but pixel_values hold {longest}")
            stretched = F.interpolate(square, (height, width), mode="bilinear", antialias=True)
            found = stretched[0].flatten(1).t()
            rows.append(torch.cat((found, found[:1].expand(longest - len(found), -1))))
        return torch.stack(rows).to(self.position_embedding.dtype)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        pixel_attention_mask: Tensor | None = None,
        spatial_shapes: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """Patches to states (images, patches, hidden) and pooled (images, hidden).

        Args:
            pixel_values: (images, patches, patch area x channels). pixel_attention_mask: (images, patches).
            spatial_shapes: (images, 2) rows and columns of patches.
        """
        if pixel_values is None or spatial_shapes is None:
            raise ValueError("pass pixel_values, pixel_attention_mask and spatial_shapes (see the processor)")
        patches = self.patch_embedding(pixel_values.to(self.dtype))
        hidden = patches + self.positions(spatial_shapes.tolist(), patches.shape[1])
        context = AttentionContext(hidden, pixel_attention_mask)
        hidden = self.post_norm(run_layers(self.layers, hidden, context))
        pooled = None if self.head is None else self.head(hidden, pixel_attention_mask)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class Siglip2Model(Siglip2PreTrainedModel, siglip.SiglipModel):
    """Both towers, a learned temperature and a learned bias."""

    text_class = Siglip2TextModel
    vision_class = Siglip2VisionModel

    def get_image_features(
        self,
        pixel_values: Tensor | None = None,
        pixel_attention_mask: Tensor | None = None,
        spatial_shapes: Tensor | None = None,
        **inputs: Any,
    ) -> Tensor:
        return super().get_image_features(
            pixel_values, pixel_attention_mask=pixel_attention_mask, spatial_shapes=spatial_shapes, **inputs
        )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_attention_mask: Tensor | None = None,
        spatial_shapes: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
    ) -> siglip.SiglipOutput:
        """Texts (texts, sequence) and patches of images, see the image tower, to their similarities."""
        return super().forward(
            input_ids,
            pixel_values,
            attention_mask,
            position_ids,
            return_loss=return_loss,
            pixel_attention_mask=pixel_attention_mask,
            spatial_shapes=spatial_shapes,
        )


class Siglip2ForImageClassification(Siglip2PreTrainedModel, siglip.SiglipForImageClassification):
    """The image tower with a classifier on the mean of the patches' states."""

    vision_class = Siglip2VisionModel

    def mean(self, hidden: Tensor, inputs: dict[str, Any]) -> Tensor:
        mask = inputs.get("pixel_attention_mask")
        if mask is None:
            return hidden.mean(1)
        kept = mask[..., None].to(hidden)
        return (hidden * kept).sum(1) / kept.sum(1)
