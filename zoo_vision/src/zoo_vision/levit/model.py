"""LeViT: convolutions make patches, then stages of attention whose maps shrink in between."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForDistilledImageClassification, ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
    ModelOutput,
)
from zoo_core.nn.drop_path import DropPath
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_vision.levit.config import LevitConfig
from zoo_vision.nn.compact_attention import CompactAttention, LinearFactory
from zoo_vision.nn.conv import ConvNorm


class LevitPreTrainedModel(PreTrainedModel):
    """What all LeViT classes share."""

    config_class = LevitConfig
    base_model_prefix = "levit"
    main_input_name = "pixel_values"
    ignored_names = ("*attention_bias_idxs",)


class LinearNorm(nn.Module):
    """A linear map without bias, then batch norm over all tokens."""

    def __init__(self, size: int, out_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(size, out_size, bias=False)
        self.batch_norm = nn.BatchNorm1d(out_size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, size) to (batch, tokens, out_size)."""
        return self.batch_norm(self.linear(x).flatten(0, 1)).view(*x.shape[:2], -1)


class NormLinear(nn.Module):
    """Batch norm, then a linear map."""

    def __init__(self, size: int, out_size: int) -> None:
        super().__init__()
        self.batch_norm = nn.BatchNorm1d(size)
        self.linear = nn.Linear(size, out_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.batch_norm(x))


class LevitPatches(nn.Sequential):
    """Four convolutions, each of which halves the map."""

    hub_names: HubNames = {
        **{f"{i}.convolution": f"embedding_layer_{i + 1}.convolution" for i in range(4)},
        **{f"{i}.normalization": f"embedding_layer_{i + 1}.batch_norm" for i in range(4)},
    }

    def __init__(self, config: LevitConfig) -> None:
        last = config.hidden_sizes[0]
        widths = [config.num_channels, last // 8, last // 4, last // 2, last]
        super().__init__(
            *(
                ConvNorm(
                    before,
                    after,
                    config.kernel_size,
                    stride=config.stride,
                    padding=config.padding,
                    act=None if after is last else F.hardswish,
                )
                for before, after in pairwise(widths)
            )
        )


class LevitMLP(nn.Module):
    """A feed-forward block with batch norms."""

    hub_names: HubNames = {"fc1": "linear_up", "fc2": "linear_down"}

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = LinearNorm(size, inner), LinearNorm(inner, size)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.hardswish(self.fc1(x)))


class LevitAttention(CompactAttention):
    """Attention among the cells of a map."""

    hub_names: HubNames = {"qkv": "queries_keys_values", "o_proj": "projection", "distance_bias": ""}

    def __init__(
        self, side: int, widths: tuple[int, int], heads: int, key_dim: int, ratio: int, stride: int = 1
    ) -> None:
        super().__init__(
            widths,
            heads,
            key_dim=key_dim,
            value_dim=ratio * key_dim,
            grid=(side, side),
            stride=stride,
            linear=LinearNorm,
            act=F.hardswish,
        )


class Shrink(LevitAttention):
    """Attention of every second cell, in rows and columns, to all."""

    def make_projections(self, size: int, linear: LinearFactory) -> None:
        key_dim, _, value_dim = self.dims
        self.queries = linear(size, self.num_heads * key_dim)
        self.keys_values = linear(size, self.num_heads * (key_dim + value_dim))

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        kept = hidden.unflatten(1, self.grid)[:, ::2, ::2].flatten(1, 2)
        key, value = self.split(self.keys_values(hidden)).split(self.dims[1:], dim=-1)
        return self.split(self.queries(kept)), key, value


class Branch(nn.Module):
    """x + module(x), with stochastic depth."""

    def __init__(self, module: nn.Module, drop_path: float) -> None:
        super().__init__()
        self.module, self.drop_path = module, DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop_path(self.module(x))


class LevitStage(nn.Module):
    """Attention and feed-forward blocks in turn; unless it is the last, attention that shrinks the map."""

    def __init__(self, config: LevitConfig, index: int, side: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*self._layers(config, index, side))

    @staticmethod
    def _layers(config: LevitConfig, index: int, side: int) -> Iterator[nn.Module]:
        size, key_dim, drop = config.hidden_sizes[index], config.key_dim[index], config.drop_path_rate
        heads, ratio = config.num_attention_heads[index], config.attention_ratio[index]
        for _ in range(config.depths[index]):
            yield Branch(LevitAttention(side, (size, size), heads, key_dim, ratio), drop)
            if config.mlp_ratio[index] > 0:
                yield Branch(LevitMLP(size, size * config.mlp_ratio[index]), drop)
        if index + 1 < len(config.depths):
            after = config.hidden_sizes[index + 1]
            yield Shrink(side, (size, after), size // key_dim, key_dim, 4, stride=2)
            yield Branch(LevitMLP(after, after * 2), drop)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layers(hidden)


class LevitModel(LevitPreTrainedModel):
    """Patches and stages; `pooler_output` is the mean over all cells."""

    hub_names: HubNames = {"patches": "patch_embeddings", "stages": "encoder.stages"}

    def __init__(self, config: LevitConfig) -> None:
        super().__init__(config)
        self.patches = LevitPatches(config)
        side = config.image_size // config.patch_size
        self.stages = nn.ModuleList()
        for index in range(len(config.depths)):
            self.stages.append(LevitStage(config, index, side))
            side = (side + 1) // 2
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to states (batch, cells, hidden) and pooled (batch, hidden)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden = self.patches(pixel_values).flatten(2).transpose(1, 2)
        hidden = run_layers(self.stages, hidden)
        return BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=hidden, pooler_output=hidden.mean(1)
        )


class LevitForImageClassification(ForImageClassification, LevitPreTrainedModel):
    """LeViT with a classifier on the mean over all cells."""

    base_class = LevitModel
    output_class = ImageClassifierOutputWithNoAttention

    def make_classifier(self, config: PretrainedConfig) -> nn.Module:
        return NormLinear(config.hidden_sizes[-1], config.num_labels) if config.num_labels else nn.Identity()

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.pooler_output


class LevitForImageClassificationWithTeacher(ForDistilledImageClassification, LevitForImageClassification):
    """LeViT with two classifiers, one of which has followed a teacher; for inference only."""

    head_names = {"distillation_classifier": "classifier_distill"}
