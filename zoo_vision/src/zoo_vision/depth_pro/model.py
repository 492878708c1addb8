"""Depth Pro: patches of an image in several sizes through one encoder, fused to a map of depth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_vision.depth_pro.config import DepthProConfig
from zoo_vision.nn.dense_prediction import FusionLayer

Grid = tuple[int, int]


class DepthProOutput(ModelOutput):
    """States of the whole image, and `features`, maps (batch, width, h, w), the coarsest first."""

    last_hidden_state: Tensor | None = None
    features: list[Tensor] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DepthProDepthEstimatorOutput(ModelOutput):
    """Canonical inverse depth (batch, height, width), and the field of view (batch,) in degrees."""

    loss: Tensor | None = None
    predicted_depth: Tensor | None = None
    field_of_view: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DepthProPreTrainedModel(PreTrainedModel):
    """What all Depth Pro classes share."""

    config_class = DepthProConfig
    base_model_prefix = "depth_pro"
    main_input_name = "pixel_values"


def resized(x: Tensor, size: Grid) -> Tensor:
    """Maps (batch, channels, h, w), bilinearly, in another size."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def patch_side(config: DepthProConfig) -> int:
    """Rows of the map that the encoder makes of a whole image."""
    return int(config.image_model_config.image_size) // int(config.image_model_config.patch_size)


def coarsest_grid(config: DepthProConfig, pixel_values: Tensor) -> Grid:
    """Rows and columns of the map of the smallest image; each next map has twice as many."""
    height, width = pixel_values.shape[-2:]
    halvings = 2 ** int(math.log2(width / patch_side(config)))
    return height // halvings, width // halvings


def as_map(states: Tensor) -> Tensor:
    """States (batch, 1 + patches, width) as a square map (batch, width, side, side)."""
    side = math.isqrt(states.shape[1] - 1)
    return states[:, 1:].transpose(1, 2).unflatten(2, (side, side))


def overlapping(image: Tensor, size: int, overlap: float) -> Tensor:
    """Patches (rows, columns, batch, channels, size, size) of images."""
    stride = int(size * (1 - overlap))
    return image.unfold(2, size, stride).unfold(3, size, stride).permute(2, 3, 0, 1, 4, 5)


def joined(maps: Tensor, padding: int) -> Tensor:
    """One map for each image, of the maps (rows, columns, batch, width, side, side) of its patches.

    `padding` cells are cut off at each edge that has a neighbour.
    """
    side, (down, across) = maps.shape[-1], maps.shape[:2]
    padding = min(padding, side // 4)
    rows = []
    for i, row in enumerate(maps):
        top, bottom = padding * (i > 0), side - padding * (i < down - 1)
        parts = [
            patch[..., top:bottom, padding * (j > 0) : side - padding * (j < across - 1)]
            for j, patch in enumerate(row)
        ]
        rows.append(torch.cat(parts, dim=-1))
    return torch.cat(rows, dim=-2)


class PatchEncoder(nn.Module):
    """One encoder for the patches of all sizes of an image."""

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        self.config = config
        self.model = build_part(config.patch_model_config)

    def forward(self, pixel_values: Tensor) -> list[Tensor]:
        """Images to maps: of each size, the smallest first, and of the chosen layers for the largest."""
        config = self.config
        if min(pixel_values.shape[-2:]) * config.scaled_images_ratios[0] < config.patch_size:
            raise ValueError(
                f"images are {tuple(pixel_values.shape[-2:])}; scaled by {config.scaled_images_ratios[0]}, "
                f"they must have {config.patch_size} pixels on each side"
            )
        patches = []
        for ratio, overlap in zip(
            config.scaled_images_ratios, config.scaled_images_overlap_ratios, strict=True
        ):
            image = F.interpolate(pixel_values, scale_factor=ratio, mode="bilinear", align_corners=False)
            patches.append(overlapping(image, config.patch_size, overlap))
        grids = [part.shape[:3] for part in patches]
        counts = [math.prod(grid) for grid in grids]
        flat = torch.cat([part.flatten(0, 2) for part in patches])
        seen = self.model(flat, output_hidden_states=True, output_attentions=False)
        rows, columns = coarsest_grid(config, pixel_values)
        maps = []
        for i, states in enumerate(seen.last_hidden_state.split(counts)):
            padding = int(config.merge_padding_value / config.scaled_images_ratios[i])
            found = joined(as_map(states).unflatten(0, grids[i]), padding)
            maps.append(resized(found, (rows * 2**i, columns * 2**i)))
        for layer in config.intermediate_hook_ids:
            states = as_map(seen.hidden_states[layer + 1][-counts[-1] :]).unflatten(0, grids[-1])
            found = joined(states, config.merge_padding_value)
            maps.append(resized(found, (rows * 2 ** (len(grids) - 1), columns * 2 ** (len(grids) - 1))))
        return maps


class DepthProEncoder(nn.Module):
    """Maps of the patches, and of the image as a whole."""

    hub_names: HubNames = {"image_encoder": "image_encoder.model"}

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        self.config = config
        self.patch_encoder = PatchEncoder(config)
        self.image_encoder = build_part(config.image_model_config)

    def forward(self, pixel_values: Tensor) -> DepthProOutput:
        side = self.config.image_model_config.image_size
        maps = self.patch_encoder(pixel_values)
        outputs = self.image_encoder(resized(pixel_values, (side, side)))
        whole = resized(as_map(outputs.last_hidden_state), coarsest_grid(self.config, pixel_values))
        return DepthProOutput.carry(outputs, features=[whole, *maps])


class UpsampleBlock(nn.Module):
    """A dense layer for each pixel, and transposed convolutions, each of which doubles the size."""

    def __init__(self, channels: Sequence[int], *, bias: bool = False, project: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        if project:
            self.layers.append(nn.Conv2d(channels[0], channels[1], 1, bias=bias))
            channels = channels[1:]
        for i in range(len(channels) - 1):
            self.layers.append(nn.ConvTranspose2d(channels[i], channels[i + 1], 2, 2, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class DepthProNeck(nn.Module):
    """Maps brought to one width, each twice as large as the one before."""

    hub_names: HubNames = {
        "image_block": "feature_upsample.image_block",
        "scaled_images": "feature_upsample.scaled_images",
        "intermediate": "feature_upsample.intermediate",
        "projections": "feature_projection.projections",
    }

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        inner, width = config.patch_model_config.hidden_size, config.fusion_hidden_size
        scaled, deep = config.scaled_images_feature_dims, config.intermediate_feature_dims
        image = config.image_model_config.hidden_size
        self.image_block = UpsampleBlock((image, scaled[0]), bias=True, project=False)
        self.scaled_images = nn.ModuleList(UpsampleBlock((inner, size, size)) for size in scaled)
        self.intermediate = nn.ModuleList(
            UpsampleBlock((inner, width if i == 0 else size, *[size] * (2 + i)))
            for i, size in enumerate(deep)
        )
        self.fuse_image_with_low_res = nn.Conv2d(2 * scaled[0], scaled[0], 1)
        sizes = [*scaled, *deep]
        self.projections = nn.ModuleList(nn.Conv2d(size, width, 3, padding=1, bias=False) for size in sizes)
        if sizes[-1] == width:
            self.projections[-1] = nn.Identity()

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps of the whole image, of its sizes and of layers, to as many but one, the coarsest first."""
        whole, *rest = maps
        blocks = [*self.scaled_images, *self.intermediate]
        found = [block(x) for block, x in zip(blocks, rest, strict=True)]
        found[0] = self.fuse_image_with_low_res(torch.cat((found[0], self.image_block(whole)), dim=1))
        return [project(x) for project, x in zip(self.projections, found, strict=True)]


class DepthProModel(DepthProPreTrainedModel):
    """Encoder and neck."""

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__(config)
        self.encoder, self.neck = DepthProEncoder(config), DepthProNeck(config)
        self.post_init()

    def forward(self, pixel_values: Tensor) -> DepthProOutput:
        """(batch, channels, height, width) to maps and the states of the whole image."""
        found = self.encoder(pixel_values)
        found.features = self.neck(found.features)
        return found

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.image_encoder.get_input_embeddings()


class DeconvFusionLayer(FusionLayer):
    """A coarser fused map and a map of its own, joined and, by a transposed convolution, enlarged."""

    def __init__(self, width: int, *, batch_norm: bool, bias: bool, enlarge: bool) -> None:
        super().__init__(width, batch_norm=batch_norm, bias=bias)
        self.deconv = nn.ConvTranspose2d(width, width, 2, 2, bias=False) if enlarge else nn.Identity()

    def enlarge(self, x: Tensor, size: Grid | None) -> Tensor:
        return self.projection(self.deconv(x))


class DepthProFusion(nn.Module):
    """Maps joined from the coarsest to the finest."""

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        norm, bias = config.use_batch_norm_in_fusion_residual, config.use_bias_in_fusion_residual
        count = len(config.scaled_images_ratios) + len(config.intermediate_hook_ids)

        def make(enlarge: bool) -> DeconvFusionLayer:
            return DeconvFusionLayer(config.fusion_hidden_size, batch_norm=norm, bias=bias, enlarge=enlarge)

        self.intermediate = nn.ModuleList(make(True) for _ in range(count - 1))
        self.final = make(False)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        fused: Tensor | None = None
        for layer, x in zip((*self.intermediate, self.final), maps, strict=True):
            fused = layer(x, None, None) if fused is None else layer(fused, x, None)
        assert fused is not None
        return fused


class FieldOfView(nn.Module):
    """How wide the camera sees, from the coarsest map and an encoder of its own."""

    hub_names: HubNames = {"encoder": "fov_encoder.model", "neck": "fov_encoder.neck", "head": "head.layers"}

    def __init__(self, config: DepthProConfig) -> None:
        super().__init__()
        self.config = config
        width, depth = config.fusion_hidden_size // 2, config.num_fov_head_layers
        self.encoder = build_part(config.fov_model_config)
        self.neck = nn.Linear(config.fov_model_config.hidden_size, width)
        self.conv = nn.Conv2d(2 * width, width, 3, 2, 1)
        self.head = nn.Sequential()
        for i in range(depth):
            self.head.append(nn.Conv2d(width // 2**i, width // 2 ** (i + 1), 3, 2, 1))
            self.head.append(nn.ReLU())
        self.side = patch_side(config)
        self.head.append(nn.Conv2d(width // 2**depth, 1, int((self.side - 1) / 2**depth + 1)))

    def forward(self, pixel_values: Tensor, coarsest: Tensor) -> Tensor:
        """(batch,) degrees."""
        size = self.config.fov_model_config.image_size
        image = resized(pixel_values, (size, size))
        seen = self.encoder(image, output_hidden_states=False, output_attentions=False)
        x = resized(as_map(self.neck(seen.last_hidden_state)), coarsest_grid(self.config, pixel_values))
        x = x + F.relu(self.conv(coarsest))
        return self.head(resized(x, (self.side, self.side))).flatten()


class DepthProForDepthEstimation(DepthProPreTrainedModel):
    """Depth Pro with its map of depth, and on request the field of view.

    Args:
        use_fov_model: by default what the config says.
    """

    hub_names: HubNames = {"model": "depth_pro", "head": "head.layers"}

    def __init__(self, config: DepthProConfig, use_fov_model: bool | None = None) -> None:
        super().__init__(config)
        width = config.fusion_hidden_size
        self.model = DepthProModel(config)
        self.fusion_stage = DepthProFusion(config)
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.ConvTranspose2d(width // 2, width // 2, 2, 2),
            nn.Conv2d(width // 2, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 1, 1),
            nn.ReLU(),
        )
        wanted = config.use_fov_model if use_fov_model is None else use_fov_model
        self.fov_model = FieldOfView(config) if wanted else None
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> DepthProDepthEstimatorOutput:
        """(batch, channels, height, width) to inverse depth for a canonical camera; see the processor."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for Depth Pro: leave labels out")
        outputs = self.model(pixel_values)
        depth = self.head(self.fusion_stage(outputs.features)).squeeze(1)
        angle = None
        if self.fov_model is not None:
            angle = self.fov_model(pixel_values, outputs.features[0].detach())
        return DepthProDepthEstimatorOutput.carry(outputs, predicted_depth=depth, field_of_view=angle)
