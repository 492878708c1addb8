"""The speech encoder of version 2: causal convolutions, learned distances, attention by chunks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_audio.seamless_m4t.conformer import ConformerAttention, SpeechEncoder
from zoo_audio.seamless_m4t_v2.config import SeamlessM4Tv2Config
from zoo_core.nn.masks import AttentionContext


class ClampedKeyAttention(ConformerAttention):
    """Scores by content and by a learned vector for the distance, equal beyond either end."""

    def __init__(self, config: SeamlessM4Tv2Config) -> None:
        super().__init__(config)
        self.left, self.right = config.left_max_position_embeddings, config.right_max_position_embeddings
        self.distance_embedding = nn.Embedding(self.left + self.right + 1, self.head_dim)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        place = torch.arange(key.shape[2], device=query.device)
        distance = (place[None] - place[:, None]).clamp(-self.left, self.right) + self.left
        vectors = self.distance_embedding(distance).to(query.dtype)
        return torch.einsum("bhqd,qkd->bhqk", query, vectors) * self.scale


class ChunkedSpeechEncoder(SpeechEncoder):
    """A frame sees its own chunk and so many before it."""

    causal = True

    def make_attention(self, config: SeamlessM4Tv2Config) -> nn.Module:
        relative = config.position_embeddings_type == "relative_key"
        return ClampedKeyAttention(config) if relative else ConformerAttention(config)

    def attended(self, hidden: Tensor, mask: Tensor | None) -> Tensor | None:
        size, before = self.config.speech_encoder_chunk_size, self.config.speech_encoder_left_chunk_num
        frames = hidden.shape[1]
        if size is None or frames <= size:
            return mask
        chunk = torch.arange(frames, device=hidden.device) // size
        behind = chunk[:, None] - chunk[None]
        seen = (behind >= 0)[None] if before < 0 else ((behind >= 0) & (behind <= before))[None]
        seen = seen if mask is None else seen & mask[:, None]
        # as numbers, so that frames of padding that see nothing average all
        scores = torch.zeros_like(seen, dtype=hidden.dtype)
        return scores.masked_fill(~seen, torch.finfo(hidden.dtype).min)[:, None]
