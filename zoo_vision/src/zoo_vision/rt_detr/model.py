"""RT-DETR: a detector without suppression, fast enough for video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithCrossAttentions, ModelOutput, Seq2SeqModelOutput
from zoo_core.modeling.seq2seq import as_output
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.detr.model import BoxHead, PlacedAttention
from zoo_vision.losses.denoising import NoisedObjects, noised_objects
from zoo_vision.losses.matching import Target
from zoo_vision.losses.varifocal import rt_detr_loss
from zoo_vision.nn.deformable import DeformableAttention, FeatureLevels, cell_centres
from zoo_vision.nn.frozen import FreezableBackbone, freeze_batch_norms
from zoo_vision.rt_detr.config import RTDetrConfig
from zoo_vision.rt_detr.encoder import HybridEncoder


class RTDetrDecoderOutput(BaseModelOutputWithCrossAttentions):
    """States, with those, the class scores and the boxes of each layer (batch, layers, queries, ...)."""

    intermediate_hidden_states: Tensor | None = None
    intermediate_logits: Tensor | None = None
    intermediate_reference_points: Tensor | None = None


class _Steps(Seq2SeqModelOutput, own_first=True):
    last_hidden_state: Tensor
    intermediate_hidden_states: Tensor | None = None
    intermediate_logits: Tensor | None = None
    intermediate_reference_points: Tensor | None = None


class RTDetrModelOutput(_Steps):
    """What the queries became, layer by layer, and how the encoder chose them.

    `intermediate_*` (batch, layers, queries, ...) are states, class scores and boxes of each layer; boxes are
    centre and size as fractions of the image. `enc_topk_*` are those of the chosen cells, `enc_outputs_*`
    of all cells; `init_reference_points` and `enc_outputs_coord_logits` are logits of boxes.
    `encoder_last_hidden_state` is a list of maps.
    """

    init_reference_points: Tensor | None = None
    enc_topk_logits: Tensor | None = None
    enc_topk_bboxes: Tensor | None = None
    enc_outputs_class: Tensor | None = None
    enc_outputs_coord_logits: Tensor | None = None
    denoising_meta_values: dict[str, Any] | None = None


class RTDetrObjectDetectionOutput(RTDetrModelOutput, own_first=True):
    """`logits` (batch, queries, labels), `pred_boxes` (batch, queries, 4), and what RTDetrModel returns."""

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    pred_boxes: Tensor
    auxiliary_outputs: list[dict[str, Tensor]] | None = None


class RTDetrPreTrainedModel(PreTrainedModel):
    """What all RT-DETR classes share."""

    config_class = RTDetrConfig
    base_model_prefix = "rt_detr"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked",)

    def class_bias(self) -> float:
        """The logit of a class before training."""
        prior = self.config.initializer_bias_prior_prob or 1 / (self.config.num_labels + 1)
        return -math.log((1 - prior) / prior)

    def init_class_head(self, head: nn.Linear) -> None:
        """A classifier that begins with the prior alone."""
        nn.init.xavier_uniform_(head.weight)
        nn.init.constant_(head.bias, self.class_bias())

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, BoxHead):  # boxes begin at their references
            nn.init.zeros_(module.layers[-1].weight)
            nn.init.zeros_(module.layers[-1].bias)
        elif isinstance(module, RTDetrModel):
            self.init_class_head(module.enc_score_head)
            nn.init.xavier_uniform_(module.decoder.query_pos_head.layers[0].weight)
            nn.init.xavier_uniform_(module.decoder.query_pos_head.layers[1].weight)
        elif isinstance(module, RTDetrForObjectDetection):
            for head in module.class_embed:
                self.init_class_head(head)


class RTDetrDecoderLayer(PostNormLayer):
    """Self-attention of the queries, points of the maps, a feed-forward block."""

    hub_names = BART_LAYER

    def __init__(self, config: PretrainedConfig, index: int) -> None:
        size, heads = config.d_model, config.decoder_attention_heads
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=PlacedAttention(size, heads, dropout=config.attention_dropout),
            cross_attn=self.make_cross_attention(config, index),
            mlp=MLP(
                size,
                config.decoder_ffn_dim,
                config.decoder_activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )

    def make_cross_attention(self, config: PretrainedConfig, index: int) -> nn.Module:
        """How the queries look at the maps."""
        return DeformableAttention(
            config.d_model,
            config.decoder_attention_heads,
            config.num_feature_levels,
            config.decoder_n_points,
        )

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        maps: FeatureLevels,
        references: Tensor,
        places: Tensor,
    ) -> Tensor:
        assert self.cross_attn is not None and self.cross_attn_layer_norm is not None
        attended = self.self_attn(hidden, context, places=places)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        seen = self.cross_attn(hidden, maps, references[:, :, None], places=places)
        hidden = self.cross_attn_layer_norm(hidden + self.dropout(seen))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))


class RTDetrDecoder(RTDetrPreTrainedModel):
    """Layers, each of which moves the boxes that the next one looks at.

    The heads belong to the detector; without them boxes stay where they are.
    """

    layer_class: type[RTDetrDecoderLayer] = RTDetrDecoderLayer
    bbox_embed: nn.ModuleList | None
    class_embed: nn.ModuleList | None

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(self.layer_class(config, i) for i in range(config.decoder_layers))
        self.query_pos_head = BoxHead(4, 2 * config.d_model, config.d_model, 2)
        self.bbox_embed = self.class_embed = None

    def forward(
        self, hidden: Tensor, maps: FeatureLevels, references: Tensor, visible: Tensor | None
    ) -> RTDetrDecoderOutput:
        """Queries (batch, queries, hidden) and the logits of their boxes to what `maps` make of them."""
        context = AttentionContext(hidden, visible)
        boxes = references.sigmoid()
        states, logits, refined = [], [], []
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            places = self.query_pos_head(boxes)
            hidden = layer(hidden, context, maps=maps, references=boxes, places=places)
            states.append(hidden)
            if self.bbox_embed is not None and self.class_embed is not None:
                boxes = (self.bbox_embed[i](hidden) + boxes.logit(eps=1e-5)).sigmoid()
                logits.append(self.class_embed[i](hidden))
            refined.append(boxes)
            boxes = boxes.detach()
        record(HIDDEN_STATES, hidden)
        return RTDetrDecoderOutput(
            last_hidden_state=hidden,
            intermediate_hidden_states=torch.stack(states, 1),
            intermediate_logits=torch.stack(logits, 1) if logits else None,
            intermediate_reference_points=torch.stack(refined, 1),
        )


class RTDetrModel(FreezableBackbone, RTDetrPreTrainedModel):
    """Backbone, encoder, and a decoder that starts from the encoder's best cells."""

    output_class: type[RTDetrModelOutput] = RTDetrModelOutput
    decoder_class: type[RTDetrDecoder] = RTDetrDecoder
    encoder_class: type[HybridEncoder] = HybridEncoder
    hub_names: HubNames = {"backbone": "backbone.model"}
    weight_embedding: nn.Embedding | None
    denoising_class_embed: nn.Embedding | None

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.backbone: Any = build_backbone(config)
        if config.freeze_backbone_batch_norms:
            freeze_batch_norms(self.backbone)
        size, inner = config.d_model, config.encoder_hidden_dim
        self.encoder_input_proj = nn.ModuleList(
            projection(channels, inner) for channels in self.backbone.channels
        )
        self.encoder = self.encoder_class(config)
        self.denoising_class_embed = self.weight_embedding = None
        if config.num_denoising > 0:
            labels = config.num_labels
            self.denoising_class_embed = nn.Embedding(labels + 1, size, padding_idx=labels)
        if config.learn_initial_query:
            self.weight_embedding = nn.Embedding(config.num_queries, size)
        self.enc_output = nn.Sequential(nn.Linear(size, size), nn.LayerNorm(size, eps=config.layer_norm_eps))
        self.enc_score_head = nn.Linear(size, config.num_labels)
        self.enc_bbox_head = BoxHead(size, size, 4, 3)
        self.decoder_input_proj = self.decoder_projections(config)
        self.decoder = self.decoder_class(config)
        self.post_init()

    def decoder_projections(self, config: PretrainedConfig) -> nn.ModuleList:
        """To the decoder's width; maps beyond the encoder's are made from its last one."""
        size, eps, given = config.d_model, config.batch_norm_eps, config.decoder_in_channels
        further = config.num_feature_levels - len(given)
        parts = [projection(channels, size, eps) for channels in given]
        parts += [projection(given[-1] if i == 0 else size, size, eps, halve=True) for i in range(further)]
        return nn.ModuleList(parts)

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Any, ...] | None = None,
        *,
        labels: Sequence[Target] | None = None,
    ) -> RTDetrModelOutput:
        """Images (batch, channels, height, width) to the states of the queries.

        Args:
            pixel_mask: taken for the sake of processors that make one; RT-DETR does not use it.
            encoder_outputs: of an earlier call. labels: see RTDetrForObjectDetection; in training their
                noised copies are queries as well.
        """
        config = self.config
        if encoder_outputs is None:
            image = self.backbone(pixel_values, output_hidden_states=False, output_attentions=False)
            pairs = zip(self.encoder_input_proj, image.feature_maps, strict=True)
            encoder_outputs = self.encoder([project(x) for project, x in pairs])
        encoded = as_output(encoder_outputs)
        maps = FeatureLevels.of(self._decoder_maps(encoded.last_hidden_state))
        noised = None
        if self.training and labels is not None:
            noised = noised_objects(
                labels,
                classes=config.num_labels,
                queries=config.num_queries,
                wanted=config.num_denoising,
                label_noise=config.label_noise_ratio,
                box_noise=config.box_noise_scale,
                device=pixel_values.device,
            )
        start, references, chosen = self._queries(maps, noised)
        visible = None if noised is None else noised.visible
        decoded = self.decoder(start, maps, references, visible)
        steps = {k: v for k, v in decoded.items() if k.startswith(("intermediate_", "initial_"))}
        return self.output_class.join(
            encoded,
            decoded,
            init_reference_points=references,
            denoising_meta_values=None if noised is None else noised.summary(config.num_queries),
            **steps,
            **chosen,
        )

    def _decoder_maps(self, maps: Sequence[Tensor]) -> list[Tensor]:
        found: list[Tensor] = []
        for i, project in enumerate(self.decoder_input_proj):
            found.append(project(maps[i] if i < len(maps) else maps[-1] if i == len(maps) else found[-1]))
        return found

    def _queries(
        self, maps: FeatureLevels, noised: NoisedObjects | None
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """States and logits of boxes to start from: noised objects, then the cells with the best scores."""
        anchors, valid = cell_anchors(maps)
        memory = self.enc_output(maps.states * valid)
        scores, boxes = self.enc_score_head(memory), self.enc_bbox_head(memory) + anchors
        best = scores.amax(-1).topk(self.config.num_queries, dim=1).indices[..., None]
        references = boxes.take_along_dim(best, 1)
        chosen = {
            "enc_topk_logits": scores.take_along_dim(best, 1),
            "enc_topk_bboxes": references.sigmoid(),
            "enc_outputs_class": scores,
            "enc_outputs_coord_logits": boxes,
        }
        start = memory.take_along_dim(best, 1).detach()
        if self.weight_embedding is not None:
            start = self.weight_embedding.weight.expand(len(start), -1, -1)
        if noised is not None and self.denoising_class_embed is not None:
            start = torch.cat((self.denoising_class_embed(noised.classes), start), dim=1)
            references = torch.cat((noised.boxes.to(references), references), dim=1)
        return start, references.detach(), chosen


def projection(channels: int, width: int, eps: float = 1e-5, *, halve: bool = False) -> nn.Sequential:
    """Convolution and batch norm to another width, on request to half the size."""
    conv = (
        nn.Conv2d(channels, width, 3, 2, 1, bias=False)
        if halve
        else nn.Conv2d(channels, width, 1, bias=False)
    )
    return nn.Sequential(conv, nn.BatchNorm2d(width, eps=eps))


def cell_anchors(maps: FeatureLevels) -> tuple[Tensor, Tensor]:
    """(1, cells, 4): logits of a box around each cell; and whether it lies inside of the image.

    Boxes are 0.05 wide in the first map and twice as wide in each next; the lowest logit stands where a box
    does not count.
    """
    boxes = []
    for level, grid in enumerate(maps.grids):
        centres = cell_centres(grid, maps.states.device)
        boxes.append(torch.cat((centres, torch.full_like(centres, 0.05 * 2**level)), dim=-1))
    anchors = torch.cat(boxes).to(maps.states.dtype)[None]
    valid = ((anchors > 0.01) & (anchors < 0.99)).all(-1, keepdim=True)
    return anchors.logit().masked_fill(~valid, torch.finfo(anchors.dtype).max), valid


class RTDetrForObjectDetection(RTDetrPreTrainedModel):
    """RT-DETR with the scores and the box of each query; no box suppresses another."""

    base_class: type[RTDetrModel] = RTDetrModel
    output_class: type[RTDetrObjectDetectionOutput] = RTDetrObjectDetectionOutput
    class_embed: Any
    bbox_embed: Any

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.model = self.base_class(config)
        self.build_heads(config)
        self.post_init()

    def build_heads(self, config: PretrainedConfig) -> None:
        """A classifier and a box head for each layer, which the decoder uses."""
        size, steps = config.d_model, range(config.decoder_layers)
        self.class_embed = nn.ModuleList(nn.Linear(size, config.num_labels) for _ in steps)
        self.bbox_embed = nn.ModuleList(BoxHead(size, size, 4, 3) for _ in steps)
        self.model.decoder.class_embed, self.model.decoder.bbox_embed = self.class_embed, self.bbox_embed

    def ties(self) -> dict[str, str]:
        """Heads stand in files under the decoder's name or under their own."""
        names = [
            f"{part}.{name}"
            for part in ("class_embed", "bbox_embed")
            for name, _ in self.get_submodule(part).named_parameters()
        ]
        return {name: f"model.decoder.{name}" for name in names}

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Any, ...] | None = None,
        *,
        labels: Sequence[Target] | None = None,
    ) -> RTDetrObjectDetectionOutput:
        """See `RTDetrModel`; `labels` has each image's `class_labels` (objects,) and `boxes` (objects, 4)."""
        outputs = self.model(pixel_values, pixel_mask, encoder_outputs, labels=labels)
        steps = zip(
            outputs.intermediate_logits.unbind(1),
            outputs.intermediate_reference_points.unbind(1),
            strict=True,
        )
        layers = [{"logits": scores, "pred_boxes": boxes} for scores, boxes in steps]
        loss = parts = auxiliary = None
        if labels is not None:
            loss, parts, auxiliary = self.loss(outputs, layers, labels)
        return self.output_class.carry(
            outputs,
            loss=loss,
            loss_dict=parts,
            auxiliary_outputs=auxiliary,
            **layers[-1],
        )

    def loss(
        self, outputs: RTDetrModelOutput, layers: list[dict[str, Tensor]], labels: Sequence[Target]
    ) -> tuple[Tensor, dict[str, Tensor], list[dict[str, Tensor]] | None]:
        """The loss, its parts, and the predictions before the last."""
        noise, options = outputs.denoising_meta_values, {}
        if noise is not None:
            sizes = noise["dn_num_split"]
            split = [{name: x.split(sizes, dim=1) for name, x in layer.items()} for layer in layers]
            layers = [{name: queries for name, (_, queries) in layer.items()} for layer in split]
            objects = [torch.arange(len(t["class_labels"])).repeat(noise["dn_num_group"]) for t in labels]
            options = {
                "restored": [{name: noised for name, (noised, _) in layer.items()} for layer in split],
                "restored_pairs": [
                    (places, own.to(places))
                    for places, own in zip(noise["dn_positive_idx"], objects, strict=True)
                ],
                "groups": noise["dn_num_group"],
            }
        auxiliary = None
        if self.config.auxiliary_loss:
            first = {"logits": outputs.enc_topk_logits, "pred_boxes": outputs.enc_topk_bboxes}
            auxiliary = [*layers[:-1], first]
        loss, parts = rt_detr_loss(layers[-1], labels, self.config, auxiliary or (), **options)
        return loss, parts, auxiliary
