"""SuperGlue: keypoints of two images look at each other, and are matched by optimal transport."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken, wants
from zoo_vision.superglue.config import SuperGlueConfig


class KeypointMatchingOutput(ModelOutput):
    """For each keypoint of each image of a pair, (pairs, 2, keypoints), its match in the other, or -1.

    `matching_scores` alike; `keypoints` (pairs, 2, keypoints, 2) are x and y as fractions of the image, and
    `mask` is 0 where an image has fewer. `hidden_states` are (pairs, 2, width, keypoints).
    """

    loss: Tensor | None = None
    matches: Tensor | None = None
    matching_scores: Tensor | None = None
    keypoints: Tensor | None = None
    mask: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DenseNorm(nn.Module):
    """Dense layer, batch norm over all keypoints, ReLU."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.linear, self.batch_norm = nn.Linear(size, width), nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.batch_norm(self.linear(x).transpose(1, 2)).transpose(1, 2))
        record(HIDDEN_STATES, x)
        return x


class KeypointMLP(nn.Sequential):
    """Dense layers with batch norm, and a last one without."""

    def __init__(self, sizes: Sequence[int]) -> None:
        pairs = list(pairwise(sizes))
        super().__init__(*(DenseNorm(*pair) for pair in pairs[:-1]), nn.Linear(*pairs[-1]))

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        x = super().forward(x)
        record(HIDDEN_STATES, x)
        return x


class SuperGlueLayer(nn.Module):
    """Attention to keypoints of the same image or of the other, and what follows from it."""

    hub_names: HubNames = {
        "self_attn": "attention.self",
        "self_attn.q_proj": "attention.self.query",
        "self_attn.k_proj": "attention.self.key",
        "self_attn.v_proj": "attention.self.value",
        "self_attn.o_proj": "attention.output.dense",
    }

    def __init__(self, config: SuperGlueConfig) -> None:
        super().__init__()
        size = config.hidden_size
        dropout = config.attention_probs_dropout_prob
        self.self_attn = Attention(size, config.num_attention_heads, dropout=dropout, cross=True)
        self.mlp = KeypointMLP([2 * size, 2 * size, size])

    def forward(self, x: Tensor, context: AttentionContext) -> Tensor:
        """(images, keypoints, hidden); the context says what is looked at."""
        return x + self.mlp(torch.cat((x, self.self_attn(x, context)), dim=-1))


def transported(scores: Tensor, bin_score: Tensor, iterations: int) -> Tensor:
    """(pairs, m + 1, n + 1) log of the optimal assignment for scores (pairs, m, n), with a bin on each side.

    Sinkhorn's algorithm (https://arxiv.org/abs/1306.0895).
    """
    pairs, m, n = scores.shape
    side, below = bin_score.expand(pairs, m, 1), bin_score.expand(pairs, 1, n + 1)
    scores = torch.cat((torch.cat((scores, side), dim=2), below), dim=1)
    norm = -math.log(m + n)
    rows, columns = scores.new_full((m + 1,), norm), scores.new_full((n + 1,), norm)
    rows[-1], columns[-1] = math.log(n) + norm, math.log(m) + norm
    down, across = torch.zeros_like(scores[:, :, 0]), torch.zeros_like(scores[:, 0])
    for _ in range(iterations):
        down = rows - (scores + across[:, None]).logsumexp(2)
        across = columns - (scores + down[:, :, None]).logsumexp(1)
    return scores + down[:, :, None] + across[:, None] - norm


def mutual_matches(scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Matches (pairs, 2, keypoints), -1 for none, and their scores, of log chances (pairs, first, second)."""
    best, partner = scores.max(2)
    back = scores.max(1).indices
    places = torch.arange(scores.shape[1], device=scores.device)
    mutual = back.take_along_dim(partner, 1) == places
    mutual_back = partner.take_along_dim(back, 1) == places
    valid = mutual & (best.exp() > threshold)
    valid_back = mutual_back & valid.take_along_dim(back, 1)
    chance = torch.where(valid, best.exp(), 0.0)
    chance_back = torch.where(valid_back, chance.take_along_dim(back, 1), 0.0)
    matches = torch.stack((partner.where(valid, -1), back.where(valid_back, -1)), dim=1)
    return matches, torch.stack((chance, chance_back), dim=1)


class SuperGlueForKeypointMatching(PreTrainedModel):
    """A detector of keypoints, layers of attention between those of two images, and their assignment."""

    config_class = SuperGlueConfig
    base_model_prefix = "superglue"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked",)
    hub_names: HubNames = {
        "keypoint_encoder": "keypoint_encoder.encoder",
        "layers": "gnn.layers",
        "final_projection": "final_projection.final_proj",
    }

    def __init__(self, config: SuperGlueConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.keypoint_detector: Any = build_part(
            config.keypoint_detector_config, "AutoModelForKeypointDetection"
        )
        self.keypoint_encoder = KeypointMLP([3, *config.keypoint_encoder_sizes, size])
        self.layers = nn.ModuleList(SuperGlueLayer(config) for _ in config.gnn_layers_types)
        self.final_projection = nn.Linear(size, size)
        self.bin_score = nn.Parameter(torch.tensor(1.0))
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> KeypointMatchingOutput:
        """Pairs of images (pairs, 2, channels, height, width) to matches between their keypoints."""
        if labels is not None:
            raise NotImplementedError("SuperGlue has no loss: leave labels out")
        if pixel_values.dim() != 5 or pixel_values.shape[1] != 2:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}, but must be pairs of images, (pairs, 2, "
                "channels, height, width)"
            )
        height, width = pixel_values.shape[-2:]
        found = self.keypoint_detector(
            pixel_values.flatten(0, 1), output_hidden_states=False, output_attentions=False
        )
        pairs, count = len(pixel_values), found.keypoints.shape[1]
        keypoints, mask = found.keypoints.unflatten(0, (-1, 2)), found.mask.unflatten(0, (-1, 2))
        if count == 0:
            none = keypoints.new_zeros(pairs, 2, 0)
            return KeypointMatchingOutput(
                matches=none.int() - 1, matching_scores=none, keypoints=keypoints, mask=mask
            )
        places = self.normalized(found.keypoints, height, width)
        x = self.keypoint_encoder(torch.cat((places, found.scores[..., None]), dim=-1))
        x = found.descriptors + x
        record(HIDDEN_STATES, x)
        for kind, layer in zip(self.config.gnn_layers_types, self.layers, strict=True):
            seen, inside = x, found.mask
            if kind == "cross":
                seen = seen.unflatten(0, (-1, 2)).flip(1).flatten(0, 1)
                inside = mask.flip(1).flatten(0, 1)
            x = layer(x, AttentionContext(x, encoder_states=seen, encoder_padding=inside))
        x = self.final_projection(x)
        record(HIDDEN_STATES, x)
        first, second = x.unflatten(0, (-1, 2)).unbind(1)
        scores = first @ second.transpose(1, 2) / self.config.hidden_size**0.5
        allowed = mask[:, 0, :, None].bool() & mask[:, 1, None].bool()
        scores = scores.masked_fill(~allowed, max(-1e9, torch.finfo(scores.dtype).min))
        scores = transported(scores, self.bin_score, self.config.sinkhorn_iterations)[:, :-1, :-1]
        matches, chances = mutual_matches(scores, self.config.matching_threshold)
        return KeypointMatchingOutput(
            matches=matches,
            matching_scores=chances,
            keypoints=keypoints,
            mask=mask,
            hidden_states=tuple(s.transpose(1, 2).unflatten(0, (-1, 2)) for s in taken(HIDDEN_STATES))
            if wants(HIDDEN_STATES)
            else None,
            attentions=tuple(w.unflatten(0, (-1, 2)) for w in taken("cross_attentions"))
            if wants(ATTENTIONS)
            else None,
        )

    def normalized(self, keypoints: Tensor, height: int, width: int) -> Tensor:
        """Fractions of the image (..., 2) as distances from its centre, in 0.7 of its longer side."""
        size = keypoints.new_tensor([width, height])
        return (keypoints - 0.5) * size / (0.7 * max(height, width))
