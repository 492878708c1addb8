"""TVLT: one ViT over the frames of a video and the spectrogram of its sound, without text."""

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
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput, SequenceClassifierOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_multimodal.tvlt.config import TvltConfig
from zoo_text.bert.model import Pooler


class TvltModelOutput(ModelOutput):
    """States of all tokens, of the pixels' and of the sound's; and what was hidden, where asked for.

    `*_label_masks` (batch, patches) are 1 for hidden patches, `*_ids_restore` put patches in order again.
    """

    last_hidden_state: Tensor
    last_pixel_hidden_state: Tensor | None = None
    last_audio_hidden_state: Tensor | None = None
    pixel_label_masks: Tensor | None = None
    audio_label_masks: Tensor | None = None
    pixel_ids_restore: Tensor | None = None
    audio_ids_restore: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TvltForPreTrainingOutput(ModelOutput):
    """Whether sound and frames belong together, and in training the painted patches of both."""

    loss: Tensor | None = None
    matching_logits: Tensor | None = None
    pixel_logits: Tensor | None = None
    audio_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TvltPreTrainedModel(PreTrainedModel):
    """What all TVLT classes share."""

    config_class = TvltConfig
    base_model_prefix = "tvlt"
    main_input_name = "pixel_values"


def places(whole: Tensor, part: Tensor) -> Tensor:
    """(1, a x b, size): positions of `a` slices of `b` patches, from those of slices and within one."""
    return (whole[:, :, None] + part[:, None]).flatten(1, 2)


class _Projection(nn.Module):
    def __init__(self, channels: int, size: int, patch: list[int]) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, size, tuple(patch), tuple(patch))  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return self.projection(x).flatten(2).transpose(1, 2)


class TvltPixelEmbeddings(nn.Module):
    """Patches of all frames, with positions in the frame and in time."""

    def __init__(self, config: TvltConfig) -> None:
        super().__init__()
        size, patch = config.hidden_size, config.image_patch_size
        count = (config.image_size // patch[0]) * (config.image_size // patch[1])
        self.patch_embeddings = _Projection(config.num_image_channels, size, patch)
        self.type_embed_v = nn.Parameter(torch.zeros(1, 1, size))
        self.temporal_embed = nn.Parameter(torch.zeros(1, config.num_frames, size))
        self.pos_embed_v = nn.Parameter(torch.zeros(1, count, size))

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, frames, channels, height, width) to (batch, frames x patches, size)."""
        frames = pixel_values.shape[1]
        if frames > self.temporal_embed.shape[1]:
            raise ValueError(f"{frames} frames, but there are positions for {self.temporal_embed.shape[1]}")
        hidden = self.patch_embeddings(pixel_values.flatten(0, 1)).unflatten(0, (-1, frames)).flatten(1, 2)
        return hidden + places(self.temporal_embed[:, :frames], self.pos_embed_v) + self.type_embed_v


class TvltAudioEmbeddings(nn.Module):
    """Patches of a spectrogram, with positions in time and in frequency."""

    def __init__(self, config: TvltConfig) -> None:
        super().__init__()
        size, patch = config.hidden_size, config.audio_patch_size
        steps, bands = config.spectrogram_length // patch[0], config.frequency_length // patch[1]
        self.patch_embeddings = _Projection(config.num_audio_channels, size, patch)
        self.type_embed_a = nn.Parameter(torch.zeros(1, 1, size))
        self.pos_embed_a = nn.Parameter(torch.zeros(1, steps, size))
        self.freq_embed = nn.Parameter(torch.zeros(1, bands, size))

    def forward(self, audio_values: Tensor) -> Tensor:
        """(batch, channels, time, frequency) to (batch, steps x bands, size)."""
        hidden = self.patch_embeddings(audio_values)
        steps = hidden.shape[1] // self.freq_embed.shape[1]
        if steps > self.pos_embed_a.shape[1]:
            raise ValueError(
                f"{steps} steps of sound, but there are positions for {self.pos_embed_a.shape[1]}"
            )
        return hidden + places(self.pos_embed_a[:, :steps], self.freq_embed) + self.type_embed_a


class TvltLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = VIT_LAYER

    def __init__(self, config: TvltConfig, size: int, heads: int, inner: int) -> None:
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size, heads, bias=config.qkv_bias, out_bias=True, dropout=config.attention_probs_dropout_prob
            ),
            mlp=MLP(size, inner, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


def hide(hidden: Tensor, mask: Tensor | None, noise: Tensor, ratio: float) -> tuple[Tensor, ...]:
    """Keep the patches of least noise: them, their mask, which were hidden, and what restores the order."""
    order = noise.argsort(1)
    restore, kept = order.argsort(1), order[:, : int(hidden.shape[1] * (1 - ratio))]
    hidden_ones = torch.ones_like(noise).scatter(1, kept, 0.0)
    if mask is not None:
        hidden_ones, mask = hidden_ones * mask, mask.gather(1, kept)
    left = hidden.gather(1, kept[..., None].expand(-1, -1, hidden.shape[-1]))
    return left, left.new_ones(kept.shape) if mask is None else mask, hidden_ones, restore


class TvltModel(TvltPreTrainedModel):
    """A class token, the frames' patches and the sound's, layers, and unless the mean is pooled a norm."""

    hub_names = VIT

    def __init__(self, config: TvltConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.pixel_embeddings, self.audio_embeddings = (
            TvltPixelEmbeddings(config),
            TvltAudioEmbeddings(config),
        )
        self.layers = nn.ModuleList(
            TvltLayer(config, size, config.num_attention_heads, config.intermediate_size)
            for _ in range(config.num_hidden_layers)
        )
        self.cls_embedding = nn.Parameter(torch.zeros(1, 1, size))
        pooled = config.use_mean_pooling
        self.norm = nn.Identity() if pooled else nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        audio_values: Tensor,
        pixel_mask: Tensor | None = None,
        audio_mask: Tensor | None = None,
        mask_pixel: bool = False,
        mask_audio: bool = False,
    ) -> TvltModelOutput:
        """Frames (batch, frames, 3, height, width) and a spectrogram (batch, 1, time, frequency) to states.

        Args:
            pixel_mask, audio_mask: (batch, patches), 0 for padding; given both or neither.
            mask_pixel, mask_audio: hide patches at random, see `TvltModelOutput`.
        """
        pixels, audio = self.pixel_embeddings(pixel_values), self.audio_embeddings(audio_values)
        hidden_parts: dict[str, Tensor] = {}
        if mask_pixel:
            noise = torch.rand(pixels.shape[:2], device=pixels.device)
            ratio = self.config.pixel_mask_ratio
            pixels, pixel_mask, labels, restore = hide(pixels, pixel_mask, noise, ratio)
            hidden_parts |= {"pixel_label_masks": labels, "pixel_ids_restore": restore}
        if mask_audio:
            bands = self.audio_embeddings.freq_embed.shape[1]
            shape = audio.shape[:2]
            whole = self.config.audio_mask_type == "frame-level"
            noise = torch.rand(shape[0], shape[1] // bands if whole else shape[1], device=audio.device)
            noise = noise.repeat_interleave(bands, 1) if whole else noise
            audio, audio_mask, labels, restore = hide(audio, audio_mask, noise, self.config.audio_mask_ratio)
            hidden_parts |= {"audio_label_masks": labels, "audio_ids_restore": restore}
        first = self.cls_embedding.expand(len(pixels), -1, -1)
        hidden = torch.cat((first, pixels, audio), dim=1)
        bias = None
        if pixel_mask is not None and audio_mask is not None:
            mask = torch.cat((pixel_mask[:, :1], pixel_mask, audio_mask), dim=1).to(hidden.dtype)
            bias = (1.0 - mask)[:, None, None] * torch.finfo(hidden.dtype).min
        hidden = self.norm(run_layers(self.layers, hidden, AttentionContext(hidden, bias)))
        end = 1 + pixels.shape[1]
        return TvltModelOutput(
            last_hidden_state=hidden,
            last_pixel_hidden_state=hidden[:, 1:end],
            last_audio_hidden_state=hidden[:, end:],
            **hidden_parts,
        )


class TvltDecoder(nn.Module):
    """Layers and a norm."""

    hub_names: HubNames = {"layers": "decoder_layers", "norm": "layernorm"}

    def __init__(self, config: TvltConfig) -> None:
        super().__init__()
        size = config.decoder_hidden_size
        self.layers = nn.ModuleList(
            TvltLayer(config, size, config.decoder_num_attention_heads, config.decoder_intermediate_size)
            for _ in range(config.decoder_num_hidden_layers)
        )
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        context = AttentionContext(hidden)
        for layer in self.layers:
            hidden = layer(hidden, context)
        return self.norm(hidden)


class MatchingHead(nn.Module):
    """One score from the pooled class token."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.pooler, self.fc = Pooler(size), nn.Linear(size, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.fc(self.pooler(hidden))


def patches_of(x: Tensor, patch: list[int]) -> Tensor:
    """(batch, slices, channels, height, width) to (batch, slices x patches, values of a patch)."""
    x = x.unflatten(4, (-1, patch[1])).unflatten(3, (-1, patch[0]))  # ..., row, y, column, x
    return x.permute(0, 1, 3, 5, 4, 6, 2).flatten(4).flatten(1, 3)


class TvltForPreTraining(Headed, TvltPreTrainedModel):
    """TVLT that tells whether sound and frames belong together, and paints hidden patches in training."""

    base_class = TvltModel
    head_names = {"pixel_mae_head": "pixel_mae_head.decoder", "audio_mae_head": "audio_mae_head.decoder"}

    def build_head(self, config: PretrainedConfig) -> None:
        size, model = config.decoder_hidden_size, self.model
        if config.task_matching:
            self.matching_head = MatchingHead(config.hidden_size)
        if not config.task_mae:
            return
        self.encoder_to_decoder = nn.Linear(config.hidden_size, size)
        pixels, audio = model.pixel_embeddings, model.audio_embeddings
        for name, rows in (
            ("pixel_mask_token", 1),
            ("audio_mask_token", 1),
            ("decoder_pixel_type_embed", 1),
            ("decoder_audio_type_embed", 1),
            ("decoder_temporal_embed", config.num_frames),
            ("decoder_pixel_pos_embed", pixels.pos_embed_v.shape[1]),
            ("decoder_audio_pos_embed", audio.pos_embed_a.shape[1]),
            ("decoder_freq_embed", audio.freq_embed.shape[1]),
        ):
            self.register_parameter(name, nn.Parameter(torch.zeros(1, rows, size)))
        self.decoder = TvltDecoder(config)  # type: ignore[arg-type]
        for name in ("pixel", "audio"):
            kind = "image" if name == "pixel" else "audio"
            rows, columns = getattr(config, f"{kind}_patch_size")
            values = rows * columns * getattr(config, f"num_{kind}_channels")
            self.add_module(f"{name}_mae_head", nn.Linear(size, values))

    def restored(self, seen: Tensor, token: Tensor, order: Tensor) -> Tensor:
        """Seen patches (batch, kept, hidden) in the decoder's width, in order, with `token` for the rest."""
        seen = self.encoder_to_decoder(seen)
        rest = token.expand(len(seen), order.shape[1] - seen.shape[1], -1)
        return torch.cat((seen, rest), dim=1).gather(1, order[..., None].expand(-1, -1, seen.shape[-1]))

    def paint(
        self, pixel_values: Tensor, audio_values: Tensor, pixel_mask: Tensor | None, audio_mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The loss of hidden patches, and what is painted for all patches of frames and of sound."""
        config = self.config
        out = self.model(pixel_values, audio_values, pixel_mask, audio_mask, mask_pixel=True, mask_audio=True)
        frames, bands = pixel_values.shape[1], self.decoder_freq_embed.shape[1]
        pixels = self.restored(out.last_pixel_hidden_state, self.pixel_mask_token, out.pixel_ids_restore)
        pixels = pixels + places(self.decoder_temporal_embed[:, :frames], self.decoder_pixel_pos_embed)
        audio = self.restored(out.last_audio_hidden_state, self.audio_mask_token, out.audio_ids_restore)
        steps = audio.shape[1] // bands
        audio = audio + places(self.decoder_audio_pos_embed[:, :steps], self.decoder_freq_embed)
        pixel_logits = self.pixel_mae_head(self.decoder(pixels + self.decoder_pixel_type_embed))
        audio_logits = self.audio_mae_head(self.decoder(audio + self.decoder_audio_type_embed))
        targets = (
            patches_of(pixel_values, config.image_patch_size),
            patches_of(audio_values[:, None], config.audio_patch_size),
        )
        loss = pixel_logits.new_zeros(())
        for painted, target, hidden in zip(
            (pixel_logits, audio_logits), targets, (out.pixel_label_masks, out.audio_label_masks), strict=True
        ):
            error = (painted - target).square().mean(-1)
            loss = loss + (error * hidden).sum() / hidden.sum()
        return loss, pixel_logits, audio_logits

    def forward(
        self,
        pixel_values: Tensor,
        audio_values: Tensor,
        pixel_mask: Tensor | None = None,
        audio_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        pixel_values_mixed: Tensor | None = None,
        pixel_mask_mixed: Tensor | None = None,
    ) -> TvltForPreTrainingOutput:
        """Scores (batch, 1) that the sound belongs to `pixel_values_mixed`, of which `labels` are the truth.

        In training, patches of `pixel_values` and of the sound are hidden and painted.
        """
        config = self.config
        output = TvltForPreTrainingOutput()
        loss: Tensor | None = None
        if config.task_matching:
            if labels is None or pixel_values_mixed is None:
                raise ValueError("matching needs labels and pixel_values_mixed (task_matching is true)")
            outputs = self.model(pixel_values_mixed, audio_values, pixel_mask_mixed, audio_mask)
            logits = self.matching_head(outputs.last_hidden_state)
            loss = F.binary_cross_entropy_with_logits(logits.view(-1), labels.view(-1).to(logits.dtype))
            output = TvltForPreTrainingOutput.carry(outputs, loss=loss, matching_logits=logits)
        if config.task_mae and self.training:
            painted, pixel_logits, audio_logits = self.paint(
                pixel_values, audio_values, pixel_mask, audio_mask
            )
            output["loss"] = painted if loss is None else loss + painted
            output["pixel_logits"], output["audio_logits"] = pixel_logits, audio_logits
        return output


class TvltForAudioVisualClassification(Headed, TvltPreTrainedModel):
    """TVLT with a classifier on the class token."""

    base_class = TvltModel

    def build_head(self, config: PretrainedConfig) -> None:
        size = config.hidden_size
        self.classifier = nn.Sequential(
            nn.Linear(size, 2 * size),
            nn.LayerNorm(2 * size, eps=config.layer_norm_eps),
            nn.GELU(),
            nn.Linear(2 * size, config.num_labels),
        )

    def forward(
        self,
        pixel_values: Tensor,
        audio_values: Tensor,
        *args: Any,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> SequenceClassifierOutput:
        """Logits (batch, labels); `labels` (batch,) are classes, or values for `loss_type` "regression"."""
        outputs = self.model(pixel_values, audio_values, *args, **inputs)
        logits = self.classifier(outputs.last_hidden_state[:, 0])
        loss = None
        if labels is not None:
            regression = self.config.loss_type == "regression"
            loss = F.mse_loss(logits, labels) if regression else F.cross_entropy(logits, labels)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)
