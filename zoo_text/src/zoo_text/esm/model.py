"""ESM: RoBERTa with norms before the blocks and rotary positions, for sequences of amino acids."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings, embed
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables
from zoo_text.bert.model import PreNormBertLayer
from zoo_text.esm.config import EsmConfig
from zoo_text.roberta import model as roberta

EOS = 2  # ends a sequence in the only vocabulary there is; configs do not name it


class EsmPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all ESM classes share."""

    config_class = EsmConfig
    base_model_prefix = "esm"
    ignored_names = ("*position_ids", "*position_embeddings.weight")


class EsmEmbeddings(UnpaddedTextEmbeddings):
    """Embeddings of tokens, in ESM-1b with positions and a norm."""

    def __init__(self, config: EsmConfig) -> None:
        assert config.vocab_size is not None
        super().__init__(
            config.vocab_size,
            config.hidden_size,
            max_positions=(
                config.max_position_embeddings if config.position_embedding_type == "absolute" else 0
            ),
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=0.0,
        )
        if not config.emb_layer_norm_before:
            self.layer_norm = nn.Identity()  # type: ignore[assignment]
        self.mask_token_id = config.mask_token_id if config.token_dropout else None

    def forward(
        self,
        input_ids: Tensor | None,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_length: int = 0,
    ) -> Tensor:
        """ids (batch, sequence), or vectors (batch, sequence, hidden), to (batch, sequence, hidden)."""
        hidden = embed(self.word_embeddings, input_ids, inputs_embeds)
        if self.mask_token_id is not None and input_ids is not None:
            hidden = self.make_up(hidden, input_ids == self.mask_token_id)
        if self.position_embeddings is not None:
            if position_ids is None:
                position_ids = self.default_positions(input_ids, hidden, past_length)
            hidden = hidden + self.position_embeddings(position_ids)
        return self.layer_norm(hidden)

    def make_up(self, hidden: Tensor, masked: Tensor) -> Tensor:
        """Masked tokens at zero, and rows scaled as if as many were masked as in training (12 %)."""
        share = masked.float().mean(-1)[:, None, None]
        hidden = hidden.masked_fill(masked[..., None], 0.0)
        return (hidden * (1 - 0.15 * 0.8) / (1 - share)).to(hidden.dtype)


class EsmAttention(Attention):
    """Attention with rotary positions, whose frequencies files hold for each layer."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rotary = RotaryEmbedding(self.head_dim)
        self.rotary.register_buffer("inv_freq", self.rotary.inv_freq)

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        return super().inputs(hidden, context, self.rotary(context.positions, dtype=hidden.dtype))


class EsmLayer(PreNormBertLayer):
    """A layer with the norms before the blocks."""

    hub_names = PreNormBertLayer.hub_names | {
        "self_attn.rotary": "attention.self.rotary_embeddings",
        "input_layernorm": "attention.LayerNorm",
        "cross_attn_layernorm": "crossattention.LayerNorm",
        "post_attention_layernorm": "LayerNorm",
    }

    def __init__(self, config: EsmConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        plain = self.self_attn
        if config.position_embedding_type == "rotary":
            assert isinstance(plain, Attention)
            self.self_attn = EsmAttention(
                config.hidden_size,
                config.num_attention_heads,
                dropout=config.attention_probs_dropout_prob,
                rule=plain.rule,
                layer_idx=layer_idx,
            )


class ContactHead(nn.Module):
    """The chance that two amino acids touch, by logistic regression on all attention maps.

    See https://openreview.net/forum?id=fylclEqgvgd.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.regression = nn.Linear(features, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """(batch, layers x heads, S, S) to (batch, S, S)."""
        maps = maps + maps.transpose(-1, -2)
        rows, columns = maps.sum(-1, keepdim=True), maps.sum(-2, keepdim=True)
        corrected = maps - rows * columns / rows.sum(-2, keepdim=True)
        return self.regression(corrected.permute(0, 2, 3, 1)).squeeze(3).sigmoid()


class EsmModel(EsmPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""

    hub_names = {"layers": BERT["layers"], "norm": "encoder.emb_layer_norm_after"}
    layer_class = EsmLayer
    final_norm = True
    finds_contacts: ClassVar[bool] = True

    def __init__(self, config: EsmConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)
        if self.finds_contacts:
            self.contact_head = ContactHead(config.num_hidden_layers * config.num_attention_heads)
        self.post_init()

    def make_embeddings(self, config: EsmConfig) -> None:
        self.embeddings = EsmEmbeddings(config)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        return super().forward(input_ids, attention_mask, position_ids=position_ids, **inputs)

    def predict_contacts(self, tokens: Tensor, attention_mask: Tensor) -> Tensor:
        """(batch, S, S) the chance that two amino acids of tokens (batch, 1 + S + 1) touch."""
        weights = self(tokens, attention_mask, output_attentions=True, return_dict=True).attentions
        kept = attention_mask * (tokens != EOS)
        pairs = kept[:, None, :, None] * kept[:, None, None, :]
        maps = torch.cat(weights, dim=1) * pairs.to(weights[0].dtype)
        return self.contact_head(maps[..., 1:-1, 1:-1])


class EsmForMaskedLM(EsmPreTrainedModel, roberta.RobertaForMaskedLM):
    """ESM with a masked language modeling head."""

    base_class = EsmModel

    def predict_contacts(self, tokens: Tensor, attention_mask: Tensor) -> Tensor:
        """See `EsmModel.predict_contacts`."""
        return self.model.predict_contacts(tokens, attention_mask)  # type: ignore[operator,no-any-return]


class EsmForSequenceClassification(EsmPreTrainedModel, roberta.RobertaForSequenceClassification):
    """ESM with a classifier on the first token."""

    base_class = EsmModel


class EsmForTokenClassification(EsmPreTrainedModel, roberta.RobertaForTokenClassification):
    """ESM with a classifier on each token."""

    base_class = EsmModel
