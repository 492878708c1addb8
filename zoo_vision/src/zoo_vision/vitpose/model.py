"""ViTPose: a plain ViT, and a heat map for each keypoint of a body."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT, VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import SingleStageBackbone, build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import pair
from zoo_core.nn.stack import run_layers
from zoo_vision.vitpose.config import VitPoseBackboneConfig, VitPoseConfig


class VitPoseEstimatorOutput(ModelOutput):
    """`heatmaps` (batch, keypoints, height, width)."""

    loss: Tensor | None = None
    heatmaps: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class VitPoseBackbonePreTrainedModel(PreTrainedModel):
    """What the backbone's classes share."""

    config_class = VitPoseBackboneConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"


class VitPoseEmbeddings(nn.Module):
    """Patches of the image padded by two pixels, with positions and that of an absent class token."""

    hub_names: HubNames = {"projection": "patch_embeddings.projection"}

    def __init__(self, config: VitPoseBackboneConfig) -> None:
        super().__init__()
        self.image_size, patch = pair(config.image_size), pair(config.patch_size)
        count = (self.image_size[0] // patch[0]) * (self.image_size[1] // patch[1])
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, patch, patch, padding=2)
        self.position_embeddings = nn.Parameter(torch.zeros(1, count + 1, config.hidden_size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, patches, hidden)."""
        if tuple(pixel_values.shape[-2:]) != self.image_size:
            raise ValueError(
                f"images are {tuple(pixel_values.shape[-2:])}, the model was trained on {self.image_size}; "
                "crop and resize them to the persons' boxes (the image processor does)"
            )
        hidden = self.projection(pixel_values).flatten(2).transpose(1, 2)
        positions = self.position_embeddings
        return self.dropout(hidden + positions[:, 1:] + positions[:, :1])


class ExpertMLP(MLP):
    """A feed-forward block, the last features of whose output come from the data set's own expert."""

    def __init__(self, size: int, inner: int, act: str, *, experts: int, part: int) -> None:
        super().__init__(size, inner, act)
        self.fc2 = nn.Linear(inner, size - part)  # type: ignore[assignment]
        self.experts = nn.ModuleList(nn.Linear(inner, part) for _ in range(experts))

    def forward(self, x: Tensor, dataset_index: Tensor | None = None) -> Tensor:
        if dataset_index is None:
            raise ValueError(
                f"this model has {len(self.experts)} experts, one for each data set: pass dataset_index "
                "(batch,), for example torch.zeros(batch, dtype=torch.long)"
            )
        x = self.act(self.fc1(x))
        chosen = dataset_index.view(-1, 1, 1)
        own = sum(expert(x) * (chosen == i) for i, expert in enumerate(self.experts))
        return torch.cat((self.fc2(x), own), dim=-1)  # type: ignore[list-item]


class VitPoseLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names: HubNames = {k: v for k, v in VIT_LAYER.items() if not str(k).startswith("mlp")}

    def __init__(self, config: VitPoseBackboneConfig) -> None:
        size, inner = config.hidden_size, int(config.hidden_size * config.mlp_ratio)
        experts, part = config.num_experts, config.part_features
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(size, inner, config.hidden_act)
            if experts == 1
            else ExpertMLP(size, inner, config.hidden_act, experts=experts, part=part),
            dropout=config.hidden_dropout_prob,
        )

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        dataset_index: Tensor | None = None,
        **options: Tensor,
    ) -> Tensor:
        hidden = hidden + self.dropout(self.self_attn(self.input_layernorm(hidden), context, **options))
        x = self.post_attention_layernorm(hidden)
        changed = self.mlp(x, dataset_index) if isinstance(self.mlp, ExpertMLP) else self.mlp(x)
        return hidden + self.dropout(changed)


class VitPoseBackboneModel(VitPoseBackbonePreTrainedModel):
    """Embeddings and layers; the final norm is applied to what the backbone returns."""

    hub_names = VIT

    def __init__(self, config: VitPoseBackboneConfig) -> None:
        super().__init__(config)
        self.embeddings = VitPoseEmbeddings(config)
        self.layers = nn.ModuleList(VitPoseLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, dataset_index: Tensor | None = None, *, head_mask: Tensor | None = None
    ) -> BaseModelOutput:
        """(batch, channels, height, width) to states (batch, patches, hidden), not normalised."""
        hidden = self.embeddings(pixel_values)
        context = AttentionContext(hidden)
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask, dataset_index=dataset_index)
        return BaseModelOutput(last_hidden_state=hidden)


class VitPoseBackbone(SingleStageBackbone, VitPoseBackbonePreTrainedModel):
    """The ViT that returns the normalised states (batch, patches, hidden) of some layers."""

    base_class = VitPoseBackboneModel

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return self.model.norm(state)


class SimpleDecoder(nn.Module):
    """ReLU, enlargement and one convolution."""

    def __init__(self, config: VitPoseConfig) -> None:
        super().__init__()
        self.scale = config.scale_factor
        self.conv = nn.Conv2d(config.backbone_config.hidden_size, config.num_labels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(F.relu(x), scale_factor=self.scale, mode="bilinear", align_corners=False)
        return self.conv(x)


class ClassicDecoder(nn.Module):
    """Two transposed convolutions, each with batch norm and ReLU, and a 1x1 convolution."""

    def __init__(self, config: VitPoseConfig) -> None:
        super().__init__()
        size = config.backbone_config.hidden_size
        self.deconv1 = nn.ConvTranspose2d(size, 256, 4, 2, padding=1, bias=False)
        self.batchnorm1 = nn.BatchNorm2d(256)
        self.deconv2 = nn.ConvTranspose2d(256, 256, 4, 2, padding=1, bias=False)
        self.batchnorm2 = nn.BatchNorm2d(256)
        self.conv = nn.Conv2d(256, config.num_labels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.batchnorm1(self.deconv1(x)))
        return self.conv(F.relu(self.batchnorm2(self.deconv2(x))))


def flip_back(heatmaps: Tensor, flip_pairs: Tensor) -> Tensor:
    """Heat maps of mirrored images as of the images: mirrored, with left and right keypoints swapped.

    `flip_pairs` (pairs, 2) holds the numbers of keypoints that a mirror swaps.
    """
    order = torch.arange(heatmaps.shape[1], device=heatmaps.device)
    order[flip_pairs[:, 0]], order[flip_pairs[:, 1]] = flip_pairs[:, 1], flip_pairs[:, 0]
    return heatmaps[:, order].flip(-1)


class VitPoseForPoseEstimation(PreTrainedModel):
    """The backbone and a decoder of heat maps."""

    config_class = VitPoseConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"

    def __init__(self, config: VitPoseConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        self.head = SimpleDecoder(config) if config.use_simple_decoder else ClassicDecoder(config)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        dataset_index: Tensor | None = None,
        flip_pairs: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> VitPoseEstimatorOutput:
        """(batch, channels, height, width) to `heatmaps` (batch, keypoints, h, w).

        Args:
            dataset_index: (batch,), which expert each image goes to, where there are several.
            flip_pairs: (pairs, 2), the images are mirrored: see `flip_back`.
        """
        if labels is not None:
            raise NotImplementedError("no loss is defined for ViTPose: leave labels out")
        outputs = self.backbone(pixel_values, dataset_index=dataset_index)
        part = self.config.backbone_config
        (height, width), (rows, columns) = pair(part.image_size), pair(part.patch_size)
        grid = (height // rows, width // columns)
        heatmaps = self.head(outputs.feature_maps[-1].transpose(1, 2).unflatten(2, grid).contiguous())
        if flip_pairs is not None:
            heatmaps = flip_back(heatmaps, flip_pairs)
        return VitPoseEstimatorOutput.carry(outputs, heatmaps=heatmaps)
