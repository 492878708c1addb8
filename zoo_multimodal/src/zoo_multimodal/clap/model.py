"""CLAP: a RoBERTa, and a Swin over folded spectrograms (HTS-AT, https://arxiv.org/abs/2202.00874)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings
from zoo_core.nn.patch import pair
from zoo_multimodal.clap.config import ClapAudioConfig, ClapConfig, ClapTextConfig
from zoo_text.bert.model import BertModel
from zoo_vision.nn.window_bias import Grid
from zoo_vision.swin.model import SwinModel


class ClapPreTrainedModel(PreTrainedModel):
    """What all CLAP classes share."""

    config_class = ClapConfig
    base_model_prefix = "clap"
    ignored_names = ("*position_ids", "*relative_position_index")

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        factor = self.config.initializer_factor
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=factor * 0.02)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            width = module.weight.shape[0] if isinstance(module, nn.Conv2d) else module.in_features
            nn.init.normal_(module.weight, std=width**-0.5 * factor)


class Branch(nn.Sequential):
    """Two pointwise convolutions with a narrow middle, on a map or on its mean."""

    def __init__(self, size: int, middle: int, *, pooled: bool) -> None:
        super().__init__(
            *([nn.AdaptiveAvgPool2d(1)] if pooled else []),
            nn.Conv2d(size, middle, 1),
            nn.BatchNorm2d(middle),
            nn.ReLU(),
            nn.Conv2d(middle, size, 1),
            nn.BatchNorm2d(size),
        )


class AttentionalFusion(nn.Module):
    """Adds two maps, weighing each cell and channel (https://arxiv.org/abs/2009.14082)."""

    hub_names = {"local_branch": "local_att", "global_branch": "global_att"}

    def __init__(self, size: int, ratio: int) -> None:
        super().__init__()
        self.local_branch = Branch(size, size // ratio, pooled=False)
        self.global_branch = Branch(size, size // ratio, pooled=True)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Two maps (batch, size, rows, columns) to one."""
        both = first + second
        weight = (self.local_branch(both) + self.global_branch(both)).sigmoid()
        return 2 * first * weight + 2 * second * (1 - weight)


class SpectrogramEmbeddings(nn.Module):
    """Spectrograms, folded to squares, as patches; those of long sounds joined with their parts'."""

    hub_names = {
        "batch_norm": "batch_norm",
        **{name: f"patch_embed.{name}" for name in ("proj", "norm", "fusion_model", "mel_conv2d")},
    }

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__()
        size, channels = config.patch_embeds_hidden_size, config.patch_embed_input_channels
        kernel, stride = config.patch_size, pair(config.patch_stride)
        padding = ((kernel - stride[0]) // 2, (kernel - stride[1]) // 2)
        self.side, self.folds = config.spec_size, config.spec_size // config.num_mel_bins
        self.batch_norm = nn.BatchNorm2d(config.num_mel_bins)
        self.proj = nn.Conv2d(channels, size, kernel, stride, padding)
        self.norm = nn.LayerNorm(size) if config.enable_patch_layer_norm else nn.Identity()
        self.fuses = config.enable_fusion
        if self.fuses:
            self.fusion_model = AttentionalFusion(size, config.aff_block_r)
            self.mel_conv2d = nn.Conv2d(
                channels, size, (kernel, kernel * 3), (stride[0], stride[1] * 3), padding
            )

    def fold(self, mels: Tensor) -> Tensor:
        """(batch, views, frames, mels) to squares: consecutive spans of time lie below each other."""
        frames, bins = self.side * self.folds, self.side // self.folds
        if mels.shape[2] > frames or mels.shape[3] > bins:
            raise ValueError(
                f"input_features have {mels.shape[2]} frames of {mels.shape[3]} mels; "
                f"the model takes up to {frames} frames of {bins}"
            )
        mels = _stretch(_stretch(mels, frames, mels.shape[3]), frames, bins)
        spans = mels.unflatten(2, (self.folds, -1))  # (batch, views, folds, frames of one, mels)
        return spans.transpose(3, 4).flatten(2, 3)

    def forward(self, features: Tensor, is_longer: Tensor | None = None) -> tuple[Tensor, Grid]:
        """Features (batch, views, frames, mels) to cells (batch, cells, width) and their grid.

        The first view is the whole sound; of long ones (`is_longer`, batch) the others are used too.
        """
        normed = self.batch_norm(features.transpose(1, 3)).transpose(1, 3)
        squares = self.fold(normed)
        if not self.fuses:
            cells = self.proj(squares)
        else:
            cells = self.proj(squares[:, :1])
            if is_longer is not None and is_longer.any():
                longer = is_longer.flatten().to(cells.device).bool()
                cells = cells.index_put((longer,), self.fused(cells[longer], squares[longer, 1:]))
        return self.norm(cells.flatten(2).transpose(1, 2)), (cells.shape[2], cells.shape[3])

    def fused(self, whole: Tensor, parts: Tensor) -> Tensor:
        """Cells of the whole (batch, width, rows, columns) with those of squares (batch, parts, ...)."""
        local = self.mel_conv2d(parts.flatten(0, 1)[:, None]).unflatten(0, parts.shape[:2])
        local = local.permute(0, 2, 3, 1, 4).flatten(3)
        local = F.pad(local, (0, whole.shape[-1] - local.shape[-1]))  # a negative number crops
        return self.fusion_model(whole, local)


def _stretch(mels: Tensor, frames: int, bins: int) -> Tensor:
    if mels.shape[2:] == (frames, bins):
        return mels
    return F.interpolate(mels, (frames, bins), mode="bicubic", align_corners=True)


class ClapAudioModel(ClapPreTrainedModel, SwinModel):
    """The sound tower; `last_hidden_state` (batch, width, frequencies, time), unfolded again."""

    config_class = ClapAudioConfig
    main_input_name = "input_features"
    hub_names = {
        "embeddings": "audio_encoder",
        "stages": "audio_encoder.layers",
        "norm": "audio_encoder.norm",
    }

    def make_embeddings(self, config: ClapAudioConfig, use_mask_token: bool) -> nn.Module:  # type: ignore[override]
        return SpectrogramEmbeddings(config)

    def forward(  # type: ignore[override]
        self, input_features: Tensor | None = None, is_longer: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """Log-mel features (batch, 1 or 4, frames, mels); see `ClapFeatureExtractor`."""
        if input_features is None:
            raise ValueError("pass input_features (batch, views, frames, mels)")
        hidden, grid = self.embeddings(input_features, is_longer)
        outputs = self.encode(hidden, grid)
        halvings = 2 ** (len(self.config.depths) - 1)
        rows, columns = grid[0] // halvings, grid[1] // halvings
        folds = self.embeddings.folds
        bands = outputs.last_hidden_state.transpose(1, 2).unflatten(2, (folds, rows // folds, columns))
        return BaseModelOutputWithPooling(
            last_hidden_state=bands.transpose(2, 3).flatten(3),
            pooler_output=outputs.pooler_output,
            hidden_states=outputs.reshaped_hidden_states,
            attentions=outputs.attentions,
        )

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.proj


class ClapTextEmbeddings(UnpaddedTextEmbeddings):
    """RoBERTa's, with the table of zeros that files of this family carry."""

    token_type_ids: Tensor

    def __init__(self, *args: int, **options: int) -> None:
        super().__init__(*args, **options)
        self.register_buffer("token_type_ids", torch.zeros(1, options["max_positions"], dtype=torch.long))


class ClapTextModel(ClapPreTrainedModel, BertModel):
    """The text tower; `pooler_output` is made of the first token's state."""

    config_class = ClapTextConfig
    embeddings_class = ClapTextEmbeddings


class Projection(nn.Module):
    """linear2(act(linear1(x))) into the common space."""

    def __init__(self, config: ClapTextConfig | ClapAudioConfig) -> None:
        super().__init__()
        self.linear1 = nn.Linear(config.hidden_size, config.projection_dim)
        self.linear2 = nn.Linear(config.projection_dim, config.projection_dim)
        self.act = activation(config.projection_hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.linear2(self.act(self.linear1(hidden)))


class ClapTextModelOutput(ModelOutput):
    """States of the text tower and their projection `text_embeds` (batch, projection)."""

    text_embeds: Tensor | None = None
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ClapAudioModelOutput(ModelOutput):
    """States of the sound tower and their projection `audio_embeds` (batch, projection)."""

    audio_embeds: Tensor | None = None
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ClapTextModelWithProjection(ClapPreTrainedModel):
    """The text tower and its projection."""

    config_class = ClapTextConfig

    def __init__(self, config: ClapTextConfig) -> None:
        super().__init__(config)
        self.text_model = ClapTextModel(config)
        self.text_projection = Projection(config)
        self.post_init()

    def forward(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> ClapTextModelOutput:
        outputs = self.text_model(input_ids, **inputs)
        return ClapTextModelOutput.carry(outputs, text_embeds=self.text_projection(outputs.pooler_output))


class ClapAudioModelWithProjection(ClapPreTrainedModel):
    """The sound tower and its projection."""

    config_class = ClapAudioConfig
    main_input_name = "input_features"

    def __init__(self, config: ClapAudioConfig) -> None:
        super().__init__(config)
        self.audio_model = ClapAudioModel(config)
        self.audio_projection = Projection(config)
        self.post_init()

    def forward(
        self, input_features: Tensor | None = None, is_longer: Tensor | None = None
    ) -> ClapAudioModelOutput:
        outputs = self.audio_model(input_features, is_longer)
        return ClapAudioModelOutput.carry(outputs, audio_embeds=self.audio_projection(outputs.pooler_output))


class ClapOutput(ModelOutput):
    """Similarities (sounds, texts) and (texts, sounds), normalised embeddings, and both towers' outputs."""

    loss: Tensor | None = None
    logits_per_audio: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    audio_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling
    audio_model_output: BaseModelOutputWithPooling


class ClapModel(ClapPreTrainedModel):
    """Both towers, their projections, and a learned temperature for either direction."""

    def __init__(self, config: ClapConfig) -> None:
        super().__init__(config)
        start = math.log(config.logit_scale_init_value)
        self.logit_scale_a = nn.Parameter(torch.tensor(start))
        self.logit_scale_t = nn.Parameter(torch.tensor(start))
        self.text_model = ClapTextModel(config.text_config)
        self.text_projection = Projection(config.text_config)
        self.audio_model = ClapAudioModel(config.audio_config)
        self.audio_projection = Projection(config.audio_config)
        self.post_init()

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected and normalised texts (batch, projection)."""
        return F.normalize(self.text_projection(self.text_model(input_ids, **inputs).pooler_output), dim=-1)

    def get_audio_features(
        self,
        input_features: Tensor | None = None,
        is_longer: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Projected and normalised sounds (batch, projection); there is nothing to mask."""
        outputs = self.audio_model(input_features, is_longer)
        return F.normalize(self.audio_projection(outputs.pooler_output), dim=-1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        is_longer: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
    ) -> ClapOutput:
        """Texts (texts, sequence) and sounds (sounds, views, frames, mels) to their similarities.

        `return_loss` takes pair i to be text i and sound i.
        """
        audio = self.audio_model(input_features, is_longer)
        text = self.text_model(input_ids, attention_mask=attention_mask, position_ids=position_ids)
        sounds = F.normalize(self.audio_projection(audio.pooler_output), dim=-1)
        texts = F.normalize(self.text_projection(text.pooler_output), dim=-1)
        per_text = texts @ sounds.t() * self.logit_scale_t.exp()
        per_audio = sounds @ texts.t() * self.logit_scale_a.exp()
        loss = None
        if return_loss:
            pairs = torch.arange(len(per_text), device=per_text.device)
            # as released, both ask which sound belongs to a text
            loss = (F.cross_entropy(per_text, pairs) + F.cross_entropy(per_audio.t(), pairs)) / 2
        return ClapOutput(
            loss=loss,
            logits_per_audio=per_audio,
            logits_per_text=per_text,
            text_embeds=texts,
            audio_embeds=sounds,
            text_model_output=text,
            audio_model_output=audio,
        )
