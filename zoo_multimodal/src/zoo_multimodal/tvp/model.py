"""TVP: a BERT over a sentence and one map for a whole video, with learned prompts in both, finds moments."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_multimodal.tvp.config import TvpConfig
from zoo_text.bert.model import Pooler


class TvpVideoGroundingOutput(ModelOutput):
    """`logits` (batch, 2): when the moment begins and ends, as fractions of the video."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TvpPreTrainedModel(PreTrainedModel):
    """What all TVP classes share."""

    config_class = TvpConfig
    base_model_prefix = "model"
    ignored_names = ("*position_ids",)


class FramePrompter(nn.Module):
    """Learned pixels around every frame, or below it."""

    def __init__(self, config: TvpConfig) -> None:
        super().__init__()
        self.way, side, border = config.visual_prompter_apply, config.max_img_size, config.visual_prompt_size
        self.side, self.border, self.around = side, border, config.visual_prompter_type == "framepad"
        frames = config.num_frames
        if self.around:
            for name, size in (
                ("pad_up", (border, side)),
                ("pad_down", (border, side)),
                ("pad_left", (side - 2 * border, border)),
                ("pad_right", (side - 2 * border, border)),
            ):
                self.register_parameter(name, nn.Parameter(torch.zeros(1, frames, 3, *size)))
        else:
            self.pad_down = nn.Parameter(torch.zeros(1, frames, 3, border, side))

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.normal_(parameter)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, frames, 3, side, side) to the same shape."""
        side, border = self.side, self.border
        if self.way != "add" and not self.around:  # around a frame, as released, everything is kept
            kept = torch.ones(side, side, dtype=pixel_values.dtype, device=pixel_values.device)
            kept[side - border :] = 0
            pixel_values = pixel_values * kept
        if self.way == "remove":
            return pixel_values
        if not self.around:
            return pixel_values + F.pad(self.pad_down, (0, 0, side - border, 0)).to(pixel_values.dtype)
        middle = F.pad(self.pad_left, (0, side - 2 * border, 0, 0))
        middle = torch.cat((middle, self.pad_right), dim=-1)
        prompt = torch.cat((self.pad_up, middle, self.pad_down), dim=-2)
        return pixel_values + prompt.to(pixel_values.dtype)


class TvpVisionModel(nn.Module):
    """A backbone and a convolution that makes its map as wide as the text and half as large."""

    def __init__(self, config: TvpConfig) -> None:
        super().__init__()
        self.backbone = build_backbone(config)
        channels = cast(Any, self.backbone).channels[-1]
        self.grid_encoder_conv = nn.Conv2d(channels, config.hidden_size, 3, padding=1, bias=False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, frames, 3, height, width) to (batch, frames, rows, columns, hidden)."""
        maps = self.backbone(pixel_values.flatten(0, 1)).feature_maps[0]
        x = F.relu(F.max_pool2d(self.grid_encoder_conv(maps), 2, 2))
        return x.unflatten(0, pixel_values.shape[:2]).permute(0, 1, 3, 4, 2)


class TvpVisualEmbeddings(nn.Module):
    """The mean over all frames, with positions of rows and columns."""

    def __init__(self, config: TvpConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)  # as released, unused
        self.row_position_embeddings = nn.Embedding(config.max_grid_row_position_embeddings, size)
        self.col_position_embeddings = nn.Embedding(config.max_grid_col_position_embeddings, size)
        self.token_type_embeddings = nn.Embedding(1, size)
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, grid: Tensor) -> Tensor:
        """(batch, frames, rows, columns, hidden) to (batch, rows x columns, hidden)."""
        rows, columns = grid.shape[2:4]
        down, across = self.row_position_embeddings.weight, self.col_position_embeddings.weight
        if rows > len(down) or columns > len(across):
            raise ValueError(
                f"the map has {rows} x {columns} cells, but there are positions for {len(down)} x "
                f"{len(across)}; make the frames smaller (the image processor does)"
            )
        hidden = (grid.mean(1) + down[:rows, None] + across[None, :columns]).flatten(1, 2)
        return self.dropout(self.layer_norm(hidden + self.token_type_embeddings.weight[0]))


class TvpLayer(PostNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names: HubNames = BERT_LAYER | {
        "self_attn": "attention",
        "self_attn.q_proj": "attention.query",
        "self_attn.k_proj": "attention.key",
        "self_attn.v_proj": "attention.value",
        "self_attn.o_proj": "attention.dense",
        "self_attn_layer_norm": "attention.layer_norm",
        "final_layer_norm": "output.layer_norm",
    }

    def __init__(self, config: TvpConfig) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size, config.num_attention_heads, dropout=config.attention_probs_dropout_prob
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class TvpModel(TvpPreTrainedModel):
    """A prompt of ten vectors, the sentence and the video's map through the layers; pooled."""

    hub_names: HubNames = {"layers": "encoder.layer"}

    def __init__(self, config: TvpConfig) -> None:
        super().__init__(config)
        self.vision_model = TvpVisionModel(config)
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.hidden_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.visual_embeddings = TvpVisualEmbeddings(config)
        self.layers = nn.ModuleList(TvpLayer(config) for _ in range(config.num_hidden_layers))
        self.pooler = Pooler(config.hidden_size)
        self.text_prompt = nn.Parameter(torch.zeros(1, 10, config.hidden_size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.visual_prompter = FramePrompter(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) and frames (batch, frames, 3, side, side) to states and pooled ones.

        States are those of the prompt, the sentence and the map, (batch, 10 + sequence + cells, hidden).
        """
        if input_ids is None or pixel_values is None:
            raise ValueError("pass input_ids (batch, sequence) and pixel_values (batch, frames, 3, h, w)")
        side = self.config.max_img_size
        if tuple(pixel_values.shape[-2:]) != (side, side):
            raise ValueError(
                f"frames are {tuple(pixel_values.shape[-2:])}, the prompts are for {(side, side)}; resize "
                "and pad them (the image processor does)"
            )
        video = self.visual_embeddings(self.vision_model(self.visual_prompter(pixel_values)))
        text, prompt = self.embeddings(input_ids), self.text_prompt.expand(len(video), -1, -1)
        padding = None
        if attention_mask is not None:
            prompt_mask, video_mask = (attention_mask.new_ones(x.shape[:2]) for x in (prompt, video))
            padding = torch.cat((prompt_mask, attention_mask, video_mask), dim=1)
        hidden = torch.cat((prompt, text, video), dim=1)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden, padding), head_mask=head_mask)
        pooled = self.dropout(self.pooler(hidden))
        return BaseModelOutputWithPooling(last_hidden_state=self.dropout(hidden), pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.word_embeddings


class VideoGroundingHead(nn.Module):
    """Two dense layers to a beginning and an end."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer_0, self.layer_1 = nn.Linear(size, 2 * size), nn.Linear(2 * size, 2)

    def forward(self, pooled: Tensor) -> Tensor:
        return self.layer_1(F.relu(self.layer_0(pooled))).sigmoid()


def grounding_losses(logits: Tensor, duration: Tensor, start: Tensor, end: Tensor) -> tuple[Tensor, ...]:
    """(batch,) each, what the moment misses: overlap, the middle's place, its length; times in seconds.

    Place and length do not count below a fifth and two fifths.
    """
    first, last = (logits * duration[:, None]).float().unbind(-1)
    inside = torch.minimum(last, end) - torch.maximum(first, start)
    whole = torch.maximum(last, end) - torch.minimum(first, start)
    apart = ((first + last) / 2 - (start + end) / 2).abs() / duration
    length = ((last - first) - (end - start)) / duration
    return 1 - inside.clamp(min=0) / whole, apart.clamp(min=0.2), length.square().clamp(min=0.4)


class TvpForVideoGrounding(Headed, TvpPreTrainedModel):
    """TVP that says when in a video happens what a sentence tells."""

    base_class = TvpModel

    def build_head(self, config: PretrainedConfig) -> None:
        self.video_grounding_head = VideoGroundingHead(config.hidden_size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: tuple[Tensor, Tensor, Tensor] | None = None,
        **inputs: Any,
    ) -> TvpVideoGroundingOutput:
        """`labels` are duration, start and end (batch,) in seconds."""
        outputs = self.model(input_ids, pixel_values, attention_mask, **inputs)
        logits = self.video_grounding_head(outputs.pooler_output)
        loss = None
        if labels is not None:
            overlap, place, length = grounding_losses(logits, *labels)
            config = self.config
            loss = overlap + config.distance_loss_weight * place + config.duration_loss_weight * length
        return TvpVideoGroundingOutput.carry(outputs, loss=loss, logits=logits)
