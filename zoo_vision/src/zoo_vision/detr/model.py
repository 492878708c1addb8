"""DETR: a transformer that answers each of its queries with a box and a class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithCrossAttentions,
    ModelOutput,
    Seq2SeqModelOutput,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_core.nn.stack import run_layers
from zoo_vision.detr.config import DetrConfig
from zoo_vision.losses.detr import detr_loss
from zoo_vision.losses.matching import Target
from zoo_vision.nn.frozen import FreezableBackbone, freeze_batch_norms
from zoo_vision.resnet.model import ResNetModel
from zoo_vision.timm_backbone.resnet import TimmResNet


class DetrModelOutput(Seq2SeqModelOutput):
    """As Seq2SeqModelOutput, with each layer's normalised states (layers, batch, queries, hidden)."""

    intermediate_hidden_states: Tensor | None = None


class DetrDecoderOutput(BaseModelOutputWithCrossAttentions):
    """As BaseModelOutputWithCrossAttentions, with each layer's normalised states."""

    intermediate_hidden_states: Tensor | None = None


class DetrObjectDetectionOutput(ModelOutput):
    """`logits` (batch, queries, labels + 1), the last being "no object", and `pred_boxes`.

    Boxes (batch, queries, 4) are centre x, centre y, width and height as fractions of the image.
    """

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    pred_boxes: Tensor
    auxiliary_outputs: list[dict[str, Tensor]] | None = None
    last_hidden_state: Tensor | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None


class DetrPreTrainedModel(PreTrainedModel):
    """What all DETR classes share."""

    config_class = DetrConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked",)


class PlacedAttention(Attention):
    """Attention whose queries and keys have positions added, and whose values have not."""

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        places: Tensor | None = None,
        source_places: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        source = context.encoder_states if self.cross else hidden
        assert source is not None
        key_places = source_places if self.cross else places
        query = self.split(self.q_proj(hidden if places is None else hidden + places))
        key = self.split(self.k_proj(source if key_places is None else source + key_places))
        value = self.split(self.v_proj(source))
        mask = context.cross_mask() if self.cross else context.mask(self.rule, key.shape[2])
        return self.merge(self.attend(query, key, value, mask, **options))


class DetrLayer(PostNormLayer):
    """Self-attention, in the decoder attention to the image, and a feed-forward block."""

    hub_names = BART_LAYER

    def __init__(self, config: DetrConfig, *, decoder: bool) -> None:
        side = "decoder" if decoder else "encoder"
        heads, size = getattr(config, f"{side}_attention_heads"), config.d_model
        super().__init__(
            size,
            nn.LayerNorm,
            self_attn=PlacedAttention(size, heads, dropout=config.attention_dropout),
            cross_attn=PlacedAttention(size, heads, dropout=config.attention_dropout, cross=True)
            if decoder
            else None,
            mlp=MLP(
                size,
                getattr(config, f"{side}_ffn_dim"),
                config.activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        places: Tensor,
        source_places: Tensor | None = None,
        **cross: Tensor,
    ) -> Tensor:
        attended = self.self_attn(hidden, context, places=places)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        if self.cross_attn is not None and self.cross_attn_layer_norm is not None:
            attended = self.cross_attn(hidden, context, places=places, source_places=source_places, **cross)
            hidden = self.cross_attn_layer_norm(hidden + self.dropout(attended))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))


def sines(values: Tensor, features: int, *, base: float = 10000.0) -> Tensor:
    """(..., features): sines and cosines of angles `values` (...), in frequencies from 1 to 1 / base."""
    powers = torch.arange(features, device=values.device) // 2 * 2 / features
    angles = values[..., None] / base**powers
    return torch.stack((angles[..., 0::2].sin(), angles[..., 1::2].cos()), dim=-1).flatten(-2)


def sine_places(mask: Tensor, features: int, *, start: float = 0.0, base: float = 10000.0) -> Tensor:
    """(batch, rows x columns, 2 x features): sines of rows, then of columns, counted where `mask` is 1.

    Args:
        mask: (batch, rows, columns), 1 inside of the image and 0 in its padding.
        start: what is counted from; 0.5 means the middles of cells. base: see `sines`.
    """
    axes = []
    for axis in (1, 2):
        count = mask.float().cumsum(axis)
        count = (count - start) / (count.select(axis, -1).unsqueeze(axis) + 1e-6) * 2 * math.pi
        axes.append(sines(count, features, base=base))
    return torch.cat(axes, dim=-1).flatten(1, 2)


class LearnedPlaces(nn.Module):
    """A vector for each column, and one for each row, of up to 50."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.row_embeddings, self.column_embeddings = nn.Embedding(50, features), nn.Embedding(50, features)

    def forward(self, mask: Tensor) -> Tensor:
        """(batch, rows x columns, 2 x features) of a mask (batch, rows, columns)."""
        batch, rows, columns = mask.shape
        across = self.column_embeddings.weight[None, :columns].expand(rows, -1, -1)
        down = self.row_embeddings.weight[:rows, None].expand(-1, columns, -1)
        return torch.cat((across, down), dim=-1).flatten(0, 1).expand(batch, -1, -1)


class DetrEncoder(DetrPreTrainedModel):
    """Layers over the pixels of the last feature map."""

    layer_class: type[DetrLayer] = DetrLayer

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(
            self.layer_class(config, decoder=False) for _ in range(config.encoder_layers)
        )
        self.norm: nn.Module = nn.Identity()
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs_embeds: Tensor, padding: Tensor | None, places: Tensor) -> BaseModelOutput:
        context = AttentionContext(inputs_embeds, padding)
        start = self.dropout(inputs_embeds)
        hidden = self.norm(run_layers(self.layers, start, context, places=places))
        return BaseModelOutput(last_hidden_state=hidden)


class DetrDecoder(DetrPreTrainedModel):
    """Layers over the queries, and a final norm."""

    hub_names: HubNames = {"norm": "layernorm"}
    layer_class: type[DetrLayer] = DetrLayer

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(
            self.layer_class(config, decoder=True) for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, inputs_embeds: Tensor, source: Tensor, padding: Tensor | None, queries: Tensor, places: Tensor
    ) -> DetrDecoderOutput:
        context = AttentionContext(inputs_embeds, encoder_states=source, encoder_padding=padding)
        hidden, seen = self.dropout(inputs_embeds), []
        for layer in self.layers:
            record(HIDDEN_STATES, hidden)
            hidden = layer(hidden, context, places=queries, source_places=places)
            if self.config.auxiliary_loss:  # as released, each layer then continues from normalised states
                hidden = self.norm(hidden)
                seen.append(hidden)
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        steps = torch.stack(seen) if seen else None
        return DetrDecoderOutput(last_hidden_state=hidden, intermediate_hidden_states=steps)


class DetrImage(NamedTuple):
    """What the backbone sees: feature maps, the largest first, and of the last of them the projection
    (batch, d_model, rows, columns), the mask (batch, rows, columns), True inside of the image, and the
    positions (batch, rows x columns, d_model)."""

    maps: tuple[Tensor, ...]
    projected: Tensor
    mask: Tensor
    places: Tensor


class DetrBackboned(FreezableBackbone):
    """A model with a backbone that its config describes, and positions of pixels."""

    config: PretrainedConfig
    backbone: Any
    learned_places: LearnedPlaces | None

    @property
    def hub_names(self) -> HubNames:
        """The backbone's level in files."""
        # a backbone of timm stands in files without the level that it has as a model of its own
        inner = "backbone.model" if self.config.backbone_config is None else "backbone"
        return {inner: "backbone.conv_encoder.model", "learned_places": "backbone.position_embedding"}

    def build_backbone(self, config: PretrainedConfig, stages: list[int]) -> None:
        """The network, of which a timm's returns the maps of `stages`, and learned positions."""
        strides = {"output_stride": 16} if getattr(config, "dilation", False) else {}
        self.backbone = build_backbone(config, out_indices=stages, **strides)
        freeze_batch_norms(self.backbone)
        freeze_first_stage(self.backbone)
        learned = config.position_embedding_type == "learned"
        self.learned_places = LearnedPlaces(config.d_model // 2) if learned else None


class DetrModel(DetrBackboned, DetrPreTrainedModel):
    """Backbone, encoder and decoder."""

    encoder_class: type[DetrEncoder] = DetrEncoder
    decoder_class: type[DetrDecoder] = DetrDecoder

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        self.build_backbone(config, [1, 2, 3, 4])
        size = config.d_model
        self.input_projection = nn.Conv2d(self.backbone.channels[-1], size, 1)
        self.query_position_embeddings = nn.Embedding(config.num_queries, size)
        self.encoder, self.decoder = self.encoder_class(config), self.decoder_class(config)
        self.post_init()

    def see(self, pixel_values: Tensor, pixel_mask: Tensor | None = None) -> DetrImage:
        """What of images (batch, channels, height, width) the encoder takes; the mask is 0 in padding."""
        if pixel_mask is None:
            pixel_mask = torch.ones_like(pixel_values[:, 0], dtype=torch.long)
        maps = self.backbone(pixel_values, output_hidden_states=False, output_attentions=False).feature_maps
        mask = F.interpolate(pixel_mask[:, None].float(), size=maps[-1].shape[-2:])[:, 0].bool()
        if self.learned_places is None:
            places = sine_places(mask, self.config.d_model // 2).to(maps[-1].dtype)
        else:
            places = self.learned_places(mask)
        return DetrImage(maps, self.input_projection(maps[-1]), mask, places)

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        *,
        image: DetrImage | None = None,
    ) -> DetrModelOutput:
        """Images to the states (batch, queries, hidden) of the queries.

        Args:
            pixel_values: (batch, channels, height, width). pixel_mask: (batch, height, width), 0 in padding.
            encoder_outputs: of an earlier call. inputs_embeds: (batch, pixels, hidden) instead of the
                projected feature map. decoder_inputs_embeds: (batch, queries, hidden) instead of zeros.
            image: what `see` makes of these images, where the caller has it.
        """
        if image is None:
            image = self.see(pixel_values, pixel_mask)
        padding = image.mask.flatten(1)
        if encoder_outputs is None:
            if inputs_embeds is None:
                inputs_embeds = image.projected.flatten(2).transpose(1, 2)
            encoder_outputs = self.encoder(inputs_embeds, padding, image.places)
        elif not isinstance(encoder_outputs, ModelOutput):
            encoder_outputs = BaseModelOutput(*encoder_outputs)
        source = encoder_outputs[0]
        queries = self.query_position_embeddings.weight.expand(len(source), -1, -1)
        start = torch.zeros_like(queries) if decoder_inputs_embeds is None else decoder_inputs_embeds
        decoded = self.decoder(start, source, padding, queries, image.places)
        return self.joined(encoder_outputs, decoded)

    def joined(self, encoded: ModelOutput, decoded: ModelOutput) -> DetrModelOutput:
        """The output, from the encoder's and the decoder's."""
        steps = decoded.intermediate_hidden_states
        return DetrModelOutput.join(encoded, decoded, intermediate_hidden_states=steps)


def freeze_first_stage(backbone: nn.Module) -> None:
    """Leave a ResNet's stem and first stage as they are in training."""
    network = getattr(backbone, "model", None)
    if isinstance(network, TimmResNet | ResNetModel):
        network.stem.requires_grad_(False)
        network.stages[0].requires_grad_(False)


class BoxHead(nn.Module):
    """Dense layers with ReLU between them."""

    def __init__(self, size: int, inner: int, out: int, depth: int) -> None:
        super().__init__()
        widths = [size, *[inner] * (depth - 1), out]
        self.layers = nn.ModuleList(nn.Linear(widths[i], widths[i + 1]) for i in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class DetrForObjectDetection(DetrPreTrainedModel):
    """DETR with a class and a box for each query."""

    model_class: type[DetrModel] = DetrModel
    empty_classes = 1

    def __init__(self, config: DetrConfig) -> None:
        super().__init__(config)
        size = config.d_model
        self.model = self.model_class(config)
        self.class_labels_classifier = nn.Linear(size, config.num_labels + self.empty_classes)
        self.bbox_predictor = BoxHead(size, size, 4, 3)
        self.post_init()

    def predict(self, outputs: DetrModelOutput) -> list[dict[str, Tensor]]:
        """`logits` and `pred_boxes` of the decoder's layers as far as they are known, the last at the end."""
        return [
            {
                "logits": self.class_labels_classifier(state),
                "pred_boxes": self.bbox_predictor(state).sigmoid(),
            }
            for state in self.states(outputs)
        ]

    def states(self, outputs: DetrModelOutput) -> list[Tensor]:
        """(batch, queries, hidden) after the decoder's layers as far as they are known."""
        steps = outputs.intermediate_hidden_states
        return [*(() if steps is None else steps[:-1]), outputs.last_hidden_state]

    def loss(
        self, last: dict[str, Tensor], labels: Sequence[Target], auxiliary: Sequence[dict[str, Tensor]]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss and its parts."""
        return detr_loss(last, labels, self.config, auxiliary)

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        *,
        labels: list[dict[str, Tensor]] | None = None,
        **inputs: Any,
    ) -> DetrObjectDetectionOutput:
        """See `DetrModel`; `labels` has each image's `class_labels` (objects,) and `boxes` (objects, 4)."""
        outputs = self.model(pixel_values, pixel_mask, **inputs)
        return DetrObjectDetectionOutput(**self.answer(outputs, self.predict(outputs), labels))

    def answer(
        self,
        outputs: DetrModelOutput,
        predictions: Sequence[dict[str, Tensor]],
        labels: Sequence[Target] | None,
    ) -> dict[str, Any]:
        """Fields of the output: what the model returned, the last predictions, and with labels the loss."""
        *auxiliary, last = predictions
        found = {name: value for name, value in outputs.items() if name in DetrObjectDetectionOutput.fields}
        if labels is not None:
            loss, parts = self.loss(last, labels, auxiliary)
            found |= {"loss": loss, "loss_dict": parts, "auxiliary_outputs": auxiliary or None}
        return found | last
