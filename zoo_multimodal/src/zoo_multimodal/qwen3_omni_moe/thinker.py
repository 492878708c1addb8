"""The thinker of Qwen3-Omni: a Qwen3-VL with experts that hears too."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.whisper.model import WhisperLayer
from zoo_core.heads.language import with_balance
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, MoeModelOutputWithPast
from zoo_core.nn.activation import activation
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.qwen2_5_omni.thinker import HearingForConditionalGeneration, HearingModel
from zoo_multimodal.qwen2_5_omni.towers import PieceEncoder, halved
from zoo_multimodal.qwen3_omni_moe.config import (
    Qwen3OmniMoeAudioEncoderConfig,
    Qwen3OmniMoeTextConfig,
    Qwen3OmniMoeThinkerConfig,
    Qwen3OmniMoeVisionEncoderConfig,
)
from zoo_multimodal.qwen3_vl.model import DeepStackModel
from zoo_multimodal.qwen3_vl.vision import DepthMerger, Qwen3VLVisionModel
from zoo_multimodal.qwen3_vl_moe.model import (
    Qwen3VLMoeCausalLMOutputWithPast,
    Qwen3VLMoeModelOutputWithPast,
)
from zoo_text.qwen2_moe.model import SparseMoE, is_sparse
from zoo_text.qwen3_vl_text.model import DeepStackDecoder

PIECE = 100
"""Mel frames in a whole piece, whatever their number in the config; they make 13 features."""


class OmniMerger(DepthMerger):
    """Qwen3-VL's under other names."""

    hub_names = {"norm": "ln_q", "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.2"}


class Qwen3OmniMoeVisionEncoder(Qwen3VLVisionModel):
    """Patches to features, and the same of each kept layer."""

    config_class = Qwen3OmniMoeVisionEncoderConfig
    hub_names = {**Qwen3VLVisionModel.hub_names, "deepstack": "merger_list"}
    merger_class = OmniMerger


class Qwen3OmniMoeAudioEncoder(PieceEncoder):
    """A feature for about eight mel frames; three convolutions read the bands as rows of an image."""

    config_class = Qwen3OmniMoeAudioEncoderConfig

    def make_front(self, config: Any) -> None:
        width, bands = config.downsample_hidden_size, config.num_mel_bins
        conv = partial(nn.Conv2d, kernel_size=3, stride=2, padding=1)
        self.conv2d1, self.conv2d2, self.conv2d3 = conv(1, width), conv(width, width), conv(width, width)
        for _ in range(3):
            bands = (bands - 1) // 2 + 1
        self.conv_out = nn.Linear(width * bands, config.d_model, bias=False)

    def make_layer(self, config: Any, layer_idx: int) -> nn.Module:
        return WhisperLayer(config, layer_idx, key_bias=True)

    def make_projection(self, config: Any) -> None:
        self.proj1 = nn.Linear(config.d_model, config.d_model)
        self.act = activation(config.activation_function)
        self.proj2 = nn.Linear(config.d_model, config.output_dim)

    @staticmethod
    def lengths_of(feature_lens: Tensor) -> Tensor:
        """How many features sounds of so many mel frames have."""
        rest = halved(halved(halved(feature_lens % PIECE)))
        return rest + feature_lens // PIECE * 13

    def forward(
        self, input_features: Tensor, feature_lens: Tensor | None = None, aftercnn_lens: Tensor | None = None
    ) -> BaseModelOutput:
        """Mel frames (mels, frames of all sounds) to features (features of all sounds, output_dim).

        Args:
            feature_lens: (sounds,) mel frames of each; by default there is one sound.
            aftercnn_lens: (sounds,) features of each; follows from `feature_lens`.
        """
        config = self.config
        if feature_lens is None:
            feature_lens = torch.tensor([input_features.shape[1]])
        mels, lengths = self.pieces(input_features.to(self.conv_out.weight.dtype), feature_lens)
        parts = [self.front(part) for part in mels[:, None].split(config.conv_chunksize)]
        hidden = torch.cat(parts)
        hidden = hidden + self.embed_positions(None, 0, hidden)
        counts = self.lengths_of(lengths).to(hidden.device)
        frames = hidden[torch.arange(hidden.shape[1], device=hidden.device) < counts[:, None]]
        reach = hidden.shape[1] * (config.n_window_infer // (2 * config.n_window))
        sounds = frames.split(self.lengths_of(feature_lens).tolist())
        windows = [window for sound in sounds for window in sound.split(reach)]
        hidden = nn.utils.rnn.pad_sequence(windows, batch_first=True)
        sizes = torch.tensor([len(window) for window in windows], device=hidden.device)
        shown = torch.arange(hidden.shape[1], device=hidden.device) < sizes[:, None]
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden, shown))[shown]
        return BaseModelOutput(last_hidden_state=self.proj2(self.act(self.proj1(self.norm(hidden)))))

    def front(self, mels: Tensor) -> Tensor:
        """Pieces (pieces, 1, mels, frames) to frames (pieces, frames / 8, d_model)."""
        for conv in (self.conv2d1, self.conv2d2, self.conv2d3):
            mels = F.gelu(conv(mels))
        return self.conv_out(mels.permute(0, 3, 1, 2).flatten(2))


class Qwen3OmniMoeThinkerTextModel(DeepStackDecoder):
    """The thinker's language model without its head."""

    config_class = Qwen3OmniMoeTextConfig
    output_class = MoeModelOutputWithPast

    def make_mlp(self, config: Any, layer_idx: int) -> nn.Module:
        return SparseMoE(config) if is_sparse(config, layer_idx) else super().make_mlp(config, layer_idx)


class Qwen3OmniMoeThinkerPreTrainedModel(PreTrainedModel):
    """What the thinker's classes share."""

    config_class = Qwen3OmniMoeThinkerConfig


class Qwen3OmniMoeThinkerModel(Qwen3OmniMoeThinkerPreTrainedModel, HearingModel, DeepStackModel):
    """The thinker without its head."""

    hub_names = {"language_model": "model"}
    tower_class = Qwen3OmniMoeVisionEncoder
    ear_class = Qwen3OmniMoeAudioEncoder
    output_class = Qwen3VLMoeModelOutputWithPast
    whole_positions = False


class Qwen3OmniMoeThinkerForConditionalGeneration(
    Qwen3OmniMoeThinkerPreTrainedModel, HearingForConditionalGeneration
):
    """The thinker with the language model's head."""

    base_class = Qwen3OmniMoeThinkerModel
    base_model_prefix = "thinker"
    output_class = Qwen3VLMoeCausalLMOutputWithPast

    def forward(self, *args: Any, attention_mask: Tensor | None = None, **inputs: Any) -> Any:  # type: ignore[override]
        """As the base's; `output_router_logits` adds the load-balancing loss."""
        outputs = super().forward(*args, attention_mask=attention_mask, **inputs)
        return with_balance(outputs, self.config.get_text_config(), attention_mask)
