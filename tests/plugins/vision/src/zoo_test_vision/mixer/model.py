"""MLP-Mixer: one MLP over the patches of each channel, one over the channels of each patch, in turn."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding
from zoo_test_vision.mixer.config import MixerConfig


class MixerPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = MixerConfig
    base_model_prefix = "mixer"
    main_input_name = "pixel_values"


class MixerLayer(nn.Module):
    """x + mlp(norm(x) across patches), then x + mlp(norm(x) across channels)."""

    hub_names = {"mlp_tokens": "token_mixing", "mlp_channels": "channel_mixing"}

    def __init__(self, config: MixerConfig, patches: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.norm_tokens, self.norm_channels = nn.LayerNorm(size), nn.LayerNorm(size)
        self.mlp_tokens = MLP(patches, config.tokens_mlp_dim, "gelu")
        self.mlp_channels = MLP(size, config.channels_mlp_dim, "gelu")

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = hidden + self.mlp_tokens(self.norm_tokens(hidden).transpose(1, 2)).transpose(1, 2)
        return hidden + self.mlp_channels(self.norm_channels(hidden))


class MixerModel(MixerPreTrainedModel):
    """Images (batch, channels, height, width) to patches (batch, patches, hidden)."""

    hub_names = {"patches": "stem"}

    def __init__(self, config: MixerConfig) -> None:
        super().__init__(config)
        self.patches = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, config.hidden_size
        )
        count = self.patches.num_patches
        self.layers = nn.ModuleList(MixerLayer(config, count) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        hidden = self.patches(pixel_values)
        for layer in self.layers:
            hidden = layer(hidden)
        return BaseModelOutput(last_hidden_state=self.norm(hidden))


class MixerForImageClassification(ForImageClassification, MixerPreTrainedModel):
    """The mean of the patches and a classifier on it."""

    base_class = MixerModel

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean(1)
