"""D-FINE: RT-DETR that sees each side of a box as a distribution, which each layer refines."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import CROSS_ATTENTIONS, HIDDEN_STATES, record
from zoo_vision.d_fine.config import DFineConfig
from zoo_vision.detr.model import BoxHead
from zoo_vision.losses.matching import Pairs, Target
from zoo_vision.losses.sides import side_losses
from zoo_vision.losses.varifocal import rt_detr_loss
from zoo_vision.nn.deformable import FeatureLevels, ring, sample_maps
from zoo_vision.rt_detr.encoder import CSPBlock, HybridEncoder, ScaleConv
from zoo_vision.rt_detr.model import (
    RTDetrDecoder,
    RTDetrDecoderLayer,
    RTDetrDecoderOutput,
    RTDetrForObjectDetection,
    RTDetrModel,
    RTDetrModelOutput,
    RTDetrObjectDetectionOutput,
)
from zoo_vision.rt_detr_v2.model import sample_cells


class DFineDecoderOutput(RTDetrDecoderOutput):
    """As RTDetrDecoderOutput, with logits of sides (batch, 1, queries, 4 x (bins + 1)) and first boxes."""

    intermediate_predicted_corners: Tensor | None = None
    initial_reference_points: Tensor | None = None


class DFineModelOutput(RTDetrModelOutput):
    """As RTDetrModelOutput, with `intermediate_predicted_corners` and `initial_reference_points`.

    As released, `intermediate_hidden_states` are (layers, batch, queries, hidden).
    """

    intermediate_predicted_corners: Tensor | None = None
    initial_reference_points: Tensor | None = None


class DFineObjectDetectionOutput(RTDetrObjectDetectionOutput):
    """As RTDetrObjectDetectionOutput, with the further fields of DFineModelOutput."""

    intermediate_predicted_corners: Tensor | None = None
    initial_reference_points: Tensor | None = None


STEPS = (
    "intermediate_logits",
    "intermediate_reference_points",
    "intermediate_predicted_corners",
    "initial_reference_points",
)
"""What a layer answers, in training one step for each."""


class ELANBlock(nn.Module):
    """A convolution, half of whose channels go on through two more blocks, all joined."""

    def __init__(self, config: DFineConfig) -> None:
        super().__init__()
        size = config.encoder_hidden_dim
        inner, depth = round(config.hidden_expansion * size // 2), round(3 * config.depth_mult)
        self.conv1 = ScaleConv(config, 2 * size, 2 * size, 1)
        self.csp_rep1 = CSPBlock(config, size, inner, inner, depth=depth)
        self.conv2 = ScaleConv(config, inner, inner, 3)
        self.csp_rep2 = CSPBlock(config, inner, inner, inner, depth=depth)
        self.conv3 = ScaleConv(config, inner, inner, 3)
        self.conv4 = ScaleConv(config, 2 * (size + inner), size, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.conv1(x).chunk(2, dim=1))
        parts.append(self.conv2(self.csp_rep1(parts[-1])))
        parts.append(self.conv3(self.csp_rep2(parts[-1])))
        return self.conv4(torch.cat(parts, dim=1))


class HalvingConv(nn.Module):
    """A 1x1 convolution, and a strided one within each channel."""

    def __init__(self, config: DFineConfig) -> None:
        super().__init__()
        size = config.encoder_hidden_dim
        self.conv1 = ScaleConv(config, size, size, 1, act=False)
        self.conv2 = ScaleConv(config, size, size, 3, stride=2, groups=size, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class DFineEncoder(HybridEncoder):
    """RT-DETR's encoder with other blocks."""

    def make_block(self, config: PretrainedConfig) -> nn.Module:
        return ELANBlock(config)  # type: ignore[arg-type]

    def make_downsample(self, config: PretrainedConfig) -> nn.Module:
        return HalvingConv(config)  # type: ignore[arg-type]

    def make_lateral(self, config: PretrainedConfig) -> nn.Module:
        return ScaleConv(config, config.encoder_hidden_dim, config.encoder_hidden_dim, 1, act=False)


class RaggedDeformableAttention(nn.Module):
    """Points of maps, of each map as many as wanted, without projections of values or of the result."""

    num_points_scale: Tensor

    def __init__(self, config: DFineConfig) -> None:
        super().__init__()
        size, self.num_heads = config.d_model, config.decoder_attention_heads
        self.points, self.offset_scale = config.points_per_level, config.decoder_offset_scale
        self.whole_cells = config.decoder_method == "discrete"
        count = self.num_heads * sum(self.points)
        self.sampling_offsets, self.attention_weights = Linear(size, 2 * count), Linear(size, count)
        self.register_buffer("num_points_scale", torch.cat([torch.full((n,), 1 / n) for n in self.points]))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Points start in a ring of directions, one for each head; weights even."""
        for part in (self.sampling_offsets, self.attention_weights):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)
        steps = [ring(self.num_heads, 1, n)[:, 0] for n in self.points]
        self.sampling_offsets.bias.copy_(torch.cat(steps, dim=1).flatten())

    def forward(self, hidden: Tensor, maps: FeatureLevels, references: Tensor, *, places: Tensor) -> Tensor:
        """(batch, queries, hidden) to the same; `references` (batch, queries, 1, 4) are boxes."""
        asked = hidden + places
        offsets = self.sampling_offsets(asked).unflatten(-1, (self.num_heads, -1, 2))
        weights = self.attention_weights(asked).unflatten(-1, (self.num_heads, -1)).softmax(-1)
        record(CROSS_ATTENTIONS, weights)
        scale = self.num_points_scale.to(offsets)[:, None] * self.offset_scale
        boxes = references[:, :, None]
        at = boxes[..., :2] + offsets * scale * boxes[..., 2:]
        values = [x.unflatten(1, (self.num_heads, -1)) for x in maps.split()]
        sample = sample_cells if self.whole_cells else sample_maps
        found = sample(values, at.split(self.points, dim=3))
        mixed = (found * weights.transpose(1, 2)[:, :, None]).sum(-1)
        return mixed.flatten(1, 2).transpose(1, 2)


class Gate(nn.Module):
    """The normalised sum of two states, each weighed in each feature."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.gate, self.norm = nn.Linear(2 * size, 2 * size), nn.LayerNorm(size)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        one, other = self.gate(torch.cat((first, second), dim=-1)).sigmoid().chunk(2, dim=-1)
        return self.norm(one * first + other * second)


class DFineDecoderLayer(RTDetrDecoderLayer):
    """Self-attention of the queries, points of the maps through a gate, a feed-forward block."""

    def __init__(self, config: DFineConfig, index: int) -> None:
        super().__init__(config, index)
        self.cross_attn_layer_norm = None
        self.gateway = Gate(config.d_model)

    def make_cross_attention(self, config: PretrainedConfig, index: int) -> nn.Module:
        return RaggedDeformableAttention(config)  # type: ignore[arg-type]

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        maps: FeatureLevels,
        references: Tensor,
        places: Tensor,
    ) -> Tensor:
        assert self.cross_attn is not None
        attended = self.self_attn(hidden, context, places=places)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        seen = self.cross_attn(hidden, maps, references[:, :, None], places=places)
        hidden = self.gateway(hidden, self.dropout(seen))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))


class QualityHead(nn.Module):
    """What the distributions of a box's sides, peaked or flat, say about its class scores."""

    def __init__(self, config: DFineConfig) -> None:
        super().__init__()
        self.top = config.top_prob_values
        self.reg_conf = BoxHead(4 * (self.top + 1), config.lqe_hidden_dim, 1, config.lqe_layers)

    def forward(self, scores: Tensor, sides: Tensor) -> Tensor:
        """Scores (batch, queries, labels), given `sides` (batch, queries, 4, bins + 1), logits."""
        best = sides.softmax(-1).topk(self.top, dim=-1).values
        known = torch.cat((best, best.mean(-1, keepdim=True)), dim=-1).flatten(2)
        return scores + self.reg_conf(known)


def bin_distances(bins: int, up: Tensor, scale: Tensor) -> Tensor:
    """(bins + 1,): what each bin stands for, close around 0 and ever further apart."""
    limit = up[0].abs() * scale.abs()[0]
    step = (limit + 1) ** (2 / (bins - 2))
    right = step ** torch.arange(1, bins // 2, device=up.device) - 1
    ends = (2 * limit)[None]
    return torch.cat((-ends, -right.flip(0), torch.zeros_like(ends), right, ends))


def box_of_sides(first: Tensor, distances: Tensor, scale: Tensor) -> Tensor:
    """Boxes (..., 4) whose left, top, right and bottom lie off those of `first` by `distances` (..., 4)."""
    scale = scale.abs()
    size = first[..., 2:] / scale
    low = first[..., :2] - (0.5 * scale + distances[..., :2]) * size
    high = first[..., :2] + (0.5 * scale + distances[..., 2:]) * size
    return torch.cat(((low + high) / 2, high - low), dim=-1)


class DFineDecoder(RTDetrDecoder):
    """Layers, each of which refines the distributions of the sides of boxes that the first has found."""

    config_class = DFineConfig
    layer_class = DFineDecoderLayer

    def __init__(self, config: DFineConfig) -> None:
        super().__init__(config)
        size = config.d_model
        self.pre_bbox_head = BoxHead(size, size, 4, 3)
        self.lqe_layers = nn.ModuleList(QualityHead(config) for _ in range(config.decoder_layers))
        self.reg_scale = nn.Parameter(torch.tensor([config.reg_scale]), requires_grad=False)
        self.up = nn.Parameter(torch.tensor([config.up]), requires_grad=False)

    def forward(
        self, hidden: Tensor, maps: FeatureLevels, references: Tensor, visible: Tensor | None
    ) -> DFineDecoderOutput:
        context = AttentionContext(hidden, visible)
        boxes = references.sigmoid()
        distances = bin_distances(self.config.max_num_bins, self.up, self.reg_scale)
        states, answer = [], DFineDecoderOutput(last_hidden_state=hidden)
        steps: dict[str, list[Tensor]] = {name: [] for name in STEPS}
        start = first = before = boxes
        sides = torch.zeros((), device=hidden.device)
        last = self.config.eval_idx % len(self.layers)
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            places = self.query_pos_head(boxes).clamp(-10, 10)
            hidden = layer(hidden, context, maps=maps, references=boxes, places=places)
            states.append(hidden)
            if self.class_embed is None or self.bbox_embed is None:
                continue
            if i == 0:
                start = (self.pre_bbox_head(hidden) + boxes.logit(eps=1e-5)).sigmoid()
                first = start.detach()
            sides = self.bbox_embed[i](hidden if i == 0 else hidden + before) + sides
            logits = sides.unflatten(-1, (4, -1))
            found = box_of_sides(first, logits.softmax(-1) @ distances, self.reg_scale)
            if self.training or i == last:
                scores = self.class_embed[i](hidden)
                if self.training and i == 0:  # what the first box head alone says
                    steps["intermediate_logits"].append(scores)
                    steps["intermediate_reference_points"].append(start)
                answers = (self.lqe_layers[i](scores, logits), found, sides, first)
                for name, value in zip(STEPS, answers, strict=True):
                    steps[name].append(value)
            if i == last and not self.training:
                break
            boxes, before = found.detach(), hidden.detach()
        record(HIDDEN_STATES, hidden)
        answer.last_hidden_state, answer.intermediate_hidden_states = hidden, torch.stack(states)
        for name, values in steps.items():
            if values:
                answer[name] = torch.stack(values, dim=1)
        return answer


class DFineModel(RTDetrModel):
    """Backbone, encoder and decoder."""

    config_class = DFineConfig
    output_class = DFineModelOutput
    encoder_class = DFineEncoder
    decoder_class = DFineDecoder

    def decoder_projections(self, config: PretrainedConfig) -> nn.ModuleList:
        parts = super().decoder_projections(config)
        for i, channels in enumerate(config.decoder_in_channels):
            if channels == config.d_model:
                parts[i] = nn.Identity()
        return parts


class DFineForObjectDetection(RTDetrForObjectDetection):
    """D-FINE with the scores and the box of each query."""

    config_class = DFineConfig
    base_class = DFineModel
    output_class = DFineObjectDetectionOutput

    def build_heads(self, config: PretrainedConfig) -> None:
        size, steps = config.d_model, range(config.decoder_layers)
        self.class_embed = nn.ModuleList(nn.Linear(size, config.num_labels) for _ in steps)
        bins = 4 * (config.max_num_bins + 1)
        self.bbox_embed = nn.ModuleList(BoxHead(size, size, bins, 3) for _ in steps)
        self.model.decoder.class_embed, self.model.decoder.bbox_embed = self.class_embed, self.bbox_embed

    def loss(
        self, outputs: RTDetrModelOutput, layers: list[dict[str, Tensor]], labels: Sequence[Target]
    ) -> tuple[Tensor, dict[str, Tensor], list[dict[str, Tensor]] | None]:
        """The loss, its parts, and the predictions before the last.

        Without noised objects, so also in evaluation, only the last prediction counts. As released, the
        first of two box heads makes the first of the steps, so that the sides of each layer stand with the
        scores and boxes of the one before.
        """
        noise = outputs.denoising_meta_values
        if noise is None or not self.config.auxiliary_loss:
            last = layers[-1] if noise is None else _queries(layers[-1], noise["dn_num_split"])[1]
            return *rt_detr_loss(last, labels, self.config), None
        decoder, config = self.model.decoder, self.config
        sides = zip(
            outputs.intermediate_predicted_corners.unbind(1),
            outputs.initial_reference_points.unbind(1),
            strict=True,
        )
        known = [{"pred_corners": side, "ref_points": first} for side, first in sides]
        teacher = {"teacher_corners": known[-1]["pred_corners"], "teacher_logits": layers[-1]["logits"]}
        steps = [layer | own | teacher for layer, own in zip(layers, known, strict=False)]
        split = [_queries(step, noise["dn_num_split"]) for step in [*steps, layers[-1]]]
        encoded = {"logits": outputs.enc_topk_logits, "pred_boxes": outputs.enc_topk_bboxes}
        auxiliary = [*(own for _, own in split[:-2]), encoded]
        objects = [torch.arange(len(t["class_labels"])).repeat(noise["dn_num_group"]) for t in labels]
        places = noise["dn_positive_idx"]
        scale = decoder.reg_scale.detach().abs()
        bins = bin_distances(config.max_num_bins, decoder.up.detach(), scale)

        def further(one: dict[str, Tensor], pairs: Pairs, count: Tensor) -> dict[str, Tensor]:
            if "pred_corners" not in one:
                return {}
            found = side_losses(one, labels, pairs, count, bins, scale)
            weights = {"loss_fgl": config.weight_loss_fgl, "loss_ddf": config.weight_loss_ddf}
            return {name: weights[name] * value for name, value in found.items()}

        loss, parts = rt_detr_loss(
            split[-1][1],
            labels,
            config,
            auxiliary,
            restored=[noised for noised, _ in split[:-1]],
            restored_pairs=[(at, own.to(at)) for at, own in zip(places, objects, strict=True)],
            groups=noise["dn_num_group"],
            further=further,
        )
        return loss, parts, auxiliary


def _queries(step: dict[str, Tensor], sizes: list[int]) -> list[dict[str, Tensor]]:
    """What a step says of noised objects, and of the queries."""
    parts = {name: x.split(sizes, dim=1) for name, x in step.items()}
    return [{name: x[i] for name, x in parts.items()} for i in range(2)]
