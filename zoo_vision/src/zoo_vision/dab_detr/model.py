"""DAB-DETR: queries are boxes, which each layer of the decoder moves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.modeling.seq2seq import as_output
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.conditional_detr.model import ConditionalAttention
from zoo_vision.dab_detr.config import DabDetrConfig
from zoo_vision.detr.model import (
    BoxHead,
    DetrBackboned,
    DetrDecoderOutput,
    DetrLayer,
    DetrModelOutput,
    DetrObjectDetectionOutput,
    sines,
)
from zoo_vision.losses.detr import focal_set_loss
from zoo_vision.losses.matching import Target


class DabDetrDecoderOutput(DetrDecoderOutput):
    """As DetrDecoderOutput, with the boxes (layers, batch, queries, 4) that each layer started from."""

    reference_points: Tensor | None = None


class DabDetrModelOutput(DetrModelOutput):
    """As DetrModelOutput, with the boxes (layers, batch, queries, 4) that each layer started from."""

    reference_points: Tensor | None = None


class DabDetrPreTrainedModel(PreTrainedModel):
    """What all DAB-DETR classes share."""

    config_class = DabDetrConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked",)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DabDetrForObjectDetection):
            prior = self.config.initializer_bias_prior_prob or 1 / (self.config.num_labels + 1)
            nn.init.constant_(module.class_embed.bias, -math.log((1 - prior) / prior))
            last = module.bbox_predictor.layers[-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        elif isinstance(module, DabDetrModel) and self.config.random_refpoints_xy:
            points = module.query_refpoint_embeddings.weight
            points[:, :2] = torch.rand_like(points[:, :2]).logit(eps=1e-5)


class DabDetrEncoderLayer(DetrLayer):
    """Self-attention and a feed-forward block."""

    hub_names: HubNames = {**DetrLayer.hub_names, "mlp.act": "activation_fn"}


_PARTS = {
    "q_proj": "query_content_proj",
    "q_places": "query_pos_proj",
    "k_proj": "key_content_proj",
    "k_places": "key_pos_proj",
    "v_proj": "value_proj",
}


class DabDetrDecoderLayer(DetrLayer):
    """Self-attention, attention to the image, and a feed-forward block."""

    hub_names: HubNames = {
        **{
            f"{part}.{ours}": f"{part}.{part}_{theirs}"
            for part in ("self_attn", "cross_attn")
            for ours, theirs in _PARTS.items()
        },
        **{f"{part}.o_proj": f"{part}.{part}.output_proj" for part in ("self_attn", "cross_attn")},
        **{f"{part}_layer_norm": f"{part}.{part}_layer_norm" for part in ("self_attn", "cross_attn")},
        "cross_attn.q_points": "cross_attn.cross_attn_query_pos_sine_proj",
        "final_layer_norm": "mlp.final_layer_norm",
        "mlp.act": "mlp.activation_fn",
    }

    def __init__(self, config: DabDetrConfig, *, first: bool) -> None:
        super().__init__(config, decoder=True)  # type: ignore[arg-type]
        size, heads, dropout = config.hidden_size, config.decoder_attention_heads, config.attention_dropout
        added = first or config.keep_query_pos
        self.self_attn = ConditionalAttention(size, heads, dropout=dropout)
        self.cross_attn = ConditionalAttention(size, heads, dropout=dropout, cross=True, first=added)


class DabDetrEncoder(DabDetrPreTrainedModel):
    """Layers over the pixels of the last feature map, whose positions each layer scales."""

    def __init__(self, config: DabDetrConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.query_scale = BoxHead(size, size, size, 2)
        self.layers = nn.ModuleList(
            DabDetrEncoderLayer(config, decoder=False)  # type: ignore[arg-type]
            for _ in range(config.encoder_layers)
        )
        self.norm = nn.LayerNorm(size) if config.normalize_before else nn.Identity()

    def forward(self, inputs_embeds: Tensor, padding: Tensor | None, places: Tensor) -> BaseModelOutput:
        hidden, context = inputs_embeds, AttentionContext(inputs_embeds, padding)
        for layer in self.layers:
            record(HIDDEN_STATES, hidden)
            hidden = layer(hidden, context, places=places * self.query_scale(hidden))
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        return BaseModelOutput(last_hidden_state=hidden)


class DabDetrDecoder(DabDetrPreTrainedModel):
    """Layers over the queries, each of which has a box, and a final norm.

    With `bbox_embed`, the detector's, each layer moves the boxes.
    """

    hub_names: HubNames = {"norm": "layernorm"}
    bbox_embed: BoxHead | None

    def __init__(self, config: DabDetrConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.layers = nn.ModuleList(
            DabDetrDecoderLayer(config, first=i == 0) for i in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(size)
        self.query_scale = BoxHead(size, size, size, 2)
        self.ref_point_head = BoxHead(2 * size, size, size, 2)
        self.ref_anchor_head = BoxHead(size, size, 2, 2)
        self.bbox_embed = None

    def forward(
        self, start: Tensor, source: Tensor, padding: Tensor | None, boxes: Tensor, places: Tensor
    ) -> DabDetrDecoderOutput:
        """States (batch, queries, hidden) of queries with `boxes` (batch, queries, 4)."""
        context = AttentionContext(start, encoder_states=source, encoder_padding=padding)
        hidden, half = start, self.config.hidden_size // 2
        seen, started = [], [boxes]
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            x, y, width, height = (sines(boxes[..., n] * 2 * math.pi, half) for n in range(4))
            queries = self.ref_point_head(torch.cat((y, x, width, height), dim=-1).to(hidden.dtype))
            sizes = self.ref_anchor_head(hidden).sigmoid() / boxes[..., 2:]  # wanted width, height to known
            points = torch.cat((y * sizes[..., 1:], x * sizes[..., :1]), dim=-1).to(hidden.dtype)
            if i > 0:
                points = points * self.query_scale(hidden)
            hidden = layer(hidden, context, places=queries, source_places=places, points=points)
            if self.bbox_embed is not None and i + 1 < len(self.layers):
                boxes = (self.bbox_embed(hidden) + boxes.logit(eps=1e-3)).sigmoid().detach()
                started.append(boxes)
            seen.append(self.norm(hidden))
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        return DabDetrDecoderOutput(
            last_hidden_state=hidden,
            intermediate_hidden_states=torch.stack(seen),
            reference_points=torch.stack(started),
        )


class DabDetrModel(DetrBackboned, DabDetrPreTrainedModel):
    """Backbone, encoder and decoder."""

    patterns: nn.Embedding | None

    def __init__(self, config: DabDetrConfig) -> None:
        super().__init__(config)
        self.build_backbone(config, [1, 2, 3, 4])
        size = config.hidden_size
        self.input_projection = nn.Conv2d(self.backbone.channels[-1], size, 1)
        self.query_refpoint_embeddings = nn.Embedding(config.num_queries, 4)
        self.patterns = nn.Embedding(config.num_patterns, size) if config.num_patterns > 0 else None
        self.encoder, self.decoder = DabDetrEncoder(config), DabDetrDecoder(config)
        self.post_init()

    def places(self, mask: Tensor) -> Tensor:
        """(batch, pixels, hidden): sines of rows, then of columns, of a mask (batch, rows, columns)."""
        config = self.config
        scale = (
            2 * math.pi
            if config.sine_position_embedding_scale is None
            else config.sine_position_embedding_scale
        )
        axes = []
        for axis, base in ((1, config.temperature_height), (2, config.temperature_width)):
            count = mask.float().cumsum(axis)
            count = count / (count.select(axis, -1).unsqueeze(axis) + 1e-6) * scale
            axes.append(sines(count, config.hidden_size // 2, base=base))
        return torch.cat(axes, dim=-1).flatten(1, 2)

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
    ) -> DabDetrModelOutput:
        """Images to the states (batch, queries, hidden) of the queries.

        Args:
            pixel_values: (batch, channels, height, width). pixel_mask: (batch, height, width), 0 in padding.
            encoder_outputs: of an earlier call. inputs_embeds: (batch, pixels, hidden) instead of the
                projected feature map. decoder_inputs_embeds: (batch, queries, 4), logits of boxes.
        """
        if pixel_mask is None:
            pixel_mask = torch.ones_like(pixel_values[:, 0], dtype=torch.long)
        image = self.backbone(pixel_values, output_hidden_states=False, output_attentions=False)
        x = self.input_projection(image.feature_maps[-1])
        mask = F.interpolate(pixel_mask[:, None].float(), size=x.shape[-2:])[:, 0].bool()
        places, padding = self.places(mask).to(x.dtype), mask.flatten(1)
        if encoder_outputs is None:
            if inputs_embeds is None:
                inputs_embeds = x.flatten(2).transpose(1, 2)
            encoder_outputs = self.encoder(inputs_embeds, padding, places)
        encoded = as_output(encoder_outputs)
        boxes = decoder_inputs_embeds
        if boxes is None:
            boxes = self.query_refpoint_embeddings.weight.expand(len(x), -1, -1)
        start = torch.zeros(*boxes.shape[:2], self.config.hidden_size, dtype=x.dtype, device=x.device)
        if self.patterns is not None:
            start = self.patterns.weight.repeat_interleave(boxes.shape[1], 0).expand(len(x), -1, -1)
            boxes = boxes.repeat(1, self.config.num_patterns, 1)
        decoded = self.decoder(start, encoded.last_hidden_state, padding, boxes.sigmoid(), places)
        return DabDetrModelOutput.join(
            encoded,
            decoded,
            intermediate_hidden_states=decoded.intermediate_hidden_states,
            reference_points=decoded.reference_points,
        )


class DabDetrForObjectDetection(DabDetrPreTrainedModel):
    """DAB-DETR with the scores and the box of each query; a low score means that there is nothing."""

    def __init__(self, config: DabDetrConfig) -> None:
        super().__init__(config)
        self.model = DabDetrModel(config)
        self.class_embed = nn.Linear(config.hidden_size, config.num_labels)
        self.bbox_predictor = BoxHead(config.hidden_size, config.hidden_size, 4, 3)
        self.model.decoder.bbox_embed = self.bbox_predictor
        self.post_init()

    def ties(self) -> dict[str, str]:
        """The box head stands in files under the decoder's name or under its own."""
        names = [name for name, _ in self.bbox_predictor.named_parameters()]
        return {f"bbox_predictor.{name}": f"model.decoder.bbox_embed.{name}" for name in names}

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        *,
        labels: Sequence[Target] | None = None,
        **inputs: Tensor,
    ) -> DetrObjectDetectionOutput:
        """See `DabDetrModel`; `labels` has each image's `class_labels` (objects,), `boxes` (objects, 4)."""
        outputs = self.model(pixel_values, pixel_mask, **inputs)
        steps = zip(outputs.intermediate_hidden_states, outputs.reference_points, strict=True)
        *earlier, last = [
            {
                "logits": self.class_embed(state),
                "pred_boxes": (self.bbox_predictor(state) + boxes.logit(eps=1e-3)).sigmoid(),
            }
            for state, boxes in steps
        ]
        auxiliary = earlier if self.config.auxiliary_loss else []
        found: dict[str, object] = dict(last)
        if labels is not None:
            loss, parts = focal_set_loss(last, labels, self.config, auxiliary)
            found |= {"loss": loss, "loss_dict": parts, "auxiliary_outputs": auxiliary or None}
        return DetrObjectDetectionOutput.carry(outputs, **found)
