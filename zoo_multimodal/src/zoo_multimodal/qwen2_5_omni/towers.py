"""What Qwen2.5-Omni sees and hears with: the image tower of Qwen2.5-VL, and a Whisper over short pieces."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.whisper.model import WhisperLayer
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.sinusoid import ComputedSinusoids
from zoo_core.nn.stack import run_layers
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniAudioEncoderConfig, Qwen2_5OmniVisionEncoderConfig
from zoo_multimodal.qwen2_5_vl.model import Qwen2_5_VisionTransformerPretrainedModel
from zoo_multimodal.qwen2_vl.vision import VisionLayer


class SplitVisionLayer(VisionLayer):
    """A layer whose files keep queries, keys and values apart."""

    hub_names = {
        "self_attn": "attn",
        "self_attn.q_proj": "attn.q",
        "self_attn.k_proj": "attn.k",
        "self_attn.v_proj": "attn.v",
        "self_attn.o_proj": "attn.proj",
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
    }


class Qwen2_5OmniVisionEncoder(Qwen2_5_VisionTransformerPretrainedModel):
    """Patches to features."""

    config_class = Qwen2_5OmniVisionEncoderConfig
    layer_class = SplitVisionLayer


def halved(lengths: Tensor) -> Tensor:
    """Frames that a convolution of step 2 leaves of so many."""
    return (lengths - 1) // 2 + 1


class PieceEncoder(PreTrainedModel):
    """Mel frames of sounds to features: each sound is cut into pieces that are read by themselves."""

    main_input_name = "input_features"
    hub_names: dict[str, str] = {"norm": "ln_post"}

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.make_front(config)
        self.embed_positions = ComputedSinusoids(
            config.max_source_positions, config.d_model, spread=config.d_model // 2 - 1
        )
        self.layers = nn.ModuleList(self.make_layer(config, i) for i in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.make_projection(config)
        self.post_init()

    def make_front(self, config: Any) -> None:
        """Create what `front` uses."""
        raise NotImplementedError

    def make_layer(self, config: Any, layer_idx: int) -> nn.Module:
        """Layer number `layer_idx`."""
        return WhisperLayer(config, layer_idx)

    def make_projection(self, config: Any) -> None:
        """Create what `finish` uses."""
        raise NotImplementedError

    def pieces(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Pieces (pieces, mels, frames) of all sounds, filled up with zeros, and their lengths."""
        size = 2 * self.config.n_window
        counts = [
            [size] * (length // size) + [length % size] * (length % size > 0) for length in lengths.tolist()
        ]
        flat = [length for one in counts for length in one]
        cut = [piece.t() for piece in features.split(flat, dim=1)]
        return nn.utils.rnn.pad_sequence(cut, batch_first=True).transpose(1, 2), torch.tensor(flat)

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes mel frames, not tokens")


class Qwen2_5OmniAudioEncoder(PieceEncoder):
    """A feature for four mel frames; pieces do not see each other."""

    config_class = Qwen2_5OmniAudioEncoderConfig

    def make_front(self, config: Any) -> None:
        self.conv1 = nn.Conv1d(config.num_mel_bins, config.d_model, 3, padding=1)
        self.conv2 = nn.Conv1d(config.d_model, config.d_model, 3, stride=2, padding=1)

    def make_projection(self, config: Any) -> None:
        self.audio_bos_eos_token = nn.Embedding(2, config.output_dim)
        self.proj = nn.Linear(config.d_model, config.output_dim)

    @staticmethod
    def lengths_of(feature_lens: Tensor) -> Tensor:
        """How many features sounds of so many mel frames have."""
        return (halved(feature_lens) - 2) // 2 + 1

    def forward(
        self, input_features: Tensor, feature_lens: Tensor | None = None, aftercnn_lens: Tensor | None = None
    ) -> BaseModelOutput:
        """Mel frames (mels, frames of all sounds) to features (features of all sounds, output_dim).

        Args:
            feature_lens: (sounds,) mel frames of each; by default there is one sound.
            aftercnn_lens: what the convolution leaves of them; follows from the others.
        """
        if feature_lens is None:
            feature_lens = torch.tensor([input_features.shape[1]])
        mels, lengths = self.pieces(input_features.to(self.conv1.weight.dtype), feature_lens)
        lengths = lengths.to(mels.device)
        shown = torch.arange(mels.shape[2], device=mels.device) < lengths[:, None]
        hidden = F.gelu(self.conv1(mels)) * shown[:, None]
        hidden = F.gelu(self.conv2(hidden)).transpose(1, 2)
        hidden = hidden + self.embed_positions(None, 0, hidden)
        shown = torch.arange(hidden.shape[1], device=mels.device) < halved(lengths)[:, None]
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden, shown))
        sounds = hidden[shown].split(halved(feature_lens).tolist())
        pooled = [F.avg_pool1d(sound.t()[None], 2)[0].t() for sound in sounds]
        return BaseModelOutput(last_hidden_state=self.proj(self.norm(torch.cat(pooled))))
