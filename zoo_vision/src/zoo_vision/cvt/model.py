"""CvT: a transformer whose queries, keys and values pass convolutions, over maps that halve."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ImageClassifierOutputWithNoAttention, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.cvt.config import CvtConfig
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.nn.window_bias import Grid


class BaseModelOutputWithCLSToken(ModelOutput):
    """The last map (batch, width, h, w), and `cls_token_value` (batch, 1, width)."""

    last_hidden_state: Tensor
    cls_token_value: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class CvtPreTrainedModel(PreTrainedModel):
    """What all CvT classes share."""

    config_class = CvtConfig
    base_model_prefix = "cvt"
    main_input_name = "pixel_values"


class ConvAttention(Attention):
    """Attention whose queries, keys and values pass a convolution in each channel first.

    A class token before the cells passes none. Scores are scaled by the width of all heads together.
    """

    def __init__(self, config: CvtConfig, stage: int) -> None:
        width, kernel = config.embed_dim[stage], config.kernel_qkv[stage]
        super().__init__(
            width,
            config.num_heads[stage],
            bias=config.qkv_bias[stage],
            out_bias=True,
            scale=width**-0.5,
            dropout=config.attention_drop_rate[stage],
        )
        conv = partial(ConvNorm, width, width, kernel, groups=width, act=None)
        self.q_conv = conv(stride=config.stride_q[stage], padding=config.padding_q[stage])
        for name in ("k_conv", "v_conv"):
            self.add_module(name, conv(stride=config.stride_kv[stage], padding=config.padding_kv[stage]))

    def convolved(self, conv: nn.Module, hidden: Tensor, grid: Grid) -> Tensor:
        """(batch, special tokens + cells, width) to the same with fewer cells."""
        special = hidden.shape[1] - grid[0] * grid[1]
        image = conv(hidden[:, special:].transpose(1, 2).unflatten(2, grid))
        return torch.cat((hidden[:, :special], image.flatten(2).transpose(1, 2)), dim=1)

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, grid: Grid, **options: Any
    ) -> Tensor:
        query, key, value = (
            self.split(project(self.convolved(conv, hidden, grid)))
            for project, conv in (
                (self.q_proj, self.q_conv),
                (self.k_proj, self.k_conv),
                (self.v_proj, self.v_conv),
            )
        )
        mask = context.mask(self.rule, key.shape[2])
        return self.merge(self.attend(query, key, value, mask, **options))


class CvtLayer(ScaledPreNormLayer):
    """Attention and a feed-forward block."""

    hub_names: HubNames = VIT_LAYER | {
        f"self_attn.{letter}_{part}": f"attention.attention.{prefix}_{name}{suffix}"
        for letter, name in (("q", "query"), ("k", "key"), ("v", "value"))
        for part, prefix, suffix in (
            ("proj", "projection", ""),
            ("conv", "convolution_projection", ".convolution_projection"),
        )
    }

    def __init__(self, config: CvtConfig, stage: int, drop_path: float) -> None:
        width, dropout = config.embed_dim[stage], config.drop_rate[stage]
        super().__init__(
            width,
            nn.LayerNorm,
            self_attn=ConvAttention(config, stage),
            mlp=MLP(width, int(width * config.mlp_ratio[stage]), "gelu"),
            drop_path=drop_path,
            dropout=dropout,
        )


class CvtStage(nn.Module):
    """Overlapping patches, where wanted a class token, and layers of one width."""

    hub_names: HubNames = {
        "patches": "embedding.convolution_embeddings.projection",
        "norm": "embedding.convolution_embeddings.normalization",
    }
    cls_token: nn.Parameter | None

    def __init__(self, config: CvtConfig, stage: int) -> None:
        super().__init__()
        width = config.embed_dim[stage]
        before = config.embed_dim[stage - 1] if stage else config.num_channels
        self.patches = nn.Conv2d(
            before,
            width,
            config.patch_sizes[stage],
            config.patch_stride[stage],
            config.patch_padding[stage],
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.drop_rate[stage])
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if config.cls_token[stage] else None
        rates = drop_rates(config.drop_path_rate[stage], config.depth[stage])
        self.layers = nn.ModuleList(CvtLayer(config, stage, rate) for rate in rates)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(batch, channels, h, w) to a smaller map and the class token's state (batch, 1, width)."""
        x = self.patches(x)
        grid = (x.shape[2], x.shape[3])
        hidden = self.dropout(self.norm(x.flatten(2).transpose(1, 2)))
        special = 0
        if self.cls_token is not None:
            special = 1
            hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        context = AttentionContext(hidden)
        for layer in self.layers:
            hidden = layer(hidden, context, grid=grid)
        x = hidden[:, special:].transpose(1, 2).unflatten(2, grid)
        return x, hidden[:, :1] if special else None


class CvtModel(CvtPreTrainedModel):
    """Stages, the maps after each of which are recorded."""

    hub_names: HubNames = {"stages": "encoder.stages"}

    def __init__(self, config: CvtConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.stages = nn.ModuleList(CvtStage(config, i) for i in range(len(config.depth)))
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithCLSToken:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and the class token."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x, special = pixel_values, None
        for stage in self.stages:
            x, special = stage(x)
            record(HIDDEN_STATES, x)
        return BaseModelOutputWithCLSToken(last_hidden_state=x, cls_token_value=special)


class CvtForImageClassification(ForImageClassification, CvtPreTrainedModel):
    """CvT with a norm and a classifier, on the class token or the mean over all cells."""

    base_class = CvtModel
    output_class = ImageClassifierOutputWithNoAttention
    head_names = {"norm": "layernorm"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.norm = nn.LayerNorm(config.embed_dim[-1])
        super().build_head(config)

    def features_width(self, config: PretrainedConfig) -> int:
        return config.embed_dim[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        if outputs.cls_token_value is not None:
            return self.norm(outputs.cls_token_value)[:, 0]
        return self.norm(outputs.last_hidden_state.flatten(2).transpose(1, 2)).mean(1)
