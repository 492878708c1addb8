"""What OmDet-Turbo makes of images and texts before it looks for one in the other."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.recording import ATTENTIONS, taken
from zoo_multimodal.omdet_turbo.config import OmDetTurboConfig
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.rt_detr.config import RTDetrConfig
from zoo_vision.rt_detr.encoder import HybridEncoder, ScaleConv
from zoo_vision.rt_detr.model import projection

PROJECTIONS = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "out_proj"}
"""Names of an attention's projections in files."""


class OmDetTurboVisionBackbone(nn.Module):
    """Maps of an image, where the config wants it normalised."""

    hub_names: HubNames = {"backbone": "vision_backbone"}

    def __init__(self, config: OmDetTurboConfig) -> None:
        super().__init__()
        self.backbone: Any = build_backbone(config)
        self.applies_norms = config.apply_layernorm_after_vision_backbone
        self.layer_norms = nn.ModuleList(
            ChannelNorm(width, config.layer_norm_eps) for width in config.encoder_in_channels
        )

    def forward(self, pixel_values: Tensor) -> list[Tensor]:
        """(batch, channels, height, width) to maps (batch, width, rows, columns), the finest first."""
        maps = self.backbone(pixel_values, output_hidden_states=False, output_attentions=False).feature_maps
        if not self.applies_norms:
            return list(maps)
        return [norm(x).contiguous() for norm, x in zip(self.layer_norms, maps, strict=True)]


class OmDetTurboEncoderOutput(ModelOutput):
    """Maps (batch, hidden, rows, columns), and the coarsest of them; weights of each map's own layers."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None
    extracted_states: tuple[Tensor, ...]


def scale_config(config: OmDetTurboConfig) -> RTDetrConfig:
    """The same sizes and switches in RT-DETR's words."""
    return RTDetrConfig(
        encoder_hidden_dim=config.d_model,
        encoder_in_channels=config.encoder_in_channels,
        encode_proj_layers=config.encoder_projection_indices,
        encoder_layers=config.encoder_layers,
        encoder_ffn_dim=config.encoder_dim_feedforward,
        encoder_attention_heads=config.encoder_attention_heads,
        encoder_activation_function=config.encoder_feedforward_activation,
        activation_function=config.csp_activation,
        scale_activation_function=config.conv_norm_activation,
        dropout=config.encoder_dropout,
        activation_dropout=config.encoder_feedforward_dropout,
        hidden_expansion=config.hidden_expansion,
        positional_encoding_temperature=config.positional_encoding_temperature,
        layer_norm_eps=config.layer_norm_eps,
        batch_norm_eps=config.batch_norm_eps,
        init_std=config.init_std,
    )


class OmDetTurboHybridEncoder(HybridEncoder):
    """RT-DETR's encoder, with the projections of the maps, and another activation between them."""

    hub_names: HubNames = {
        **HybridEncoder.hub_names,
        **{
            f"stacks.*.*.self_attn.{ours}": f"encoder.*.layers.*.self_attn.{theirs}"
            for ours, theirs in PROJECTIONS.items()
        },
    }

    def __init__(self, config: OmDetTurboConfig) -> None:
        super().__init__(scale_config(config))
        self.channel_projection_layers = nn.ModuleList(
            projection(width, config.d_model) for width in config.encoder_in_channels
        )

    def make_lateral(self, config: Any) -> nn.Module:
        return self._between(config, 1)

    def make_downsample(self, config: Any) -> nn.Module:
        return self._between(config, 3, stride=2)

    @staticmethod
    def _between(config: Any, kernel: int, stride: int = 1) -> nn.Module:
        size, act = config.encoder_hidden_dim, config.scale_activation_function
        return ScaleConv(config, size, size, kernel, stride=stride, act=act)

    def forward(self, maps: list[Tensor]) -> OmDetTurboEncoderOutput:  # type: ignore[override]
        """Maps of the backbone to as many of one width."""
        pairs = zip(self.channel_projection_layers, maps, strict=True)
        encoded = super().forward([project(x) for project, x in pairs])
        fused: Any = encoded.last_hidden_state
        found, depth = taken(ATTENTIONS), self.config.encoder_layers
        return OmDetTurboEncoderOutput(
            last_hidden_state=fused[-1],
            attentions=tuple(tuple(found[i : i + depth]) for i in range(0, len(found), depth or 1)) or None,
            extracted_states=tuple(fused),
        )
