"""LightGlue: SuperGlue with rotary positions that stops, and leaves out keypoints, as soon as it is sure."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, HIDDEN_STATES, record, taken, wants
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.lightglue.config import LightGlueConfig
from zoo_vision.superglue.model import mutual_matches


class LightGlueKeypointMatchingOutput(ModelOutput):
    """For each keypoint of each image of a pair, (pairs, 2, keypoints), its match in the other, or -1.

    `matching_scores` alike, and `prune`, the number of layers that a keypoint took part in; `keypoints`
    (pairs, 2, keypoints, 2) are x and y as fractions of the image, `mask` is 0 where an image has fewer.
    """

    loss: Tensor | None = None
    matches: Tensor | None = None
    matching_scores: Tensor | None = None
    keypoints: Tensor | None = None
    prune: Tensor | None = None
    mask: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class LightGlueMLP(nn.Module):
    """Dense layers around a normed activation."""

    def __init__(self, config: LightGlueConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.intermediate_size, config.intermediate_size)
        self.layer_norm = nn.LayerNorm(config.intermediate_size)
        self.act = activation(config.hidden_act)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.layer_norm(self.fc1(x))))


class LightGlueUnit(nn.Module):
    """Attention to keypoints of the same image or of the other, and what follows from it."""

    def __init__(self, config: LightGlueConfig, *, cross: bool) -> None:
        super().__init__()
        self.attention = Attention(
            config.hidden_size,
            config.num_attention_heads,
            num_kv_heads=config.num_key_value_heads,
            bias=config.attention_bias,
            out_bias=config.attention_bias,
            dropout=config.attention_dropout,
            cross=cross,
        )
        self.mlp = LightGlueMLP(config)

    def forward(self, x: Tensor, context: AttentionContext, rotary: RotaryTables | None = None) -> Tensor:
        """(images, keypoints, hidden) to the same shape."""
        both = torch.cat((x, self.attention(x, context, rotary=rotary)), dim=-1)
        change = self.mlp(both)
        x = x + change
        for state in (x, both, change):
            record(HIDDEN_STATES, state)
        return x


class LightGlueLayer(nn.Module):
    """A look at the own image, then one at the other."""

    hub_names: HubNames = {
        "own.attention": "self_attention",
        "own.mlp": "self_mlp",
        "other.attention": "cross_attention",
        "other.mlp": "cross_mlp",
    }

    def __init__(self, config: LightGlueConfig) -> None:
        super().__init__()
        self.own, self.other = LightGlueUnit(config, cross=False), LightGlueUnit(config, cross=True)

    def forward(self, x: Tensor, mask: Tensor, rotary: RotaryTables) -> Tensor:
        """(images, keypoints, hidden), images by pairs, where `mask` (images, keypoints)."""
        record(HIDDEN_STATES, x)
        x = self.own(x, AttentionContext(x, padding=mask), rotary)
        seen, inside = (t.unflatten(0, (-1, 2)).flip(1).flatten(0, 1) for t in (x, mask))
        return self.other(x, AttentionContext(x, encoder_states=seen, encoder_padding=inside))


class MatchAssignment(nn.Module):
    """Who resembles whom, and who has a match at all."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.final_projection, self.matchability = nn.Linear(size, size), nn.Linear(size, 1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(images, keypoints, hidden) to log chances (pairs, keypoints, keypoints)."""
        first, second = (self.final_projection(x) / x.shape[-1] ** 0.25).unflatten(0, (-1, 2)).unbind(1)
        allowed = mask.unflatten(0, (-1, 2))
        allowed = allowed[:, 0, :, None] & allowed[:, 1, None]
        lowest = torch.finfo(x.dtype).min
        scores = (first @ second.transpose(1, 2)).masked_fill(~allowed, lowest)
        sure = F.logsigmoid(self.matchability(x)).unflatten(0, (-1, 2))
        chances = scores.log_softmax(2) + scores.log_softmax(1) + sure[:, 0] + sure[:, 1].transpose(1, 2)
        return chances.masked_fill(~allowed, lowest)


class TokenConfidence(nn.Module):
    """How sure a keypoint is that its match will not change."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.token = nn.Linear(size, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.token(x.detach()).sigmoid().squeeze(-1)


class LightGlueForKeypointMatching(PreTrainedModel):
    """A detector of keypoints, and layers of attention between those of two images."""

    config_class = LightGlueConfig
    base_model_prefix = "lightglue"
    main_input_name = "pixel_values"
    hub_names: HubNames = {
        "layers": "transformer_layers",
        "positions": "positional_encoder.projector",
        "assignments": "match_assignment_layers",
        "confidences": "token_confidence",
    }

    def __init__(self, config: LightGlueConfig) -> None:
        super().__init__(config)
        size, depth = config.hidden_size, config.num_hidden_layers
        detector = config.keypoint_detector_config
        self.keypoint_detector: Any = build_part(detector, "AutoModelForKeypointDetection")
        width = detector.descriptor_decoder_dim
        self.input_projection = nn.Identity() if width == size else nn.Linear(width, size)
        self.positions = nn.Linear(2, size // config.num_attention_heads // 2, bias=False)
        self.layers = nn.ModuleList(LightGlueLayer(config) for _ in range(depth))
        self.assignments = nn.ModuleList(MatchAssignment(size) for _ in range(depth))
        self.confidences = nn.ModuleList(TokenConfidence(size) for _ in range(depth - 1))
        self.post_init()

    def forward(
        self, pixel_values: Tensor, *, labels: Tensor | None = None
    ) -> LightGlueKeypointMatchingOutput:
        """Pairs of images (pairs, 2, channels, height, width) to matches between their keypoints."""
        if labels is not None:
            raise NotImplementedError("LightGlue has no loss: leave labels out")
        if pixel_values.dim() != 5 or pixel_values.shape[1] != 2:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}, but must be pairs of images, (pairs, 2, "
                "channels, height, width)"
            )
        found = self.keypoint_detector(
            pixel_values.flatten(0, 1), output_hidden_states=False, output_attentions=False
        )
        height, width = pixel_values.shape[-2:]
        size = found.keypoints.new_tensor([width, height])
        places = (found.keypoints - 0.5) * size / (0.5 * max(height, width))
        x = self.input_projection(found.descriptors)
        matches, chances, prune = self.matched(x, self.positions(places), found.mask.bool())
        return LightGlueKeypointMatchingOutput(
            matches=matches,
            matching_scores=chances,
            keypoints=found.keypoints.unflatten(0, (-1, 2)),
            prune=prune,
            mask=found.mask.unflatten(0, (-1, 2)),
            hidden_states=tuple(taken(HIDDEN_STATES)) if wants(HIDDEN_STATES) else None,
            attentions=tuple(
                w for pair in zip(taken(ATTENTIONS), taken(CROSS_ATTENTIONS), strict=True) for w in pair
            )
            if wants(ATTENTIONS)
            else None,
        )

    def matched(self, x: Tensor, angles: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Matches, scores and layers taken part in, (pairs, 2, keypoints), of (images, keypoints, hidden).

        Pairs that are done and keypoints that are without a match leave the tensors on the way; `pairs` and
        `index` say which remain.
        """
        count, config, last = x.shape[1], self.config, len(self.layers) - 1
        pairs = torch.arange(len(x) // 2, device=x.device)
        index = torch.arange(count, device=x.device).expand(len(x), -1)
        matches, chances = torch.full_like(index, -1), x.new_zeros(len(x), count)
        layers = torch.ones_like(index) if config.width_confidence > 0 else x.new_full(index.shape, last + 1)
        matches, chances, layers = (t.unflatten(0, (-1, 2)) for t in (matches, chances, layers))
        if count == 0:
            return matches, chances, layers
        for i, layer in enumerate(self.layers):
            angle = angles.repeat_interleave(2, dim=-1)[:, None]
            x = layer(x, mask, RotaryTables(angle.cos(), angle.sin(), interleaved=True))
            done, unsure = torch.full_like(pairs, i == last, dtype=torch.bool), torch.zeros_like(mask)
            if config.depth_confidence > 0 and i < last:
                unsure = (self.confidences[i](x) < sure_enough(i, last + 1)) & mask
                share = 1 - unsure.view(len(pairs), -1).sum(1) / mask.view(len(pairs), -1).sum(1)
                done = share > config.depth_confidence
            if done.any():
                rows = done.repeat_interleave(2)
                own = self.assigned(i, x[rows], mask[rows], index[rows], count)
                matches[pairs[done]], chances[pairs[done]] = own
                if done.all():
                    break
                x, angles, mask, index, unsure = (t[~rows] for t in (x, angles, mask, index, unsure))
                pairs = pairs[~done]
            if config.width_confidence > 0:
                matchable = self.assignments[i].matchability(x).sigmoid().squeeze(-1)
                kept = matchable > 1 - config.width_confidence
                if config.depth_confidence > 0:
                    kept = kept | unsure
                mask = mask & kept
                taking = torch.zeros_like(layers[pairs]).flatten(0, 1)
                layers[pairs] += taking.scatter(1, index, mask.to(taking.dtype)).unflatten(0, (-1, 2))
                order = mask.int().argsort(dim=1, descending=True, stable=True)
                order = order[:, : int(mask.sum(1).max())]
                mask, index = mask.gather(1, order), index.gather(1, order)
                x, angles = (t.take_along_dim(order[..., None], 1) for t in (x, angles))
                if x.shape[1] == 0:
                    break
        return matches, chances, layers

    def assigned(
        self, layer: int, x: Tensor, mask: Tensor, index: Tensor, count: int
    ) -> tuple[Tensor, Tensor]:
        """Matches and scores (pairs, 2, count) of the keypoints numbered `index` (images, keypoints)."""
        scores = self.assignments[layer](x, mask)
        found, chances = mutual_matches(scores, 0.0)
        found = found.masked_fill(chances <= self.config.filter_threshold, -1)
        index = index.unflatten(0, (-1, 2))
        named = torch.where(found < 0, -1, index.flip(1).gather(2, found.clamp(min=0)))
        empty = index.new_full((*found.shape[:2], count), -1)
        return empty.scatter(2, index, named), torch.zeros_like(empty, dtype=x.dtype).scatter(
            2, index, chances
        )


def sure_enough(layer: int, layers: int) -> float:
    """The confidence of a keypoint that counts as sure after a layer; less is asked of later ones."""
    return min(max(0.8 + 0.1 * math.exp(-4.0 * layer / layers), 0.0), 1.0)
