"""SegFormer: a hierarchical transformer without positions, and a decoder of dense layers alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.loss import pixel_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput, SemanticSegmenterOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import HIDDEN_STATES, record, wants
from zoo_vision.nn.upernet import stretch
from zoo_vision.nn.window_bias import Grid
from zoo_vision.segformer.config import SegformerConfig


class SegformerPreTrainedModel(PreTrainedModel):
    """What all SegFormer classes share."""

    config_class = SegformerConfig
    base_model_prefix = "segformer"
    main_input_name = "pixel_values"


class OverlapPatches(nn.Module):
    """Patches that overlap, normalised."""

    def __init__(self, channels: int, size: int, patch: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, size, patch, stride, padding=patch // 2)
        self.layer_norm = nn.LayerNorm(size)

    def forward(self, x: Tensor) -> tuple[Tensor, Grid]:
        """(batch, channels, height, width) to (batch, patches, size) and their grid."""
        x = self.proj(x)
        return self.layer_norm(x.flatten(2).transpose(1, 2)), (x.shape[2], x.shape[3])


class ReducedAttention(Attention):
    """Attention to keys and values of a map that a strided convolution has made smaller.

    Args:
        reduction: cells to a side that become one; 1 leaves the map as it is.
        bias: of queries, keys and values. eps: of the norm of the smaller map.
    """

    sr: nn.Conv2d | None

    def __init__(
        self, size: int, heads: int, *, reduction: int, dropout: float, bias: bool = True, eps: float = 1e-5
    ) -> None:
        super().__init__(size, heads, bias=bias, out_bias=True, dropout=dropout)
        self.sr = nn.Conv2d(size, size, reduction, reduction) if reduction > 1 else None
        self.norm = nn.LayerNorm(size, eps=eps) if reduction > 1 else nn.Identity()

    def reduced(self, hidden: Tensor, grid: Grid) -> Tensor:
        """What keys and values are made of, (batch, fewer cells, size)."""
        if self.sr is None:
            return hidden
        image = self.sr(hidden.transpose(1, 2).unflatten(2, grid))
        return self.norm(image.flatten(2).transpose(1, 2))

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, grid: Grid, **options: Any
    ) -> Tensor:
        source = self.reduced(hidden, grid)
        query = self.split(self.q_proj(hidden))
        key, value = self.split(self.k_proj(source)), self.split(self.v_proj(source))
        mask = context.mask(self.rule, key.shape[2])
        return self.merge(self.attend(query, key, value, mask, **options))


class MixMLP(nn.Module):
    """A feed-forward block with a 3x3 convolution inside, from which positions are read."""

    hub_names: HubNames = {"fc1": "dense1", "dwconv": "dwconv.dwconv", "fc2": "dense2"}

    def __init__(self, size: int, inner: int, act: str, dropout: float) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(size, inner), nn.Linear(inner, size)
        self.dwconv = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.act, self.dropout = activation(act), nn.Dropout(dropout)

    def forward(self, x: Tensor, grid: Grid) -> Tensor:
        image = self.dwconv(self.fc1(x).transpose(1, 2).unflatten(2, grid))
        x = self.dropout(self.act(image.flatten(2).transpose(1, 2)))
        return self.dropout(self.fc2(x))


class SegformerLayer(ScaledPreNormLayer):
    """Attention to a smaller map, and the feed-forward block with a convolution."""

    hub_names: HubNames = {
        "input_layernorm": "layer_norm_1",
        "post_attention_layernorm": "layer_norm_2",
        "self_attn.q_proj": "attention.self.query",
        "self_attn.k_proj": "attention.self.key",
        "self_attn.v_proj": "attention.self.value",
        "self_attn.sr": "attention.self.sr",
        "self_attn.norm": "attention.self.layer_norm",
        "self_attn.o_proj": "attention.output.dense",
    }

    def __init__(self, config: SegformerConfig, stage: int, drop_path: float) -> None:
        size, dropout = config.hidden_sizes[stage], config.hidden_dropout_prob
        super().__init__(
            size,
            nn.LayerNorm,
            self_attn=ReducedAttention(
                size,
                config.num_attention_heads[stage],
                reduction=config.sr_ratios[stage],
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MixMLP(size, int(size * config.mlp_ratios[stage]), config.hidden_act, dropout),
            drop_path=drop_path,
            dropout=dropout,
        )

    def forward(self, hidden: Tensor, grid: Grid) -> Tensor:  # type: ignore[override]
        context = AttentionContext(hidden)
        branch = self.dropout(self.self_attn(self.input_layernorm(hidden), context, grid=grid))
        hidden = hidden + self.drop_path(branch)
        return hidden + self.drop_path(self.mlp(self.post_attention_layernorm(hidden), grid))


class SegformerStage(nn.Module):
    """Patches, layers and a norm."""

    def __init__(self, config: SegformerConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        size = config.hidden_sizes[index]
        channels = config.num_channels if index == 0 else config.hidden_sizes[index - 1]
        self.patches = OverlapPatches(channels, size, config.patch_sizes[index], config.strides[index])
        self.layers = nn.ModuleList(
            SegformerLayer(config, index, next(rates)) for _ in range(config.depths[index])
        )
        self.norm = nn.LayerNorm(size)

    def forward(self, x: Tensor) -> tuple[Tensor, Grid]:
        """(batch, channels, height, width) to states (batch, cells, size) and their grid."""
        hidden, grid = self.patches(x)
        for layer in self.layers:
            hidden = layer(hidden, grid)
        return self.norm(hidden), grid


class SegformerModel(SegformerPreTrainedModel):
    """Stages, each of which makes the map smaller and wider; states are maps."""

    hub_names: HubNames = {
        "stages.*.patches": "encoder.patch_embeddings.*",
        "stages.*.layers": "encoder.block.*",
        "stages.*.norm": "encoder.layer_norm.*",
    }

    def __init__(self, config: SegformerConfig) -> None:
        super().__init__(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(
            SegformerStage(config, i, rates) for i in range(config.num_encoder_blocks)
        )
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(batch, channels, height, width) to the last map (batch, width, h, w).

        With `reshape_last_stage` off in the config it is (batch, h x w, width), and not among the maps.
        """
        x = pixel_values
        for i, stage in enumerate(self.stages):
            hidden, grid = stage(x)
            if i == len(self.stages) - 1 and not self.config.reshape_last_stage:
                x = hidden
            else:
                x = hidden.transpose(1, 2).unflatten(2, grid).contiguous()
            record(HIDDEN_STATES, x)
        return BaseModelOutput(last_hidden_state=x)


class SegformerForImageClassification(ForImageClassification, SegformerPreTrainedModel):
    """SegFormer with a classifier on the mean over all cells."""

    base_class = SegformerModel

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        last = outputs.last_hidden_state
        return last.mean(1) if last.dim() == 3 else last.mean((-2, -1))


class DenseDecoder(nn.Module):
    """All maps brought to one width and the largest size, joined, and scored."""

    def __init__(self, config: SegformerConfig) -> None:
        super().__init__()
        width = config.decoder_hidden_size
        self.linear_c = nn.ModuleList(
            nn.ModuleDict({"proj": nn.Linear(size, width)}) for size in config.hidden_sizes
        )
        self.linear_fuse = nn.Conv2d(width * len(config.hidden_sizes), width, 1, bias=False)
        self.batch_norm = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.classifier = nn.Conv2d(width, config.num_labels, 1)

    def forward(self, maps: tuple[Tensor, ...]) -> Tensor:
        """Maps to scores (batch, labels, h, w) in the size of the first."""
        pairs = zip(self.linear_c, maps, strict=True)
        even = [part["proj"](x.movedim(1, -1)).movedim(-1, 1) for part, x in pairs]  # type: ignore[index]
        joined = torch.cat([stretch(x, maps[0]) for x in reversed(even)], dim=1)
        return self.classifier(self.dropout(F.relu(self.batch_norm(self.linear_fuse(joined)))))


class SegformerForSemanticSegmentation(Headed, SegformerPreTrainedModel):
    """SegFormer with its decoder."""

    base_class = SegformerModel

    def build_head(self, config: PretrainedConfig) -> None:
        self.decode_head = DenseDecoder(config)

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> SemanticSegmenterOutput:
        """Logits (batch, labels, height / 4, width / 4); `labels` (batch, height, width) are classes.

        With one label it is a question of yes or no: labels are 0 and 1.
        """
        outputs = self.model(pixel_values, output_hidden_states=True)
        logits = self.decode_head(outputs.hidden_states)
        loss = None if labels is None else self._loss(logits, labels)
        kept = outputs.hidden_states if wants(HIDDEN_STATES) else None
        return SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=kept, attentions=outputs.attentions
        )

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        ignored = self.config.semantic_loss_ignore_index
        if self.config.num_labels > 1:
            return pixel_loss(logits, labels, ignored=ignored)
        counts = ((labels >= 0) & (labels != ignored)).float()
        scores = stretch(logits, labels).squeeze(1)
        losses = F.binary_cross_entropy_with_logits(scores, labels.float(), reduction="none")
        return (losses * counts).mean()
