"""NAT: a hierarchical transformer whose cells attend to their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused, Reshaped
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken, wants
from zoo_vision.nat.config import NatConfig
from zoo_vision.nn.neighborhood import NeighborhoodAttention
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.swin.model import SwinImageClassifierOutput, SwinModelOutput


class NatPreTrainedModel(PreTrainedModel):
    """What all NAT classes share."""

    config_class = NatConfig
    base_model_prefix = "nat"
    main_input_name = "pixel_values"


class NatEmbeddings(nn.Module):
    """Two convolutions that each halve the image, and a norm."""

    hub_names: HubNames = {"convs": "patch_embeddings.projection"}

    def __init__(self, config: NatConfig) -> None:
        super().__init__()
        size = config.embed_dim
        self.convs = nn.Sequential(
            nn.Conv2d(config.num_channels, size // 2, 3, 2, 1), nn.Conv2d(size // 2, size, 3, 2, 1)
        )
        self.norm, self.dropout = nn.LayerNorm(size), nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, rows, columns, size)."""
        return self.dropout(self.norm(self.convs(pixel_values).permute(0, 2, 3, 1)))


class NatLayer(ScaledPreNormLayer):
    """Neighbourhood attention and a feed-forward block."""

    hub_names: HubNames = VIT_LAYER | {
        "self_attn": "attention.self",
        "self_attn.q_proj": "attention.self.query",
        "self_attn.k_proj": "attention.self.key",
        "self_attn.v_proj": "attention.self.value",
        ("layer_scale1.weight", "layer_scale2.weight"): Fused(Reshaped("layer_scale_parameters", (2, -1))),
    }

    def __init__(self, config: NatConfig, stage: int, dilation: int, drop_path: float) -> None:
        size, scale, dropout = (
            config.embed_dim * 2**stage,
            config.layer_scale_init_value,
            config.hidden_dropout_prob,
        )
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=NeighborhoodAttention(
                size,
                config.num_heads[stage],
                kernel=config.kernel_size,
                dilation=dilation,
                bias=config.qkv_bias,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(size, int(config.mlp_ratio * size), config.hidden_act, dropout=dropout),
            layer_scale=scale if scale > 0 else None,
            drop_path=drop_path,
        )
        if scale <= 0:
            self.hub_names = {k: v for k, v in type(self).hub_names.items() if isinstance(k, str)}


class NatDownsample(nn.Module):
    """A convolution that halves the map and doubles its width, and a norm."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.reduction = nn.Conv2d(size, 2 * size, 3, 2, 1, bias=False)
        self.norm = nn.LayerNorm(2 * size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, rows, columns, size) to (batch, rows / 2, columns / 2, 2 x size)."""
        return self.norm(self.reduction(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


class NatStage(nn.Module):
    """Layers of one size, and what makes the map smaller after them."""

    downsample: NatDownsample | None

    def __init__(self, config: NatConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            NatLayer(config, index, dilation, next(rates)) for dilation in config.dilations_of(index)
        )
        last = index == len(config.depths) - 1
        self.downsample = None if last else NatDownsample(config.embed_dim * 2**index)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, rows, columns, size) to the same shape; making it smaller is left to the caller."""
        for layer in self.layers:
            x = layer(x, None)
        return x


class NatModel(NatPreTrainedModel):
    """Embeddings, stages and a final norm; `pooler_output` is the mean over all cells.

    `before_downsampling` records each stage's states before its map becomes smaller, not after.
    """

    hub_names: HubNames = {"stages": "encoder.levels", "norm": "layernorm"}

    def __init__(
        self,
        config: NatConfig,
        add_pooling_layer: bool = True,
        *,
        add_norm: bool = True,
        before_downsampling: bool = False,
    ) -> None:
        super().__init__(config)
        self.add_pooling_layer, self.before_downsampling = add_pooling_layer, before_downsampling
        self.embeddings = NatEmbeddings(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(NatStage(config, i, rates) for i in range(len(config.depths)))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps) if add_norm else nn.Identity()
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> SwinModelOutput:
        """(batch, channels, height, width) to states (batch, rows, columns, hidden) and pooled."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x, maps = self.embeddings(pixel_values), []
        states = [x]
        for stage in self.stages:
            x = stage(x)
            smaller = x if stage.downsample is None else stage.downsample(x)
            states.append(x if self.before_downsampling else smaller)
            x = smaller
        for state in states:
            record(HIDDEN_STATES, state)
            if wants(HIDDEN_STATES):
                maps.append(state.permute(0, 3, 1, 2))
        x, weights = self.norm(x), taken(ATTENTIONS)
        return SwinModelOutput(
            last_hidden_state=x,
            pooler_output=x.mean((1, 2)) if self.add_pooling_layer else None,
            # as released, those of each stage's last layer
            attentions=tuple(weights[end - 1] for end in accumulate(self.config.depths)) if weights else None,
            reshaped_hidden_states=tuple(maps) or None,
        )

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.convs


class NatForImageClassification(ForImageClassification, NatPreTrainedModel):
    """NAT with a classifier on the mean over all cells."""

    base_class = NatModel
    output_class = SwinImageClassifierOutput

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.pooler_output


class NatBackbone(Backbone, NatPreTrainedModel):
    """NAT that returns the normalised maps of some stages."""

    base_class = NatModel
    base_options: dict[str, Any] = {
        "add_pooling_layer": False,
        "add_norm": False,
        "before_downsampling": True,
    }

    @property
    def num_features(self) -> list[int]:
        first = self.config.embed_dim
        return [first, *(first * 2**i for i in range(len(self.config.depths)))]

    def build_head(self, config: PretrainedConfig) -> None:
        pairs = zip(self.out_features, self.channels, strict=True)
        self.hidden_states_norms = nn.ModuleDict({n: ChannelNorm(width, 1e-5) for n, width in pairs})

    def states(self, outputs: ModelOutput) -> Sequence[Tensor]:
        maps: tuple[Tensor, ...] = outputs.reshaped_hidden_states
        return maps

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return self.hidden_states_norms[stage](state).contiguous()
