"""TimeSformer: a ViT over all frames, whose layers attend through time first and then within a frame."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT
from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.recording import unrecorded
from zoo_core.nn.stack import run_layers
from zoo_vision.timesformer.config import TimesformerConfig


class TimesformerPreTrainedModel(PreTrainedModel):
    """What all TimeSformer classes share."""

    config_class = TimesformerConfig
    base_model_prefix = "timesformer"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DividedLayer):  # at first nothing comes from other frames
            nn.init.zeros_(module.temporal_dense.weight)


class TimesformerEmbeddings(nn.Module):
    """A class token and the patches of all frames, with learned positions in space and in time."""

    time_embeddings: nn.Parameter | None

    def __init__(self, config: TimesformerConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        self.position_embeddings = nn.Parameter(torch.zeros(1, 1 + self.patch_embeddings.num_patches, size))
        timed = config.attention_type != "space_only"
        self.time_embeddings = nn.Parameter(torch.zeros(1, config.num_frames, size)) if timed else None
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, frames, channels, height, width) to (batch, 1 + patches x frames, hidden), place by place.

        Without positions in time, (batch x frames, 1 + patches, hidden).
        """
        batch, frames = pixel_values.shape[:2]
        hidden = self.patch_embeddings(pixel_values.flatten(0, 1), any_size=True)
        hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        hidden = self.dropout(hidden + self.positions(pixel_values, hidden.shape[1]))
        if self.time_embeddings is None:
            return hidden
        times = self.time_embeddings
        if times.shape[1] != frames:
            times = F.interpolate(times.transpose(1, 2), size=frames, mode="nearest").transpose(1, 2)
        first = hidden[:batch, :1]
        places = hidden[:, 1:].unflatten(0, (batch, frames)).transpose(1, 2)  # batch, patches, frames, hidden
        return torch.cat((first, self.dropout(places + times).flatten(1, 2)), dim=1)

    def positions(self, pixel_values: Tensor, tokens: int) -> Tensor:
        """The table, stretched to other images by repetition."""
        table = self.position_embeddings
        if table.shape[1] == tokens:
            return table
        rows, columns = self.patch_embeddings.patch_size
        grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
        image = table[:, 1:].transpose(1, 2).unflatten(2, self.patch_embeddings.grid)
        image = F.interpolate(image, size=grid, mode="nearest")
        return torch.cat((table[:, :1], image.flatten(2).transpose(1, 2)), dim=1)


def attention_names(name: str, prefix: str) -> HubNames:
    """Where files keep the projections of the attention called `name`."""
    return {
        tuple(f"{name}.{part}_proj" for part in "qkv"): Fused(f"{prefix}.attention.qkv"),
        f"{name}.o_proj": f"{prefix}.output.dense",
    }


class TimesformerLayer(ScaledPreNormLayer):
    """Attention among all patches, and a feed-forward block."""

    hub_names: HubNames = attention_names("self_attn", "attention") | {
        "input_layernorm": "layernorm_before",
        "post_attention_layernorm": "layernorm_after",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }

    def __init__(self, config: TimesformerConfig, drop_path: float) -> None:
        size = config.hidden_size
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=self.make_attention(config),
            mlp=MLP(size, config.intermediate_size, config.hidden_act),
            drop_path=drop_path,
            dropout=config.hidden_dropout_prob,
        )

    @staticmethod
    def make_attention(config: TimesformerConfig) -> Attention:
        return Attention(
            config.hidden_size,
            config.num_attention_heads,
            bias=config.qkv_bias,
            out_bias=True,
            dropout=config.attention_probs_dropout_prob,
        )

    def forward(self, hidden: Tensor, frames: int) -> Tensor:  # type: ignore[override]
        return super().forward(hidden, AttentionContext(hidden))


class DividedLayer(TimesformerLayer):
    """Attention through time at each place, attention within each frame, and a feed-forward block.

    The class token attends within every frame; what it learns there is averaged.
    """

    hub_names: HubNames = TimesformerLayer.hub_names | attention_names("temporal_attn", "temporal_attention")

    def __init__(self, config: TimesformerConfig, drop_path: float) -> None:
        super().__init__(config, drop_path)
        self.temporal_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.temporal_attn = self.make_attention(config)
        self.temporal_dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor, frames: int) -> Tensor:  # type: ignore[override]
        """(batch, 1 + patches x frames, hidden) to the same shape."""
        first, rest = hidden[:, :1], hidden[:, 1:]
        through = rest.unflatten(1, (-1, frames)).flatten(0, 1)  # batch x patches, frames, hidden
        with unrecorded():
            seen = self.temporal_attn(self.temporal_layernorm(through), AttentionContext(through))
        seen = self.temporal_dense(self.drop_path(self.dropout(seen)).view(rest.shape))
        rest = rest + seen

        within = rest.unflatten(1, (-1, frames)).transpose(1, 2)  # batch, frames, patches, hidden
        firsts = first[:, None].expand(-1, frames, -1, -1)
        joined = torch.cat((firsts, within), dim=2).flatten(0, 1)
        seen = self.self_attn(self.input_layernorm(joined), AttentionContext(joined))
        seen = self.drop_path(self.dropout(seen)).unflatten(0, (-1, frames))
        own, places = seen[:, :, 0].mean(1, keepdim=True), seen[:, :, 1:].transpose(1, 2).flatten(1, 2)
        hidden = torch.cat((first + own, rest + places), dim=1)
        branch = self.dropout(self.mlp(self.post_attention_layernorm(hidden)))
        return hidden + self.drop_path(branch)


class TimesformerModel(TimesformerPreTrainedModel):
    """Embeddings, layers and a final norm."""

    hub_names = VIT

    def __init__(self, config: TimesformerConfig) -> None:
        super().__init__(config)
        self.embeddings = TimesformerEmbeddings(config)
        layer = DividedLayer if config.attention_type == "divided_space_time" else TimesformerLayer
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(layer(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(batch, frames, channels, height, width) to states (batch, 1 + patches x frames, hidden).

        With `attention_type` "space_only" each frame has a row of its own, (batch x frames, 1 + patches,
        hidden), as released.
        """
        if pixel_values.dim() != 5:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}, but must be (batch, frames, channels, "
                "height, width)"
            )
        frames = pixel_values.shape[1]
        hidden = run_layers(self.layers, self.embeddings(pixel_values), frames=frames)
        return BaseModelOutput(last_hidden_state=self.norm(hidden))

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class TimesformerForVideoClassification(ForImageClassification, TimesformerPreTrainedModel):
    """TimeSformer with a classifier on the class token."""

    base_class = TimesformerModel
