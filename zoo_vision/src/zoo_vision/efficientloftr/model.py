"""EfficientLoFTR: features of two images that have looked at each other, cell by cell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BackboneOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import Mask
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_core.nn.rope_scaling import frequencies
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.efficientloftr.config import EfficientLoFTRConfig


class ConvNorm(nn.Module):
    """Convolution and batch norm."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, eps: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class RepVGGBlock(nn.Module):
    """A 3 x 3 and a 1 x 1 convolution and, where the shape stays, a norm, side by side.

    RepVGG (https://arxiv.org/abs/2101.03697).
    """

    def __init__(self, config: EfficientLoFTRConfig, channels: int, width: int, stride: int) -> None:
        super().__init__()
        eps = config.batch_norm_eps
        self.conv1 = ConvNorm(channels, width, 3, stride, eps)
        self.conv2 = ConvNorm(channels, width, 1, stride, eps)
        same = channels == width and stride == 1
        self.identity = nn.BatchNorm2d(channels, eps=eps) if same else None
        self.act = activation(config.activation_function)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(x) + self.conv2(x)
        return self.act(y if self.identity is None else y + self.identity(x))


class AggregatedAttention(Attention):
    """Attention between aggregated cells; what it finds is spread over the cells again.

    Queries are cells joined by a depthwise convolution, keys and values the highest of some cells.
    """

    hub_names = {
        "q_proj": "attention.q_proj",
        "k_proj": "attention.k_proj",
        "v_proj": "attention.v_proj",
        "o_proj": "attention.o_proj",
        "q_aggregation": "aggregation.q_aggregation",
        "norm": "aggregation.norm",
        "fc1": "mlp.fc1",
        "fc2": "mlp.fc2",
        "mlp_norm": "mlp.layer_norm",
    }

    def __init__(self, config: EfficientLoFTRConfig) -> None:
        size, inner = config.hidden_size, config.intermediate_size
        heads, dropout = config.num_attention_heads, config.attention_dropout
        super().__init__(size, heads, bias=config.attention_bias, dropout=dropout)
        self.stride = config.q_aggregation_stride
        self.q_aggregation = nn.Conv2d(
            size, size, config.q_aggregation_kernel_size, self.stride, groups=size, bias=False
        )
        self.kv_aggregation = nn.MaxPool2d(config.kv_aggregation_kernel_size, config.kv_aggregation_stride)
        self.norm = nn.LayerNorm(size)
        self.fc1, self.fc2 = nn.Linear(inner, inner, bias=False), nn.Linear(inner, size, bias=False)
        self.act = activation(config.mlp_activation_function)
        self.mlp_norm = nn.LayerNorm(size)

    def forward(  # type: ignore[override]
        self, x: Tensor, seen: Tensor, rotary: RotaryTables | None = None
    ) -> Tensor:
        """Maps (images, hidden, rows, columns) that look at maps `seen` to the same shape."""
        joined = self.q_aggregation(x)
        rows, columns = joined.shape[-2:]
        asking = self.norm(joined.flatten(2).transpose(1, 2))
        asked = self.norm(self.kv_aggregation(seen).flatten(2).transpose(1, 2))
        query, key = self.q_proj(asking)[:, None], self.k_proj(asked)[:, None]
        if rotary is not None:  # turned before the heads are split
            query, key = rotary(query), rotary(key)
        split = [self.split(t) for t in (query[:, 0], key[:, 0], self.v_proj(asked))]
        found = self.merge(self.attend(*split, Mask())).transpose(1, 2).unflatten(2, (rows, columns))
        if self.stride > 1:
            found = F.interpolate(found, scale_factor=self.stride, mode="bilinear", align_corners=False)
            found = F.pad(found, (0, x.shape[3] - found.shape[3], 0, x.shape[2] - found.shape[2]))
        both = torch.cat((x, found), dim=1).movedim(1, -1)
        return x + self.mlp_norm(self.fc2(self.act(self.fc1(both)))).movedim(-1, 1)


class EfficientLoFTRLayer(nn.Module):
    """Each image looks at itself, then the first at the second, and the second at what the first became."""

    def __init__(self, config: EfficientLoFTRConfig) -> None:
        super().__init__()
        self.self_attention, self.cross_attention = AggregatedAttention(config), AggregatedAttention(config)

    def forward(self, x: Tensor, rotary: RotaryTables) -> Tensor:
        """(images, hidden, rows, columns), images by pairs."""
        first, second = self.self_attention(x, x, rotary).unflatten(0, (-1, 2)).unbind(1)
        first = self.cross_attention(first, second)
        second = self.cross_attention(second, first)
        return torch.stack((first, second), dim=1).flatten(0, 1)


class EfficientLoFTRModel(PreTrainedModel):
    """Convolutions over each image, attention within and between the images of a pair."""

    config_class = EfficientLoFTRConfig
    base_model_prefix = "efficientloftr"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked", "*rotary_emb.inv_freq")
    hub_names = {
        "stages.*.*": "backbone.stages.*.blocks.*",
        "layers": "local_feature_transformer.layers",
    }

    def __init__(self, config: EfficientLoFTRConfig) -> None:
        super().__init__(config)
        widths = [1, *config.out_features]
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    RepVGGBlock(config, widths[i + (j > 0)], widths[i + 1], 1 if j else stride)
                    for j in range(count)
                )
            )
            for i, (count, stride) in enumerate(
                zip(config.stage_num_blocks, config.stage_stride, strict=True)
            )
        )
        self.layers = nn.ModuleList(EfficientLoFTRLayer(config) for _ in range(config.num_attention_layers))
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> BackboneOutput:
        """Pairs of images (pairs, 2, channels, height, width), of which the first channel is taken.

        Returns `feature_maps`: coarse ones that know of each other (pairs, 2, hidden, rows, columns), then
        (images, channels, rows, columns) of the stages between the first and the last.
        """
        if labels is not None:
            raise NotImplementedError("EfficientLoFTR has no loss: leave labels out")
        if pixel_values.dim() != 5 or pixel_values.shape[1] != 2:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}, but must be pairs of images, (pairs, 2, "
                "channels, height, width)"
            )
        x, maps = pixel_values[:, :, :1].flatten(0, 1), []
        record(HIDDEN_STATES, x)
        for stage in self.stages:
            for block in stage:  # type: ignore[attr-defined]
                x = block(x)
                record(HIDDEN_STATES, x)
            maps.append(x)
        stride = self.config.q_aggregation_stride
        rotary = self.turns(x.shape[2] // stride, x.shape[3] // stride, x)
        for layer in self.layers:
            x = layer(x, rotary)
        return BackboneOutput(feature_maps=(x.unflatten(0, (-1, 2)), *maps[1:-1]))

    def turns(self, rows: int, columns: int, like: Tensor) -> RotaryTables:
        """Rotations by row and column, both from 1, pairs of features in turn."""
        config = self.config
        speed = frequencies(config.rotary_dim, config.rope_theta, config.rope_scaling, 2048).at(0)
        speed = speed.to(like.device)
        down = torch.arange(1, rows + 1, device=like.device)[:, None, None] * speed
        across = torch.arange(1, columns + 1, device=like.device)[:, None] * speed
        angles = torch.stack(torch.broadcast_tensors(down, across), dim=-1)
        angles = angles.flatten(2).flatten(0, 1).repeat_interleave(2, dim=-1)[None, None]
        return RotaryTables(angles.cos().to(like.dtype), angles.sin().to(like.dtype), interleaved=True)
