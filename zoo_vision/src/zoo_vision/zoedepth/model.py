"""ZoeDepth: relative depth by a DPT, then metres, as means over bins that move from map to map."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import unrecorded
from zoo_vision.dpt.model import DPTNeck, grid_of
from zoo_vision.zoedepth.config import ZoeDepthConfig

Bins = dict[str, Any]


class ZoeDepthDepthEstimatorOutput(ModelOutput):
    """Depth (batch, height, width) in metres; `domain_logits` (batch, scenes) where there are several."""

    loss: Tensor | None = None
    predicted_depth: Tensor
    domain_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """`x` (batch, channels, h, w), bilinearly, in the size of `like`, corners kept in place."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=True)


class RelativeHead(nn.Module):
    """Three convolutions, the map enlarged twofold after the first."""

    projection: nn.Module | None

    def __init__(self, config: ZoeDepthConfig) -> None:
        super().__init__()
        width, features = config.fusion_hidden_size, config.num_relative_features
        self.projection = nn.Conv2d(width, 256, 3, padding=1) if config.add_projection else None
        self.conv1 = nn.Conv2d(256 if config.add_projection else width, width // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(width // 2, features, 3, padding=1)
        self.conv3 = nn.Conv2d(features, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, width, h, w) to relative depth (batch, 1, 2h, 2w) and the features before it."""
        if self.projection is not None:
            x = F.relu(self.projection(x))
        x = F.interpolate(self.conv1(x), scale_factor=2, mode="bilinear", align_corners=True)
        features = F.relu(self.conv2(x))
        return F.relu(self.conv3(features)), features


class PixelMLP(nn.Module):
    """Two dense layers for each pixel."""

    def __init__(self, channels: int, inner: int, out: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(F.relu(self.conv1(x)))


class SeedBins(PixelMLP):
    """The first centres of bins of each pixel."""

    def __init__(self, config: ZoeDepthConfig, bins: Bins, inner: int) -> None:
        super().__init__(config.bottleneck_features, inner, bins["n_bins"])
        self.normed = config.bin_centers_type == "normed"
        self.least, self.greatest = bins["min_depth"], bins["max_depth"]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, bins, h, w): metres, or fractions of the range."""
        x = super().forward(x)
        if not self.normed:
            return F.softplus(x)
        widths = F.relu(x) + 1e-3
        widths = widths / widths.sum(1, keepdim=True)
        edges = F.pad((self.greatest - self.least) * widths, (0, 0, 0, 0, 1, 0), value=self.least).cumsum(1)
        centres = (edges[:, :-1] + edges[:, 1:]) / 2
        return (centres - self.least) / (self.greatest - self.least)


class Attractors(PixelMLP):
    """Points that draw the centres of bins towards them."""

    def __init__(self, config: ZoeDepthConfig, bins: Bins, count: int) -> None:
        size = config.bin_embedding_dim
        self.normed = config.bin_centers_type == "normed"
        super().__init__(size, size, 2 * count if self.normed else count)
        self.mean = config.attractor_kind == "mean"
        self.least, self.greatest = bins["min_depth"], bins["max_depth"]

    def forward(self, x: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
        """Centres (batch, bins, h, w) moved by states (batch, size, h', w'), and the same in metres."""
        points = super().forward(x)
        if self.normed:
            points = F.relu(points[:, ::2]) + 1e-3  # as released, not divided by the sum with the others
        else:
            points = F.softplus(points)
        centres = enlarged(centres, points)
        far = points[:, :, None] - centres[:, None]
        pull = far / (1 + 300 * far.square())  # as released, whatever attractor_alpha and _gamma say
        centres = centres + (pull.mean(1) if self.mean else pull.sum(1))
        if not self.normed:
            return centres, centres
        metres = (self.greatest - self.least) * centres + self.least
        return centres, metres.sort(dim=1).values.clamp(self.least, self.greatest)


class LogBinomial(nn.Module):
    """Weights of bins, a binomial distribution of a learned mode and temperature for each pixel."""

    EPS = 1e-4

    def __init__(self, config: ZoeDepthConfig, channels: int, inner: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, inner, 1), nn.GELU(), nn.Conv2d(inner, 4, 1), nn.Softplus()
        )
        self.coldest, self.hottest = config.min_temp, config.max_temp

    def forward(self, x: Tensor, bins: int) -> Tensor:
        """States (batch, channels, h, w) to weights (batch, bins, h, w)."""
        shares = self.mlp(x).unflatten(1, (2, 2)) + self.EPS
        mode, warmth = (shares[:, :, :1] / shares.sum(2, keepdim=True)).unbind(1)
        warmth = (self.hottest - self.coldest) * warmth + self.coldest
        k = torch.arange(bins, device=x.device, dtype=x.dtype)[:, None, None]
        last = torch.as_tensor(bins - 1, device=x.device, dtype=x.dtype)
        failure = (1 - mode).clamp(self.EPS, 1)
        success = mode.clamp(self.EPS, 1)
        scores = log_binomial(last, k) + k * success.log() + (last - k) * failure.log()
        return (scores / warmth).softmax(1)


def log_binomial(n: Tensor, k: Tensor, eps: float = 1e-7) -> Tensor:
    """The logarithm of n over k by Stirling's approximation."""
    n, k = n + eps, k + eps
    return n * n.log() - k * k.log() - (n - k) * (n - k + eps).log()


class MetricHead(nn.Module):
    """Bins that the maps move one after the other, for one kind of scene."""

    relative_depth = True

    def __init__(self, config: ZoeDepthConfig) -> None:
        super().__init__()
        size, inner = config.bin_embedding_dim, self.inner(config)
        width = config.bottleneck_features
        self.conv2 = nn.Conv2d(width, width, 1)
        self.make_parts(config)
        self.seed_projector = PixelMLP(width, inner, size)
        self.projectors = nn.ModuleList(PixelMLP(config.fusion_hidden_size, inner, size) for _ in range(4))

    def inner(self, config: ZoeDepthConfig) -> int:
        """Width inside of the projectors."""
        return 128

    def make_parts(self, config: ZoeDepthConfig) -> None:
        """What belongs to a kind of scene."""
        (bins,) = config.bin_configurations
        self.seed_bin_regressor = SeedBins(config, bins, 256)
        self.attractors = nn.ModuleList(Attractors(config, bins, n) for n in config.num_attractors)
        channels = config.num_relative_features + 1 + config.bin_embedding_dim
        self.conditional_log_binomial = LogBinomial(config, channels, channels // 2)

    def choose(self, x: Tensor) -> tuple[Any, Any, Any, Tensor | None]:
        """The parts of the kind of scene that (batch, width, h, w) show, and the logits of kinds."""
        return self.seed_bin_regressor, self.attractors, self.conditional_log_binomial, None

    def forward(
        self, features: Tensor, bottleneck: Tensor, maps: Sequence[Tensor], relative: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Depth (batch, 1, h, w) in metres, and logits of the kinds of scenes.

        Args:
            features: of the relative head, with its depth `relative`. bottleneck: the coarsest map before it
                is fused; `maps` are fused, the finest last.
        """
        x = self.conv2(bottleneck)
        seed, attractors, weigh, kinds = self.choose(x)
        metres = centres = seed(x)
        before = self.seed_projector(x)
        for project, attract, own in zip(self.projectors, attractors, maps, strict=False):
            state = project(own)
            centres, metres = attract(state + enlarged(before, state), centres)
            before = state
        if self.relative_depth:
            features = torch.cat((features, enlarged(relative, features)), dim=1)
        weights = weigh(torch.cat((features, enlarged(before, features)), dim=1), metres.shape[1])
        return (weights * enlarged(metres, weights)).sum(1, keepdim=True), kinds


class SceneLayer(PostNormLayer):
    """A transformer layer over the pixels of the coarsest map."""

    hub_names: HubNames = {
        "self_attn.q_proj": "self_attn.query",
        "self_attn.k_proj": "self_attn.key",
        "self_attn.v_proj": "self_attn.value",
        "self_attn.o_proj": "self_attn.out_proj",
        "mlp.fc1": "linear1",
        "mlp.fc2": "linear2",
        "self_attn_layer_norm": "norm1",
        "final_layer_norm": "norm2",
    }


class SceneTransformer(nn.Module):
    """What kind of scene a map shows, told from a token in front of its pixels."""

    hub_names: HubNames = {"layers": "transformer_encoder", "embedding": "embedding_convPxP"}

    def __init__(self, config: ZoeDepthConfig) -> None:
        super().__init__()
        size = config.patch_transformer_hidden_size or 0
        inner = config.patch_transformer_intermediate_size or 0
        heads = config.patch_transformer_num_attention_heads or 1
        self.layers = nn.ModuleList(
            SceneLayer(size, nn.LayerNorm, self_attn=Attention(size, heads), mlp=MLP(size, inner, "relu"))
            for _ in range(config.num_patch_transformer_layers or 0)
        )
        self.embedding = nn.Conv2d(config.bottleneck_features, size, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) to (batch, size)."""
        hidden = F.pad(self.embedding(x).flatten(2), (1, 0)).transpose(1, 2)
        length, size = hidden.shape[1:]
        waves = 10000 ** -(torch.arange(0, size, 2, device=x.device) / size)
        angles = torch.arange(length, device=x.device)[:, None] * waves
        hidden = hidden + torch.cat((angles.sin(), angles.cos()), dim=1).to(hidden)
        context = AttentionContext(hidden)
        with unrecorded():
            for layer in self.layers:
                hidden = layer(hidden, context)
        return hidden[:, 0]


class SceneClassifier(nn.Module):
    """Two dense layers."""

    def __init__(self, size: int, kinds: int) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(size, size), nn.Linear(size, kinds)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(F.relu(self.linear1(x)))


class ScenesMetricHead(MetricHead):
    """Bins for each of several kinds of scenes; the images of a batch are taken for one kind together."""

    relative_depth = False

    def inner(self, config: ZoeDepthConfig) -> int:
        return config.bin_embedding_dim // 2

    def make_parts(self, config: ZoeDepthConfig) -> None:
        kinds, inner = config.bin_configurations, self.inner(config)
        self.names = [bins["name"] for bins in kinds]
        self.patch_transformer = SceneTransformer(config)
        self.mlp_classifier = SceneClassifier(config.patch_transformer_hidden_size or 0, len(kinds))
        self.seed_bin_regressors = nn.ModuleDict({b["name"]: SeedBins(config, b, inner) for b in kinds})
        count = config.num_attractors[0]  # as released, in every map
        attract = partial(Attractors, config, count=count)
        self.attractors = nn.ModuleDict(
            {b["name"]: nn.ModuleList(attract(bins=b) for _ in config.num_attractors) for b in kinds}
        )
        channels = config.num_relative_features + config.bin_embedding_dim
        self.conditional_log_binomial = nn.ModuleDict(
            {b["name"]: LogBinomial(config, channels, channels // 4) for b in kinds}
        )

    def choose(self, x: Tensor) -> tuple[Any, Any, Any, Tensor | None]:
        kinds = self.mlp_classifier(self.patch_transformer(x))
        name = self.names[int(kinds.sum(0).argmax())]
        parts: tuple[nn.ModuleDict, ...] = (
            self.seed_bin_regressors,
            self.attractors,
            self.conditional_log_binomial,
        )
        return *(part[name] for part in parts), kinds  # type: ignore[return-value]


class ZoeDepthNeck(DPTNeck):
    """As DPT's; the coarsest map before it is fused comes along."""

    def see(self, states: Sequence[Tensor], grid: tuple[int, int]) -> tuple[list[Tensor], Tensor]:
        """The fused maps, the finest last, and the coarsest one of all."""
        own = self.project(self.reassembled(states, grid))
        return self.fuse(own), own[0]


class ZoeDepthForDepthEstimation(PreTrainedModel):
    """Backbone, neck, and the heads for relative depth and for metres."""

    config_class = ZoeDepthConfig
    base_model_prefix = "zoedepth"
    main_input_name = "pixel_values"

    def __init__(self, config: ZoeDepthConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        self.neck = ZoeDepthNeck(config, config.backbone_config.hidden_size)
        self.relative_head = RelativeHead(config)
        several = len(config.bin_configurations) > 1
        self.metric_head = ScenesMetricHead(config) if several else MetricHead(config)
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> ZoeDepthDepthEstimatorOutput:
        """(batch, channels, height, width) to depth (batch, height, width) in metres."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for ZoeDepth: leave labels out")
        outputs = self.backbone(pixel_values)
        grid = grid_of(self.config.backbone_config, pixel_values)
        fused, bottleneck = self.neck.see(outputs.feature_maps, grid)
        relative, features = self.relative_head(fused[self.config.head_in_index])
        depth, kinds = self.metric_head(features, bottleneck, fused, relative)
        return ZoeDepthDepthEstimatorOutput.carry(
            outputs, predicted_depth=depth.squeeze(1), domain_logits=kinds
        )
