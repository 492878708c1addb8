"""An image tower over images of any shape: positions are fractions of an image's height and width."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.model import CLIPLayer
from zoo_multimodal.idefics2.config import Idefics2VisionConfig


class Idefics2VisionTransformer(PreTrainedModel):
    """SigLIP's image tower with NaViT's positions (https://arxiv.org/abs/2307.06304)."""

    config_class = Idefics2VisionConfig
    #: of a place in an image: a little less than it should be
    share: ClassVar[float] = 1 - 1e-6
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding.projection": "embeddings.patch_embedding",
        "position_embedding": "embeddings.position_embedding",
        "layers": "encoder.layers",
        "norm": "post_layernorm",
    }

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.patch_embedding = PatchEmbedding(config.image_size, config.patch_size, config.num_channels, size)
        self.position_embedding = nn.Embedding(self.patch_embedding.num_patches, size)
        self.layers = nn.ModuleList(CLIPLayer(config, causal=False) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(self, pixel_values: Tensor, patch_attention_mask: Tensor | None = None) -> BaseModelOutput:
        """Images (images, channels, height, width) to states (images, patches, hidden).

        `patch_attention_mask` (images, rows, columns) is true for patches that are no padding, which stands
        on the right and at the bottom.
        """
        mask = self.patch_mask(pixel_values, patch_attention_mask)
        hidden = self.embed(pixel_values, mask)
        context = AttentionContext(hidden, mask.flatten(1))
        return BaseModelOutput(last_hidden_state=self.norm(run_layers(self.layers, hidden, context)))

    def patch_mask(self, pixel_values: Tensor, mask: Tensor | None) -> Tensor:
        """`mask`, or all true (images, rows, columns) of the images' patches."""
        if mask is not None:
            return mask
        height, width = pixel_values.shape[-2:]
        side = self.config.patch_size
        shape = (len(pixel_values), height // side, width // side)
        return torch.ones(shape, dtype=torch.bool, device=pixel_values.device)

    def embed(self, pixel_values: Tensor, mask: Tensor) -> Tensor:
        """Patches with their positions, (images, patches, hidden)."""
        hidden = self.patch_embedding(pixel_values, any_size=True)
        return hidden + self.position_embedding(self.positions(mask, hidden.dtype))

    def positions(self, mask: Tensor, dtype: torch.dtype) -> Tensor:
        """(images, patches) place of each patch of `mask` (images, rows, columns) in the table of positions.

        A patch at a fraction of the image's height and width has the position of the trained grid there; the
        fractions are times `share`, and rounded to `dtype`, as they are in what this model is compared with.
        """
        columns_in_table = self.patch_embedding.grid[1]
        places = []
        for kept, cells in ((mask[:, :, 0], self.patch_embedding.grid[0]), (mask[:, 0], columns_in_table)):
            index = torch.arange(kept.shape[1], device=mask.device)
            fractions = (index / kept.sum(1, keepdim=True)).to(dtype) * self.share
            borders = torch.arange(1 / cells, 1.0, 1 / cells, device=mask.device)
            places.append(torch.bucketize(fractions, borders, right=True))
        table = places[0][:, :, None] * columns_in_table + places[1][:, None]
        return (table * mask).flatten(1)

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


def real_images(
    pixels: Tensor, mask: Tensor | None, side: int, *, partial: bool = False
) -> tuple[Tensor, Tensor]:
    """The images that are no padding, and which of their patches are no padding.

    Args:
        pixels: (samples, images, channels, height, width); padding images are all zeros.
        mask: (samples, images, height, width), 1 for pixels that are no padding. side: of a patch.
        partial: whether a patch counts of which a part is padding.

    Returns:
        Images (n, channels, height, width) and patches (n, rows, columns) bool.
    """
    pixels = pixels.flatten(0, 1)
    real = (pixels != 0).flatten(1).any(1)
    kept = pixels.new_ones(pixels.shape[0], *pixels.shape[-2:]) if mask is None else mask.flatten(0, 1)
    share = F.avg_pool2d(kept[real][:, None].float(), side)[:, 0]  # of each patch
    return pixels[real], share > 0 if partial else share == 1
