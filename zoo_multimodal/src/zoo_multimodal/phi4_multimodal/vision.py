"""Images of Phi-4-multimodal: tiles through a SigLIP tower, laid out as lines that end with a vector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.idefics2.vision import Idefics2VisionTransformer
from zoo_multimodal.phi4_multimodal.config import Phi4MultimodalConfig, Phi4MultimodalVisionConfig
from zoo_multimodal.siglip.model import AttentionPooling


class Phi4MultimodalVisionModel(Idefics2VisionTransformer):
    """The image tower; `pooler_output` is what a learned query takes from the patches.

    The last of the hidden states is not normalised.
    """

    config_class = Phi4MultimodalVisionConfig
    share = 1.0

    def __init__(self, config: Phi4MultimodalVisionConfig) -> None:
        super().__init__(config)
        self.head = AttentionPooling(config)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, patch_attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """Images (images, channels, height, width) to states (images, patches, hidden), see the base's."""
        mask = self.patch_mask(pixel_values, patch_attention_mask)
        hidden = self.embed(pixel_values, mask)
        context = AttentionContext(hidden, mask.flatten(1))
        context.blind_queries_average = True  # of tiles that are all padding
        hidden = self.norm(run_layers(self.layers, hidden, context))
        pooled = self.head(hidden, mask.flatten(1))
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class Phi4MultimodalImageEmbedding(nn.Module):
    """Features of images: of tiles put together line by line, a separator, and of the whole."""

    hub_names = {
        "vision_model": "img_processor",
        "separator": "global_img_feature_extensor",
        "line_end": "sub_img_feature_extensor",
        "up_proj": "img_projection_up",
        "down_proj": "img_projection_down",
    }

    def __init__(self, config: Phi4MultimodalConfig) -> None:
        super().__init__()
        vision = config.vision_config
        width, size = vision.hidden_size, config.hidden_size
        self.layer, self.crop_size = vision.feature_layer, vision.crop_size
        self.dropout = nn.Dropout(config.embd_pdrop)
        self.vision_model = Phi4MultimodalVisionModel(vision)
        self.odd = (vision.image_size // vision.patch_size) % 2
        self.separator = nn.Parameter(torch.zeros(1, 1, width))
        self.line_end = nn.Parameter(torch.zeros(1, 1, 1, width))
        self.up_proj, self.down_proj = nn.Linear(width, size), nn.Linear(size, size)

    def tiles(self, pixels: Tensor, mask: Tensor) -> Tensor:
        """Tiles (n, channels, side, side) to averaged features (n, rows, columns, width)."""
        states = self.vision_model(pixels, mask, output_hidden_states=True).hidden_states[self.layer]
        grid = states.unflatten(1, mask.shape[1:]).permute(0, 3, 1, 2)
        if self.odd:
            grid = F.pad(grid, (0, 1, 0, 1), mode="reflect")
        return F.avg_pool2d(grid, 2).permute(0, 2, 3, 1)

    def lines(self, grid: Tensor) -> Tensor:
        """(rows, columns, width) to (rows x (columns + 1), width), each row with its end."""
        ends = self.line_end[0].expand(len(grid), 1, -1)
        return torch.cat((grid, ends), dim=1).flatten(0, 1)

    def forward(self, pixels: Tensor, sizes: Tensor, mask: Tensor | None) -> Tensor:
        """Images (images, tiles, channels, side, side), the whole first, to (features, hidden).

        `sizes` (images, 2) are heights and widths of the canvases of tiles; `mask` (images, tiles, rows,
        columns) is 1 for patches that are no padding.
        """
        images, count = pixels.shape[:2]
        side = pixels.shape[-1] // self.vision_model.config.patch_size
        kept = pixels.new_ones(images, count, side, side) if mask is None else mask
        features = self.tiles(pixels.flatten(0, 1), kept.flatten(0, 1).bool()).unflatten(0, (images, count))
        found = []
        for image, (height, width) in enumerate(torch.as_tensor(sizes).view(-1, 2).tolist()):
            rows, columns = height // self.crop_size, width // self.crop_size
            if not 0 < rows * columns < count:
                raise ValueError(
                    f"image_sizes of image {image} are {height}x{width}: {rows}x{columns} tiles of "
                    f"{self.crop_size} pixels and a whole, and image_pixel_values hold {count}"
                )
            whole, *tiles = features[image, : rows * columns + 1]
            page = joined(torch.stack(tiles), rows)
            if mask is not None:
                used = joined(mask[image, 1 : rows * columns + 1, ::2, ::2], rows)
                page = page[: int(used[:, 0].sum()), : int(used[0].sum())]
            found += [self.lines(page), self.separator[0], self.lines(whole)]
        return self.dropout(self.down_proj(F.gelu(self.up_proj(torch.cat(found)))))


def joined(tiles: Tensor, rows: int) -> Tensor:
    """Tiles (n, height, width, ...) row by row as one page (rows x height, columns x width, ...)."""
    return tiles.unflatten(0, (rows, -1)).transpose(1, 2).flatten(2, 3).flatten(0, 1)
