"""DPT: a ViT, a neck that fuses four of its layers, and a map of depth or of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT
from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.loss import pixel_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import DepthEstimatorOutput, ModelOutput, SemanticSegmenterOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import PatchEmbedding, pair
from zoo_core.nn.recording import HIDDEN_STATES, wants
from zoo_core.nn.stack import run_layers
from zoo_vision.dpt.config import DPTConfig
from zoo_vision.nn.dense_prediction import FusionNeck, Reassemble
from zoo_vision.vit.model import ViTLayer, ViTPooler

Grid = tuple[int, int]


class BaseModelOutputWithPoolingAndIntermediateActivations(ModelOutput):
    """States, and the hybrid's first maps, `intermediate_activations` (batch, channels, h, w) each."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    intermediate_activations: tuple[Tensor, ...] | None = None


class DPTPreTrainedModel(PreTrainedModel):
    """What all DPT classes share."""

    config_class = DPTConfig
    base_model_prefix = "dpt"
    main_input_name = "pixel_values"


class DPTEmbeddings(nn.Module):
    """A class token and patches, with positions stretched bilinearly to the image."""

    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.make_patches(config)
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.count(config) + 1, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def make_patches(self, config: DPTConfig) -> None:
        """Create what `patches` uses."""
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, config.hidden_size
        )

    def count(self, config: DPTConfig) -> int:
        """Patches of an image of the trained size."""
        return self.patch_embeddings.num_patches

    def patches(self, pixel_values: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Patches (batch, patches, hidden), and the maps that come about on the way."""
        return self.patch_embeddings(pixel_values, any_size=True), ()

    def forward(self, pixel_values: Tensor, grid: Grid) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(batch, channels, height, width) of `grid` patches to (batch, 1 + patches, hidden)."""
        hidden, maps = self.patches(pixel_values)
        hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        return self.dropout(hidden + self._positions(grid)), maps

    def _positions(self, grid: Grid) -> Tensor:
        first, rest = self.position_embeddings[:, :1], self.position_embeddings[:, 1:]
        side = int(rest.shape[1] ** 0.5)
        image = rest.reshape(1, side, side, -1).permute(0, 3, 1, 2)
        image = F.interpolate(image, size=grid, mode="bilinear")
        return torch.cat((first, image.flatten(2).transpose(1, 2)), dim=1)


class DPTHybridEmbeddings(DPTEmbeddings):
    """The patches are the pixels of a convolutional backbone's last map."""

    def make_patches(self, config: DPTConfig) -> None:
        self.backbone = build_backbone(config)
        channels = cast(Any, self.backbone).channels[-1]
        self.projection = nn.Conv2d(channels, config.hidden_size, 1)

    def count(self, config: DPTConfig) -> int:
        (height, width), (rows, columns) = pair(config.image_size), pair(config.patch_size)
        return (height // rows) * (width // columns)

    def patches(self, pixel_values: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        maps = self.backbone(pixel_values).feature_maps
        return self.projection(maps[-1]).flatten(2).transpose(1, 2), maps[:2]


class DPTModel(DPTPreTrainedModel):
    """Embeddings, layers, a final norm, and unless switched off the pooler."""

    hub_names = VIT

    def __init__(self, config: DPTConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = DPTHybridEmbeddings(config) if config.is_hybrid else DPTEmbeddings(config)
        self.layers = nn.ModuleList(ViTLayer(cast(Any, config)) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = ViTPooler(cast(Any, config)) if add_pooling_layer else None
        self.post_init()

    def forward(
        self, pixel_values: Tensor, *, head_mask: Tensor | None = None
    ) -> BaseModelOutputWithPoolingAndIntermediateActivations:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden) and pooled ones."""
        hidden, maps = self.embeddings(pixel_values, grid_of(self.config, pixel_values))
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask)
        hidden = self.norm(hidden)
        return BaseModelOutputWithPoolingAndIntermediateActivations(
            last_hidden_state=hidden,
            pooler_output=None if self.pooler is None else self.pooler(hidden),
            intermediate_activations=tuple(maps) or None,
        )

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings


def grid_of(config: Any, pixel_values: Tensor) -> Grid:
    """Rows and columns of patches of an image."""
    rows, columns = pair(config.patch_size)
    return pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns


class Readout(nn.Sequential):
    """Each patch's state joined with the class token's, and brought to one width again."""

    def __init__(self, size: int, act: str) -> None:
        super().__init__(nn.Linear(2 * size, size))
        self.act = activation(act)

    def forward(self, state: Tensor) -> Tensor:  # type: ignore[override]
        patches = state[:, 1:]
        return self.act(super().forward(torch.cat((patches, state[:, :1].expand_as(patches)), dim=-1)))


class DPTNeck(FusionNeck):
    """States of four layers as maps of four sizes, fused; a hybrid's first maps are taken as they are."""

    hub_names: HubNames = {
        **FusionNeck.hub_names,
        "reassemble": "reassemble_stage.layers",
        "readout": "reassemble_stage.readout_projects",
    }

    def __init__(self, config: Any, size: int, *, skipped: Sequence[int] = ()) -> None:
        batch_norm = bool(config.use_batch_norm_in_fusion_residual)
        bias = config.use_bias_in_fusion_residual
        bias = not batch_norm if bias is None else bias
        super().__init__(
            config.neck_hidden_sizes, config.fusion_hidden_size, batch_norm=batch_norm, bias=bias
        )
        self.readout_type = config.readout_type
        sizes = config.neck_hidden_sizes
        self.reassemble, self.readout = nn.ModuleList(), nn.ModuleList()
        for i, (channels, factor) in enumerate(zip(sizes, config.reassemble_factors, strict=False)):
            left = i in skipped
            self.reassemble.append(nn.Identity() if left else Reassemble(size, channels, factor))
            if config.readout_type == "project":
                self.readout.append(nn.Sequential() if left else Readout(size, config.hidden_act))

    def forward(self, maps: Sequence[Tensor], grid: Grid | None = None) -> list[Tensor]:
        """States (batch, 1 + patches, size), or maps, to the fused maps, the finest last."""
        return self.fuse(self.project(self.reassembled(maps, grid)))

    def reassembled(self, maps: Sequence[Tensor], grid: Grid | None) -> list[Tensor]:
        """Maps of the sizes that are fused, the finest first."""
        return [self._reassembled(i, x, grid) for i, x in enumerate(maps)]

    def _reassembled(self, index: int, x: Tensor, grid: Grid | None) -> Tensor:
        part = self.reassemble[index]
        if isinstance(part, nn.Identity) or x.dim() == 4:
            return cast(Tensor, part(x))
        if self.readout_type == "project":
            patches = self.readout[index](x)
        else:
            patches = x[:, 1:] + x[:, :1] if self.readout_type == "add" else x[:, 1:]
        assert grid is not None
        return cast(Tensor, part(patches.transpose(1, 2).unflatten(2, grid)))


class _Upsample(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class DPTDepthHead(nn.Module):
    """Three convolutions to one map of depth, twice as large."""

    projection: nn.Module | None

    def __init__(self, config: DPTConfig) -> None:
        super().__init__()
        width = config.fusion_hidden_size
        self.projection = nn.Conv2d(width, 256, 3, padding=1) if config.add_projection else None
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            _Upsample(),
            nn.Conv2d(width // 2, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 1, 1),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) to (batch, 2h, 2w)."""
        if self.projection is not None:
            x = F.relu(self.projection(x))
        return self.head(x).squeeze(1)


class _DPTWithNeck(DPTPreTrainedModel):
    """The encoder or a backbone, and the neck."""

    @property
    def hub_names(self) -> HubNames:  # type: ignore[override]
        return {"model": "backbone" if self.config.use_autobackbone else "dpt"}

    def __init__(self, config: DPTConfig) -> None:
        super().__init__(config)
        own = not config.use_autobackbone
        self.model = DPTModel(config, add_pooling_layer=False) if own else build_backbone(config)
        encoder = config if config.backbone_config is None or own else config.backbone_config
        self.neck = DPTNeck(config, encoder.hidden_size, skipped=config.neck_ignore_stages)

    def fuse(self, pixel_values: Tensor, **inputs: Any) -> tuple[list[Tensor], ModelOutput]:
        """The fused maps, and the encoder's output."""
        config = self.config
        if config.use_autobackbone:
            outputs = self.model(pixel_values, **inputs)
            return self.neck(outputs.feature_maps, grid_of(config.backbone_config, pixel_values)), outputs
        outputs = self.model(pixel_values, output_hidden_states=True, **inputs)
        states = outputs.hidden_states[1:]
        if config.is_hybrid:
            rest = [states[i] for i in config.backbone_out_indices[2:]]
            chosen = [*outputs.intermediate_activations, *rest]
        else:
            chosen = [states[i] for i in config.backbone_out_indices]
        fused = self.neck(chosen, grid_of(config, pixel_values))
        if not wants(HIDDEN_STATES):
            outputs.pop("hidden_states")
        return fused, outputs


class DPTForDepthEstimation(_DPTWithNeck):
    """DPT with a head that estimates relative depth."""

    def __init__(self, config: DPTConfig) -> None:
        super().__init__(config)
        self.head = DPTDepthHead(config)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, *, head_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> DepthEstimatorOutput:
        """(batch, channels, height, width) to depth (batch, height, width)."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for depth: leave labels out")
        inputs = {} if head_mask is None else {"head_mask": head_mask}
        fused, outputs = self.fuse(pixel_values, **inputs)
        depth = self.head(fused[self.config.head_in_index])
        return DepthEstimatorOutput.carry(outputs, predicted_depth=depth)


def _classifier(config: DPTConfig, dropout: float, *last: nn.Module) -> nn.Sequential:
    width = config.fusion_hidden_size
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Conv2d(width, config.num_labels, 1),
        *last,
    )


class DPTForSemanticSegmentation(_DPTWithNeck):
    """DPT with a head that scores classes, and in training an auxiliary one."""

    @property
    def hub_names(self) -> HubNames:  # type: ignore[override]
        return {**super().hub_names, "head": "head.head", "auxiliary_head": "auxiliary_head.head"}

    def __init__(self, config: DPTConfig) -> None:
        super().__init__(config)
        self.head = _classifier(config, config.semantic_classifier_dropout, _Upsample())
        self.auxiliary_head = _classifier(config, 0.1) if config.use_auxiliary_head else None
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> SemanticSegmenterOutput:
        """Logits (batch, labels, height, width); `labels` (batch, height, width) are classes."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        if labels is not None and self.config.num_labels == 1:
            raise ValueError("the loss needs more than one label, but num_labels is 1")
        inputs = {} if head_mask is None else {"head_mask": head_mask}
        fused, outputs = self.fuse(pixel_values, **inputs)
        logits = self.head(fused[self.config.head_in_index])
        loss = None
        if labels is not None:
            ignored = self.config.semantic_loss_ignore_index
            loss = pixel_loss(logits, labels, ignored=ignored)
            if self.auxiliary_head is not None:
                auxiliary = pixel_loss(self.auxiliary_head(fused[-1]), labels, ignored=ignored)
                loss = loss + self.config.auxiliary_loss_weight * auxiliary
        return SemanticSegmenterOutput.carry(outputs, loss=loss, logits=logits)
