"""The image encoder of Segment Anything: a ViT with windows and decomposed relative positions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.axis_bias import AxisBiasAttention
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.nn.windows import merge, partition
from zoo_vision.sam.config import SamVisionConfig


class SamVisionEncoderOutput(ModelOutput):
    """`last_hidden_state` (batch, channels, rows, columns); states (batch, rows, columns, hidden)."""

    image_embeds: Tensor | None = None
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class SamVisionLayer(nn.Module):
    """Attention in windows, or over the whole image where `window` is 0, and a feed-forward block."""

    hub_names: HubNames = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.qkv"),
        "self_attn": "attn",
        "self_attn.o_proj": "attn.proj",
        "input_layernorm": "layer_norm1",
        "post_attention_layernorm": "layer_norm2",
        "mlp.fc1": "mlp.lin1",
        "mlp.fc2": "mlp.lin2",
    }

    def __init__(self, config: SamVisionConfig, window: int) -> None:
        super().__init__()
        size, eps, side = config.hidden_size, config.layer_norm_eps, config.image_size // config.patch_size
        self.window = window
        self.self_attn = AxisBiasAttention(
            size,
            config.num_attention_heads,
            grid=(window or side,) * 2 if config.use_rel_pos else None,
            bias=config.qkv_bias,
            dropout=config.attention_dropout,
        )
        self.input_layernorm = nn.LayerNorm(size, eps=eps)
        self.post_attention_layernorm = nn.LayerNorm(size, eps=eps)
        self.mlp = MLP(size, config.mlp_dim or 4 * size, config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = x.shape[1:3]
        y = self.input_layernorm(x)
        if self.window:
            windows = partition(y, self.window).unflatten(1, (self.window, self.window))
            y = merge(self.self_attn.over(windows).flatten(1, 2), self.window, rows, columns)
        else:
            y = self.self_attn.over(y)
        x = x + y
        return x + self.mlp(self.post_attention_layernorm(x))


class SamVisionNeck(nn.Module):
    """Two convolutions, each normalised, to the channels of the decoder."""

    def __init__(self, config: SamVisionConfig) -> None:
        super().__init__()
        channels = config.output_channels
        self.conv1 = nn.Conv2d(config.hidden_size, channels, 1, bias=False)
        self.layer_norm1 = ChannelNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.layer_norm2 = ChannelNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer_norm2(self.conv2(self.layer_norm1(self.conv1(x.permute(0, 3, 1, 2)))))


class SamVisionEncoder(PreTrainedModel):
    """Patches, layers and the neck."""

    config_class = SamVisionConfig
    main_input_name = "pixel_values"
    hub_names: HubNames = {"projection": "patch_embed.projection"}

    def __init__(self, config: SamVisionConfig) -> None:
        super().__init__(config)
        patch, side = config.patch_size, config.image_size // config.patch_size
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, patch, patch)
        self.pos_embed = (
            nn.Parameter(torch.zeros(1, side, side, config.hidden_size)) if config.use_abs_pos else None
        )
        self.layers = nn.ModuleList(
            SamVisionLayer(config, 0 if i in config.global_attn_indexes else config.window_size)
            for i in range(config.num_hidden_layers)
        )
        self.neck = SamVisionNeck(config)
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> SamVisionEncoderOutput:
        """(batch, channels, image_size, image_size) to (batch, output_channels, rows, columns)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        side = self.config.image_size
        if tuple(pixel_values.shape[-2:]) != (side, side):
            raise ValueError(
                f"images are {tuple(pixel_values.shape[-2:])}, the model was trained on {(side, side)}; "
                "resize and pad them (the image processor does)"
            )
        x = self.projection(pixel_values).permute(0, 2, 3, 1)
        if self.pos_embed is not None:
            x = x + self.pos_embed
        record(HIDDEN_STATES, x)
        whole = []
        for layer in self.layers:
            x = layer(x)
            record(HIDDEN_STATES, x)
            if not layer.window:
                whole.append(x)
        return self.answer(self.neck(x), whole)

    def answer(self, embedding: Tensor, whole: list[Tensor]) -> SamVisionEncoderOutput:
        """The output; `whole` are the states after the layers that see the whole image."""
        return SamVisionEncoderOutput(last_hidden_state=embedding)


class SamVisionModel(PreTrainedModel):
    """The image encoder alone."""

    config_class = SamVisionConfig
    base_model_prefix = "sam"
    main_input_name = "pixel_values"
    encoder_class: type[SamVisionEncoder] = SamVisionEncoder

    def __init__(self, config: SamVisionConfig) -> None:
        super().__init__(config)
        self.vision_encoder = self.encoder_class(config)
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> SamVisionEncoderOutput:
        """See `SamVisionEncoder`."""
        return self.vision_encoder(pixel_values)
