"""LLaVA-NeXT: LLaVA over an image's small version and its tiles, which together form a large feature map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.image_text import ImageTextForConditionalGeneration, ImageTextModelOutput
from zoo_multimodal.llava.model import LlavaModel
from zoo_multimodal.llava_next.config import LlavaNextConfig
from zoo_multimodal.llava_next.geometry import grid_of, unpadded


class LlavaNextPreTrainedModel(PreTrainedModel):
    """What all LLaVA-NeXT classes share."""

    config_class = LlavaNextConfig
    base_model_prefix = "model"


class LlavaNextModel(LlavaNextPreTrainedModel, LlavaModel):
    """The model without its head."""

    def __init__(self, config: LlavaNextConfig) -> None:
        super().__init__(config)
        self.image_newline = nn.Parameter(torch.empty(config.text_config.hidden_size))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self and hasattr(self, "image_newline"):
            nn.init.normal_(self.image_newline, std=self.config.text_config.hidden_size**-0.5)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As of LLaVA; `image_sizes` (images, 2) are the heights and widths before the cut."""
        return super().forward(input_ids, pixel_values, image_sizes=image_sizes, **inputs)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        names = ("image_sizes", "vision_feature_layer", "vision_feature_select_strategy")
        return {name: inputs.pop(name) for name in names if name in inputs}

    def get_image_features(  # type: ignore[override]
        self, pixel_values: Tensor, image_sizes: Tensor | None = None, **options: Any
    ) -> list[Tensor]:
        """(images, tiles, channels, height, width) to (features, hidden) for each image.

        `image_sizes` (images, 2) are the heights and widths before the cut; of the tiles, the first is the
        whole image, and those that pad the batch are left out.
        """
        if image_sizes is None:
            raise ValueError("pass image_sizes (images, 2), which the image processor returns")
        config = self.config
        edge, patches = (
            config.vision_config.image_size,
            config.vision_config.image_size // (config.vision_config.patch_size),
        )
        sizes = [(int(height), int(width)) for height, width in image_sizes.tolist()]
        grids = [grid_of(size, config.image_grid_pinpoints, edge) for size in sizes]
        counts = [1 + rows * columns for rows, columns in grids]
        if pixel_values.dim() == 5:
            kept = [tiles[:count] for tiles, count in zip(pixel_values, counts, strict=True)]
            pixel_values = torch.cat(kept)
        features = super().get_image_features(pixel_values, **options)
        full = options.get("vision_feature_select_strategy") or config.vision_feature_select_strategy
        return [
            self.joined(tiles, size, grid, patches, skip=1 if full == "full" else 0)
            for tiles, size, grid in zip(features.split(counts), sizes, grids, strict=True)
        ]

    def joined(
        self, tiles: Tensor, size: tuple[int, int], grid: tuple[int, int], patches: int, *, skip: int
    ) -> Tensor:
        """Features (tiles, features, hidden) of one image as (features, hidden).

        The small image comes first, then the rows of the map that the tiles form, each with a line end.
        """
        if len(tiles) == 1:
            return torch.cat((tiles[0], self.image_newline[None].to(tiles.dtype)))
        parts = tiles[1:, skip:].unflatten(0, grid).unflatten(2, (patches, patches))
        large = parts.permute(4, 0, 2, 1, 3).flatten(1, 2).flatten(2)  # (hidden, rows, columns)
        large = large[(slice(None), *unpadded(size, (large.shape[1], large.shape[2])))]
        ends = self.image_newline[:, None, None].expand(-1, large.shape[1], 1).to(large.dtype)
        lines = torch.cat((large, ends), dim=2).flatten(1).t()
        return torch.cat((tiles[0], lines))


class LlavaNextForConditionalGeneration(ImageTextForConditionalGeneration, LlavaNextPreTrainedModel):
    """LLaVA-NeXT with the language model's head."""

    base_class = LlavaNextModel
