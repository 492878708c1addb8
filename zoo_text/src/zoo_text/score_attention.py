"""Attention that shows its scores: families whose recorded weights are these (ProphetNet, SqueezeBERT)."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import Mask
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, record, wants


class ScoreAttention(Attention):
    """Attention whose recorded weights are the scores before the softmax, as the reference's are."""

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask,
        *,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        name = CROSS_ATTENTIONS if self.cross else ATTENTIONS
        if wants(name):
            scores = query @ key.transpose(2, 3) * self.scale
            scores = scores if mask.bias is None else scores + mask.bias
            if mask.allowed is not None:
                scores = scores.masked_fill(~mask.allowed, torch.finfo(scores.dtype).min)
            record(name, scores)
        return self.weigh(query, key, value, mask, name=name, bias=bias, head_mask=head_mask)[0]
