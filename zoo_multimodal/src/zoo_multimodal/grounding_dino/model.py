"""Grounding DINO: a detector whose classes are the phrases of a prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.parts import build_part
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, HIDDEN_STATES, record, taken
from zoo_multimodal.grounding_dino.config import GroundingDinoConfig, GroundingDinoSizes
from zoo_multimodal.grounding_dino.layers import GroundingDinoDecoderLayer, GroundingDinoEncoderLayer
from zoo_multimodal.grounding_dino.losses import grounding_loss
from zoo_multimodal.grounding_dino.outputs import (
    GroundingDinoDecoderOutput,
    GroundingDinoEncoderOutput,
    GroundingDinoModelOutput,
    GroundingDinoObjectDetectionOutput,
)
from zoo_multimodal.grounding_dino.phrases import phrase_attention, phrase_tokens
from zoo_vision.deformable_detr.model import LevelledBackbone, cell_proposals, cell_references, shifted
from zoo_vision.detr.model import BoxHead, sine_places, sines
from zoo_vision.losses.matching import Target
from zoo_vision.nn.deformable import FeatureLevels


class GroundingDinoPreTrainedModel(PreTrainedModel):
    """What all Grounding DINO classes share."""

    config_class = GroundingDinoConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    ignored_names = ("*position_ids", "*relative_position_index", "*num_batches_tracked")

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GroundingDinoModel):
            nn.init.normal_(module.level_embed)
        elif isinstance(module, BoxHead) and module.layers[-1].out_features == 4:
            nn.init.zeros_(module.layers[-1].weight)
            nn.init.zeros_(module.layers[-1].bias)


class TokenScores(nn.Module):
    """How well tokens fit states, as dot products."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.length = config.max_text_len

    def forward(self, states: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        """(batch, states, max_text_len), minus infinity where there is no token."""
        scores = self.compare(states, text).masked_fill(~text_mask[:, None], -torch.inf)
        return F.pad(scores, (0, self.length - scores.shape[-1]), value=-torch.inf)

    def compare(self, states: Tensor, text: Tensor) -> Tensor:
        """(batch, states, sequence)."""
        return states @ text.transpose(-1, -2)


class GroundingDinoEncoder(GroundingDinoPreTrainedModel):
    """Layers over cells and tokens."""

    def __init__(self, config: GroundingDinoSizes) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(GroundingDinoEncoderLayer(config) for _ in range(config.encoder_layers))

    def forward(
        self,
        maps: FeatureLevels,
        text: Tensor,
        *,
        places: Tensor,
        ratios: Tensor,
        text_mask: Tensor,
        phrases: Tensor,
        positions: Tensor,
    ) -> GroundingDinoEncoderOutput:
        """New states of cells (batch, cells, hidden) and of tokens (batch, sequence, hidden).

        Args:
            places, ratios: see `Levels`. phrases, positions: see `phrase_attention`.
            text_mask: (batch, sequence), False in padding.
        """
        waves = sines(positions * 2 * math.pi, self.config.d_model).to(text)
        options: dict[str, Any] = {
            "references": cell_references(maps, ratios),
            "places": places,
            "phrases": AttentionContext(text, phrases),
            "text_mask": text_mask,
            "text_places": waves,
        }
        for layer in self.layers:
            record(HIDDEN_STATES, maps.states)
            record(HIDDEN_STATES, text)
            maps, text = layer(maps, text, **options)
        record(HIDDEN_STATES, maps.states)
        record(HIDDEN_STATES, text)
        vision_states, text_states = _dealt(HIDDEN_STATES, 2) or (None, None)
        return GroundingDinoEncoderOutput(
            last_hidden_state_vision=maps.states,
            last_hidden_state_text=text,
            vision_hidden_states=vision_states,
            text_hidden_states=text_states,
            attentions=_dealt(CROSS_ATTENTIONS, 2) + _dealt(ATTENTIONS, 2) or None,
        )


def _dealt(name: str, kinds: int) -> tuple[tuple[Tensor, ...], ...]:
    """What the call under way has collected of `name`, dealt out in turn to so many kinds."""
    found = taken(name)
    return tuple(tuple(found[i::kinds]) for i in range(kinds)) if found else ()


class GroundingDinoDecoder(GroundingDinoPreTrainedModel):
    """Layers over the queries; with `bbox_embed`, the detector's, each moves their boxes."""

    hub_names: HubNames = {"norm": "layer_norm"}
    bbox_embed: nn.ModuleList | None
    class_embed: nn.ModuleList | None

    def __init__(self, config: GroundingDinoSizes) -> None:
        super().__init__(config)
        size = config.d_model
        self.layers = nn.ModuleList(GroundingDinoDecoderLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.reference_points_head = BoxHead(config.query_dim // 2 * size, size, size, 2)
        self.bbox_embed = self.class_embed = None

    def forward(
        self,
        hidden: Tensor,
        maps: FeatureLevels,
        references: Tensor,
        *,
        ratios: Tensor,
        text: Tensor,
        text_mask: Tensor,
    ) -> GroundingDinoDecoderOutput:
        """Queries (batch, queries, hidden) and their boxes to what maps and text make of them."""
        context = AttentionContext(hidden, encoder_states=text, encoder_padding=text_mask)
        inside = ratios.repeat(1, 1, 2)[:, None]
        states, moved = [], []
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, self.norm(hidden))
            boxes = references[:, :, None] * inside
            x, y, width, height = sines(boxes[:, :, 0] * 2 * math.pi, self.config.d_model // 2).unbind(2)
            waves = torch.cat((y, x, width, height), dim=-1).to(hidden)
            places = self.reference_points_head(waves)
            hidden = layer(hidden, context, maps=maps, references=boxes, places=places)
            if self.bbox_embed is not None:
                references = shifted(references, self.bbox_embed[i](hidden)).sigmoid().detach()
            states.append(self.norm(hidden))
            moved.append(references)
        record(HIDDEN_STATES, states[-1])
        return GroundingDinoDecoderOutput(
            last_hidden_state=states[-1],
            intermediate_hidden_states=torch.stack(states, 1),
            intermediate_reference_points=torch.stack(moved, 1),
            attentions=_dealt(ATTENTIONS, 1) + _dealt(CROSS_ATTENTIONS, 2) or None,
        )


class GroundingDinoModel(LevelledBackbone, GroundingDinoPreTrainedModel):
    """Image backbone, text model, encoder of both, and a decoder that starts from its best cells."""

    scores_class: ClassVar[type[TokenScores]] = TokenScores

    @property
    def hub_names(self) -> HubNames:
        return {**super().hub_names, "input_proj": "input_proj_vision"}

    def __init__(self, config: GroundingDinoSizes) -> None:
        super().__init__(config)
        size = config.d_model
        self.build_levels(config)
        self.text_backbone = build_part(config.text_config, add_pooling_layer=False)
        self.text_projection = nn.Linear(config.text_config.hidden_size, size)
        self.query_position_embeddings = nn.Embedding(config.num_queries, size)
        self.encoder, self.decoder = GroundingDinoEncoder(config), GroundingDinoDecoder(config)
        self.enc_output = nn.Linear(size, size)
        self.enc_output_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.encoder_output_class_embed = self.scores_class(config)
        self.encoder_output_bbox_embed = BoxHead(size, size, 4, 3)
        self.post_init()

    def sine_places(self, mask: Tensor) -> Tensor:
        base = self.config.positional_embedding_temperature
        return sine_places(mask, self.config.d_model // 2, base=base)

    def get_input_embeddings(self) -> nn.Module:
        return self.text_backbone.get_input_embeddings()

    def forward(
        self,
        pixel_values: Tensor,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        encoder_outputs: GroundingDinoEncoderOutput | tuple[Any, ...] | None = None,
    ) -> GroundingDinoModelOutput:
        """Images and a prompt for each to the states (batch, queries, hidden) of the queries.

        Args:
            pixel_values: (batch, channels, height, width). pixel_mask: (batch, height, width), 0 in padding.
            input_ids: (batch, sequence), phrases that end in a full stop; what lies beyond
                `config.max_text_len` is left out.
            encoder_outputs: of an earlier call.
        """
        if len(input_ids) != len(pixel_values):
            raise ValueError(
                f"{len(pixel_values)} images came with {len(input_ids)} prompts; give one for each"
            )
        text_mask = kept_tokens(input_ids, attention_mask, self.config.max_text_len)
        input_ids = input_ids[:, : text_mask.shape[1]]
        if token_type_ids is not None:
            token_type_ids = token_type_ids[:, : text_mask.shape[1]]
        maps, masks, places, ratios = self.see(pixel_values, pixel_mask)
        phrases, positions = phrase_attention(input_ids)
        prompt = self.text_backbone(
            input_ids,
            attention_mask=phrases,
            token_type_ids=token_type_ids,
            position_ids=positions,
            output_hidden_states=False,
            output_attentions=False,
        )
        prompt = self.text_projection(prompt.last_hidden_state)
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                maps,
                prompt,
                places=places,
                ratios=ratios,
                text_mask=text_mask,
                phrases=phrases,
                positions=positions,
            )
        if not isinstance(encoder_outputs, GroundingDinoEncoderOutput):
            encoder_outputs = GroundingDinoEncoderOutput(*encoder_outputs)
        text = encoder_outputs.last_hidden_state_text
        maps = maps.with_states(encoder_outputs.last_hidden_state_vision)
        references, found = self._propose(maps, masks, text, text_mask)
        start = self.query_position_embeddings.weight.expand(len(text), -1, -1)
        # as released, the queries as they start, and tokens that have not seen the image
        found["encoder_logits"] = self.encoder_output_class_embed(start, prompt, text_mask)
        decoded = self.decoder(start, maps, references, ratios=ratios, text=text, text_mask=text_mask)
        return GroundingDinoModelOutput(
            last_hidden_state=decoded.last_hidden_state,
            init_reference_points=references,
            intermediate_hidden_states=decoded.intermediate_hidden_states,
            intermediate_reference_points=decoded.intermediate_reference_points,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            **{f"encoder_{name}": value for name, value in encoder_outputs.items()},
            **found,
        )

    def _propose(
        self, maps: FeatureLevels, masks: Sequence[Tensor], text: Tensor, text_mask: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Boxes (batch, queries, 4) of the cells that fit some token best, and fields of the output."""
        anchors, valid = cell_proposals(masks, maps)
        memory = self.enc_output_norm(self.enc_output(maps.states.masked_fill(~valid, 0.0)))
        scores = self.encoder_output_class_embed(memory, text, text_mask)
        boxes = self.encoder_output_bbox_embed(memory) + anchors
        if scores.shape[1] < self.config.num_queries:
            raise ValueError(
                f"the images give {scores.shape[1]} cells, fewer than the {self.config.num_queries} queries; "
                "pass larger images, or a model with a smaller config.num_queries"
            )
        best = scores.amax(-1).topk(self.config.num_queries, dim=1).indices[..., None]
        references = boxes.take_along_dim(best, 1).sigmoid()
        return references.detach(), {
            "enc_outputs_class": scores,
            "enc_outputs_coord_logits": boxes,
            "encoder_pred_boxes": references,
        }


def kept_tokens(input_ids: Tensor, attention_mask: Tensor | None, most: int) -> Tensor:
    """(batch, sequence or `most`) bool: the tokens that count."""
    if attention_mask is None:
        attention_mask = torch.ones_like(input_ids)
    return attention_mask[:, :most].bool()


class GroundingDinoForObjectDetection(GroundingDinoPreTrainedModel):
    """Grounding DINO with each query's box and how well it fits each token of the prompt."""

    model_class: ClassVar[type[GroundingDinoModel]] = GroundingDinoModel
    class_embed: Any
    bbox_embed: Any

    def __init__(self, config: GroundingDinoSizes) -> None:
        super().__init__(config)
        size, steps = config.d_model, range(config.decoder_layers)
        self.model = self.model_class(config)
        self.class_embed = nn.ModuleList(self.model.scores_class(config) for _ in steps)
        shared = getattr(config, "decoder_bbox_embed_share", False)
        boxes = [BoxHead(size, size, 4, 3) for _ in (range(1) if shared else steps)]
        self.bbox_embed = nn.ModuleList(boxes * len(steps) if shared else boxes)
        self.model.decoder.bbox_embed, self.model.decoder.class_embed = self.bbox_embed, self.class_embed
        self.post_init()

    def ties(self) -> dict[str, str]:
        """Heads stand in files under the decoder's name, the first and what all share under their own."""
        found = {}
        for part in ("class_embed", "bbox_embed"):
            for name, _ in self.get_submodule(part).named_parameters(remove_duplicate=False):
                number, rest = name.split(".", 1)
                own, inner = f"{part}.{name}", f"model.decoder.{part}.{name}"
                if part == "bbox_embed" and self.bbox_embed[0] is self.bbox_embed[-1]:
                    own = f"{part}.0.{rest}"
                    found |= {inner: own} | ({f"{part}.{name}": own} if number != "0" else {})
                else:
                    found |= {inner: own} if number == "0" else {own: inner}
        return found

    def forward(
        self,
        pixel_values: Tensor,
        input_ids: Tensor,
        token_type_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        encoder_outputs: GroundingDinoEncoderOutput | tuple[Any, ...] | None = None,
        *,
        labels: Sequence[Target] | None = None,
    ) -> GroundingDinoObjectDetectionOutput:
        """See `GroundingDinoModel`.

        `labels` has each image's `class_labels` (objects,), which count the phrases of its prompt, and
        `boxes` (objects, 4).
        """
        outputs = self.model(
            pixel_values, input_ids, token_type_ids, attention_mask, pixel_mask, encoder_outputs
        )
        text_mask = kept_tokens(input_ids, attention_mask, self.config.max_text_len)
        input_ids = input_ids[:, : text_mask.shape[1]]
        steps = self.config.decoder_layers
        wanted = range(steps) if labels is not None and self.config.auxiliary_loss else [steps - 1]
        *earlier, last = [self._predict(outputs, i, text_mask) for i in wanted]
        found: dict[str, Any] = {}
        if labels is not None:
            mask = F.pad(text_mask, (0, self.config.max_text_len - text_mask.shape[1]))
            grounds: dict[str, Any] = {
                "label_maps": phrase_tokens(input_ids, self.config.max_text_len),
                "text_mask": mask[:, None].expand(last["logits"].shape),
            }
            first = {"logits": outputs.encoder_logits, "pred_boxes": outputs.encoder_pred_boxes}
            found["loss"], found["loss_dict"] = grounding_loss(
                last, first, labels, self.config, auxiliary=earlier, **grounds
            )
            found["auxiliary_outputs"] = [one | grounds for one in earlier] or None
        return GroundingDinoObjectDetectionOutput.carry(outputs, input_ids=input_ids, **last, **found)

    def _predict(self, outputs: GroundingDinoModelOutput, layer: int, text_mask: Tensor) -> dict[str, Tensor]:
        """`logits` and `pred_boxes` of one layer of the decoder."""
        hidden = outputs.intermediate_hidden_states[:, layer]
        before = (
            outputs.init_reference_points
            if layer == 0
            else outputs.intermediate_reference_points[:, layer - 1]
        )
        text = outputs.encoder_last_hidden_state_text
        return {
            "logits": self.class_embed[layer](hidden, text, text_mask),
            "pred_boxes": shifted(before, self.bbox_embed[layer](hidden)).sigmoid(),
        }
