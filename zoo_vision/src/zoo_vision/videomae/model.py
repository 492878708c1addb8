"""VideoMAE: a ViT over blocks of video, pre-trained to paint what is hidden from it."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT, VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import pair
from zoo_core.nn.stack import run_layers
from zoo_vision.nn.tubes import TubeEmbedding
from zoo_vision.videomae.config import VideoMAEConfig

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def interleaved_sinusoids(positions: int, size: int) -> Tensor:
    """(1, positions, size) float32: sine and cosine of each wavelength side by side."""
    places = torch.arange(positions, dtype=torch.float64)[:, None]
    powers = 2 * (torch.arange(size, dtype=torch.float64) // 2) / size
    angles = places / 10000.0**powers
    angles[:, 0::2], angles[:, 1::2] = angles[:, 0::2].sin(), angles[:, 1::2].cos()
    return angles.float()[None]


class VideoMAEForPreTrainingOutput(ModelOutput):
    """`logits` (batch, hidden patches, pixels of a patch)."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class VideoMAEPreTrainedModel(PreTrainedModel):
    """What all VideoMAE classes share."""

    config_class = VideoMAEConfig
    base_model_prefix = "videomae"
    main_input_name = "pixel_values"


class VideoMAEEmbeddings(nn.Module):
    """Blocks of video with sinusoidal positions; only those that are not hidden go on."""

    positions: Tensor

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        tube = (config.tubelet_size, *pair(config.patch_size))
        self.patch_embeddings = TubeEmbedding(
            config.num_frames, config.image_size, tube, config.num_channels, config.hidden_size
        )
        table = interleaved_sinusoids(self.patch_embeddings.num_patches, config.hidden_size)
        self.register_buffer("positions", table, persistent=False)

    def forward(self, pixel_values: Tensor, bool_masked_pos: Tensor | None) -> Tensor:
        hidden = self.patch_embeddings(pixel_values)
        hidden = hidden + self.positions.to(hidden)
        if bool_masked_pos is None:
            return hidden
        return hidden[~bool_masked_pos.bool()].view(len(hidden), -1, hidden.shape[-1])


class VideoMAELayer(PreNormLayer):
    """Self-attention whose keys have no bias, and a feed-forward block."""

    hub_names: HubNames = VIT_LAYER | {
        "self_attn.q_proj.bias": "attention.attention.q_bias",
        "self_attn.v_proj.bias": "attention.attention.v_bias",
    }

    def __init__(self, config: VideoMAEConfig, size: int, heads: int, inner: int) -> None:
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size,
                heads,
                bias=config.qkv_bias,
                key_bias=False,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(size, inner, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class VideoMAEModel(VideoMAEPreTrainedModel):
    """Embeddings, layers, and unless the head pools their mean a final norm."""

    hub_names = VIT

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embeddings = VideoMAEEmbeddings(config)
        self.layers = nn.ModuleList(
            VideoMAELayer(config, size, config.num_attention_heads, config.intermediate_size)
            for _ in range(config.num_hidden_layers)
        )
        self.norm = (
            nn.Identity() if config.use_mean_pooling else nn.LayerNorm(size, eps=config.layer_norm_eps)
        )
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        bool_masked_pos: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """(batch, frames, channels, height, width) to states (batch, patches, hidden).

        `bool_masked_pos` (batch, patches) hides as many patches in each video; they have no states.
        """
        hidden = self.embeddings(pixel_values, bool_masked_pos)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=self.norm(hidden))

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class VideoMAEDecoder(nn.Module):
    """Layers, a norm, and a layer that paints patches."""

    hub_names: HubNames = {"layers": "decoder_layers"}

    def __init__(self, config: VideoMAEConfig) -> None:
        super().__init__()
        size, heads = config.decoder_hidden_size, config.decoder_num_attention_heads
        self.layers = nn.ModuleList(
            VideoMAELayer(config, size, heads, config.decoder_intermediate_size)
            for _ in range(config.decoder_num_hidden_layers)
        )
        self.norm = nn.LayerNorm(size)
        rows, columns = pair(config.patch_size)
        self.head = nn.Linear(size, config.num_channels * config.tubelet_size * rows * columns)

    def forward(self, hidden: Tensor, count: int) -> Tensor:
        """(batch, patches, size) to the pixels (batch, count, pixels) of the last `count` patches."""
        context = AttentionContext(hidden)
        for layer in self.layers:
            hidden = layer(hidden, context)
        return self.head(self.norm(hidden[:, -count:]))


class VideoMAEForPreTraining(Headed, VideoMAEPreTrainedModel):
    """VideoMAE with the decoder that paints hidden patches."""

    base_class = VideoMAEModel
    positions: Tensor

    def build_head(self, config: PretrainedConfig) -> None:
        size = config.decoder_hidden_size
        self.encoder_to_decoder = nn.Linear(config.hidden_size, size, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size))
        count = self.model.embeddings.patch_embeddings.num_patches
        self.register_buffer("positions", interleaved_sinusoids(count, size), persistent=False)
        self.decoder = VideoMAEDecoder(config)

    def forward(
        self, pixel_values: Tensor, bool_masked_pos: Tensor, *, head_mask: Tensor | None = None
    ) -> VideoMAEForPreTrainingOutput:
        """`bool_masked_pos` (batch, patches) hides as many patches in each video; the loss is theirs."""
        outputs = self.model(pixel_values, bool_masked_pos, head_mask=head_mask)
        seen = self.encoder_to_decoder(outputs.last_hidden_state)
        batch, size, masked = len(seen), seen.shape[-1], bool_masked_pos.bool()
        positions = self.positions.to(seen).expand(batch, -1, -1)
        hidden_positions = positions[masked].view(batch, -1, size)
        joined = torch.cat(
            (seen + positions[~masked].view(batch, -1, size), self.mask_token + hidden_positions), dim=1
        )
        logits = self.decoder(joined, hidden_positions.shape[1])
        with torch.no_grad():
            target = self._patches(pixel_values)[masked].view(batch, -1, logits.shape[-1])
        return VideoMAEForPreTrainingOutput.carry(outputs, loss=F.mse_loss(logits, target), logits=logits)

    def _patches(self, video: Tensor) -> Tensor:
        """(batch, patches, pixels) of the video itself, each patch and channel normalised where wanted."""
        config = self.config
        if config.num_channels == 3:
            std, mean = (video.new_tensor(v)[:, None, None] for v in (IMAGENET_STD, IMAGENET_MEAN))
            video = video * std + mean
        elif not config.norm_pix_loss:
            raise ValueError("norm_pix_loss=False needs three channels, whose normalisation can be undone")
        frames, (rows, columns) = config.tubelet_size, pair(config.patch_size)
        blocks = video.unflatten(4, (-1, columns)).unflatten(3, (-1, rows)).unflatten(1, (-1, frames))
        # batch, time, frame, channel, row, y, column, x
        blocks = blocks.permute(0, 1, 4, 6, 2, 5, 7, 3).flatten(4, 6).flatten(1, 3)
        if config.norm_pix_loss:
            std, mean = torch.std_mean(blocks, dim=-2, keepdim=True)
            blocks = (blocks - mean) / (std + 1e-6)
        return blocks.flatten(2)


class VideoMAEForVideoClassification(ForImageClassification, VideoMAEPreTrainedModel):
    """VideoMAE with a classifier on the normalised mean of all states, or on the first."""

    base_class = VideoMAEModel

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.fc_norm = nn.LayerNorm(config.hidden_size) if config.use_mean_pooling else None

    def features(self, outputs: Any) -> Tensor:
        hidden: Tensor = outputs.last_hidden_state
        return hidden[:, 0] if self.fc_norm is None else self.fc_norm(hidden.mean(1))
