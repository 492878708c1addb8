"""LLaVA-NeXT: LLaVA over an image's small version and its tiles, which together form a large feature map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

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

    #: what `get_image_features` takes besides the pixels
    option_names: ClassVar[tuple[str, ...]] = (
        "image_sizes",
        "vision_feature_layer",
        "vision_feature_select_strategy",
    )

    def __init__(self, config: LlavaNextConfig) -> None:
        super().__init__(config)
        width = config.text_config.hidden_size
        self.image_newline = nn.Parameter(torch.randn(width) * width**-0.5)
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
        return {name: inputs.pop(name) for name in self.option_names if name in inputs}

    def get_image_features(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        image_sizes: Tensor | None = None,
        *,
        cut: Sequence[bool] | None = None,
        vision_feature_select_strategy: str | None = None,
        vision_feature_layer: int | list[int] | None = None,
        **options: Any,
    ) -> list[Tensor]:
        """(images, tiles, channels, height, width) to (features, hidden) for each image.

        Args:
            pixel_values: of the tiles, the first is the whole image; those that pad the batch are left out.
            image_sizes: (images, 2), heights and widths before the cut.
            cut: for each image whether its tiles count, by default all.
            options: of `bounded`.
        """
        if image_sizes is None:
            raise ValueError("pass image_sizes (images, 2), which the image processor returns")
        config, vision = self.config, self.config.vision_config
        edge, patches = vision.image_size, vision.image_size // vision.patch_size
        sizes = [(int(height), int(width)) for height, width in image_sizes.tolist()]
        grids = [grid_of(size, config.image_grid_pinpoints, edge) for size in sizes]
        cuts = [True] * len(grids) if cut is None else cut
        counts = [1 + grid[0] * grid[1] if whole else 1 for grid, whole in zip(grids, cuts, strict=True)]
        if pixel_values.dim() == 5:
            kept = [tiles[:count] for tiles, count in zip(pixel_values, counts, strict=True)]
            pixel_values = torch.cat(kept)
        strategy = vision_feature_select_strategy or config.vision_feature_select_strategy
        features = super().get_image_features(
            pixel_values,
            vision_feature_layer=vision_feature_layer,
            vision_feature_select_strategy=strategy,
        )
        skip = features.shape[1] - patches**2
        return [
            self.joined(tiles, size, grid, patches, skip=skip, **options)
            for tiles, size, grid in zip(features.split(counts), sizes, grids, strict=True)
        ]

    def joined(
        self,
        tiles: Tensor,
        size: tuple[int, int],
        grid: tuple[int, int],
        patches: int,
        *,
        skip: int,
        **options: Any,
    ) -> Tensor:
        """Features (tiles, features, hidden) of one image as (features, hidden).

        The small image comes first, then the rows of the map that the tiles form, each with a line end.
        """
        if len(tiles) == 1:
            return torch.cat((tiles[0], self.image_newline[None].to(tiles.dtype)))
        parts = tiles[1:, skip:].unflatten(0, grid).unflatten(2, (patches, patches))
        large = parts.permute(4, 0, 2, 1, 3).flatten(1, 2).flatten(2)  # (hidden, rows, columns)
        large = large[(slice(None), *unpadded(size, (large.shape[1], large.shape[2])))]
        large = self.bounded(large, patches, **options)
        ends = self.image_newline[:, None, None].expand(-1, large.shape[1], 1).to(large.dtype)
        lines = torch.cat((large, ends), dim=2).flatten(1).t()
        return torch.cat((tiles[0], lines))

    def bounded(self, large: Tensor, patches: int) -> Tensor:
        """The map (hidden, rows, columns) of all tiles, each `patches` wide, made smaller where too large."""
        return large


class LlavaNextForConditionalGeneration(ImageTextForConditionalGeneration, LlavaNextPreTrainedModel):
    """LLaVA-NeXT with the language model's head."""

    base_class = LlavaNextModel
