"""MRA: a BERT whose attention is exact for some blocks of tokens and coarse for the rest."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bert.model import BertLayer
from zoo_text.mra.attention import BLOCK, multiresolution_attention
from zoo_text.mra.config import MraConfig
from zoo_text.nystromformer import model as nystromformer
from zoo_text.yoso.model import YosoForTokenClassification


class MraPreTrainedModel(PreTrainedModel):
    """What all MRA classes share."""

    config_class = MraConfig
    base_model_prefix = "mra"
    ignored_names = ("*position_ids", "*token_type_ids")


class MraAttention(Attention):
    """Attention at two resolutions.

    The reference computes it on CUDA devices alone: on the CPU, where it lacks its kernel, its attention
    comes to zero, and its published numbers with it. The same happens here, with a warning, unless the
    implementation "eager" is asked for, which computes it anywhere.
    """

    def __init__(self, config: MraConfig) -> None:
        super().__init__(config.hidden_size, config.num_attention_heads)
        rows = config.max_position_embeddings // BLOCK
        self.options: dict[str, Any] = {
            "scale": self.scale,
            "blocks": rows * config.block_per_row,
            "coarse": config.approx_mode == "full",
            "first": config.initial_prior_first_n_blocks,
            "diagonals": config.initial_prior_diagonal_n_blocks,
        }

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        if self.implementation != "eager" and hidden.device.type == "cpu":
            warnings.warn(
                "MRA's attention is left out on the CPU, as the reference leaves it out; for the model as it "
                "was trained call model.set_attn_implementation('eager'), or pass "
                "attn_implementation='eager' to from_pretrained",
                stacklevel=2,
            )
            return self.o_proj(torch.zeros_like(hidden))
        query, key, value = self.heads(hidden, rotary)
        kept = hidden.new_ones(hidden.shape[:2])
        if context.bias is not None or (context.padding is not None and context.padding.shape[-2] > 1):
            raise ValueError("MRA takes an attention_mask (batch, sequence) alone: blocks see all or nothing")
        if context.padding is not None:
            kept = context.padding.expand(len(hidden), 1, 1, -1)[:, 0, 0]
        attended = multiresolution_attention(query, key, value, kept, **self.options)
        return self.merge(attended if head_mask is None else attended * head_mask)


class MraLayer(BertLayer):
    """A layer of BERT with this attention."""

    def __init__(self, config: MraConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        self.self_attn = MraAttention(config)


class MraModel(MraPreTrainedModel, nystromformer.NystromformerModel):
    """The encoder without a head."""

    layer_class = MraLayer


class MraForMaskedLM(MraPreTrainedModel, nystromformer.NystromformerForMaskedLM):
    """MRA with a masked language modeling head."""

    base_class = MraModel


class MraForSequenceClassification(MraPreTrainedModel, nystromformer.NystromformerForSequenceClassification):
    """MRA with a classifier on the first token."""

    base_class = MraModel


class MraForMultipleChoice(MraPreTrainedModel, nystromformer.NystromformerForMultipleChoice):
    """MRA with one score for each choice."""

    base_class = MraModel


class MraForTokenClassification(MraPreTrainedModel, YosoForTokenClassification):
    """MRA with a classifier on each token; labels of padding do not count."""

    base_class = MraModel


class MraForQuestionAnswering(MraPreTrainedModel, nystromformer.NystromformerForQuestionAnswering):
    """MRA with scores of an answer's first and last token."""

    base_class = MraModel
