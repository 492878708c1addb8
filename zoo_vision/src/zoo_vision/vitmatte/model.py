"""ViTMatte: a plain ViT's map, fused with maps of detail, to how opaque each pixel is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.vitmatte.config import VitMatteConfig


class ImageMattingOutput(ModelOutput):
    """`alphas` (batch, 1, height, width), 1 where the foreground hides what is behind it."""

    loss: Tensor | None = None
    alphas: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MattingConv(ConvNorm):
    """Convolution, batch norm, ReLU."""

    hub_names: HubNames = {"convolution": "conv", "normalization": "batch_norm"}


class DetailCapture(nn.Module):
    """Maps of the image at halves of its size, and their fusion with a coarse map."""

    hub_names: HubNames = {
        "stream": "convstream.convs",
        "fusion": "fusion_blocks",
        "fusion.*": "fusion_blocks.*.conv",
        "head": "matting_head.matting_convs",
    }

    def __init__(self, config: VitMatteConfig) -> None:
        super().__init__()
        details = [config.backbone_config.num_channels, *config.convstream_hidden_sizes]
        widths, eps = [config.hidden_size, *config.fusion_hidden_sizes], config.batch_norm_eps
        self.stream = nn.ModuleList(
            MattingConv(details[i], details[i + 1], stride=2, eps=eps) for i in range(len(details) - 1)
        )
        self.fusion = nn.ModuleList(
            MattingConv(details[-1 - i] + widths[i], widths[i + 1], eps=eps) for i in range(len(details))
        )
        last = widths[-1]
        self.head = nn.Sequential(
            nn.Conv2d(last, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 1, 1)
        )

    def forward(self, coarse: Tensor, pixel_values: Tensor) -> Tensor:
        """A map (batch, hidden, h, w) and the image, of full size, to (batch, 1, height, width)."""
        maps = [pixel_values]
        for conv in self.stream:
            maps.append(conv(maps[-1]))
        x = coarse
        for fuse, detail in zip(self.fusion, reversed(maps), strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            if x.shape[-2:] != detail.shape[-2:]:
                raise ValueError(
                    f"images are {tuple(pixel_values.shape[-2:])}, but their sides must be multiples of the "
                    "patch size; pad them (the image processor does)"
                )
            x = fuse(torch.cat((detail, x), dim=1))
        return torch.sigmoid(self.head(x))


class VitMatteForImageMatting(PreTrainedModel):
    """Backbone and detail capture."""

    config_class = VitMatteConfig
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked",)

    def __init__(self, config: VitMatteConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        self.decoder = DetailCapture(config)
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> ImageMattingOutput:
        """(batch, 4, height, width), colours and the trimap, to the alpha matte."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for ViTMatte: leave labels out")
        outputs = self.backbone(pixel_values)
        return ImageMattingOutput.carry(outputs, alphas=self.decoder(outputs.feature_maps[-1], pixel_values))
