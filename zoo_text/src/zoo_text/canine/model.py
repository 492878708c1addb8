"""CANINE: an encoder of characters without a vocabulary; a deep stack reads every fourth of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import check_positions
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import BertLayer, Pooler
from zoo_text.canine.config import CanineConfig

#: factors of the hash functions
_PRIMES = (31, 43, 59, 61, 73, 97, 103, 113)


class CaninePreTrainedModel(PreTrainedModel):
    """What all CANINE classes share."""

    config_class = CanineConfig
    base_model_prefix = "canine"
    ignored_names = ("*position_ids",)


class CharacterEmbeddings(nn.Module):
    """A part of the vector from each hash of a code point, then positions, segments and norm."""

    hub_names = {"buckets.*": "HashBucketCodepointEmbedder_*", "layer_norm": "LayerNorm"}

    def __init__(self, config: CanineConfig) -> None:
        super().__init__()
        size, buckets = config.hidden_size, config.num_hash_buckets
        width = size // config.num_hash_functions
        self.buckets = nn.ModuleList(nn.Embedding(buckets, width) for _ in range(config.num_hash_functions))
        self.char_position_embeddings = nn.Embedding(buckets, size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
    ) -> Tensor:
        """Code points (batch, characters), or their vectors, to (batch, characters, hidden)."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        hidden = self.hashed(input_ids) if inputs_embeds is None else inputs_embeds  # type: ignore[arg-type]
        if position_ids is None:
            position_ids = torch.arange(hidden.shape[1], device=hidden.device)
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(position_ids)
        check_positions(position_ids, self.char_position_embeddings.num_embeddings, hidden.shape[1])
        hidden = hidden + self.token_type_embeddings(token_type_ids)
        hidden = hidden + self.char_position_embeddings(position_ids)
        return self.dropout(self.layer_norm(hidden))

    def hashed(self, input_ids: Tensor) -> Tensor:
        """Code points (batch, characters) to (batch, characters, hidden)."""
        parts = []
        for prime, table in zip(_PRIMES, self.buckets, strict=False):
            assert isinstance(table, nn.Embedding)
            parts.append(table((input_ids + 1) * prime % table.num_embeddings))
        return torch.cat(parts, dim=-1)


class LocalAttention(Attention):
    """Attention within blocks of `stride` characters; the weights of the first block are recorded."""

    def __init__(self, config: CanineConfig) -> None:
        super().__init__(
            config.hidden_size, config.num_attention_heads, dropout=config.attention_probs_dropout_prob
        )
        self.stride = config.local_transformer_stride

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        length, stride = hidden.shape[1], min(self.stride, hidden.shape[1])
        more = -length % stride
        query, key, value = (
            F.pad(x, (0, 0, 0, more)).unflatten(2, (-1, stride)) for x in self.heads(hidden, rotary)
        )
        scores = query @ key.transpose(3, 4) * self.scale  # (batch, heads, blocks, stride, stride)
        hides = torch.finfo(scores.dtype).min
        if context.padding is not None:  # a block of padding alone averages, as what it gives is read
            shown = F.pad(context.padding.reshape(len(hidden), -1), (0, more)).unflatten(1, (-1, stride))
            scores = scores.masked_fill(~shown[:, None, :, None], hides)
        if more:
            scores[:, :, -1, :, stride - more :] = -torch.inf
        weights = scores.softmax(-1)
        record(ATTENTIONS, weights[:, :, 0])
        weights = F.dropout(weights, self.dropout, self.training)
        if head_mask is not None:
            weights = weights * head_mask[..., None]
        return self.merge((weights @ value).flatten(2, 3)[:, :, :length])


class LocalLayer(BertLayer):
    """A layer of BERT with local attention."""

    def __init__(self, config: CanineConfig) -> None:
        super().__init__(config, 0)  # type: ignore[arg-type]
        self.self_attn = LocalAttention(config)


class ConvBlock(nn.Module):
    """Convolution, activation and norm."""

    hub_names = {"layer_norm": "LayerNorm"}

    def __init__(self, config: CanineConfig, width: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, config.hidden_size, kernel, stride=stride)
        self.act = activation(config.hidden_act)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def activated(self, hidden: Tensor) -> Tensor:
        """(batch, length, width) to (batch, fewer, hidden)."""
        return self.act(self.conv(hidden.transpose(1, 2))).transpose(1, 2)


class Downsampling(ConvBlock):
    """Characters to molecules; the first character (CLS) keeps a place of its own."""

    def __init__(self, config: CanineConfig) -> None:
        super().__init__(config, config.hidden_size, config.downsampling_rate, config.downsampling_rate)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, characters, hidden) to (batch, characters // downsampling_rate, hidden)."""
        rate = self.conv.stride[0]
        if hidden.shape[1] < rate:
            raise ValueError(
                f"a text of {hidden.shape[1]} characters is too short: {rate} make the first place"
            )
        return self.layer_norm(torch.cat((hidden[:, :1], self.activated(hidden)[:, :-1]), dim=1))


class Upsampling(ConvBlock):
    """Characters joined with the molecule that they went into, to the width of the model."""

    def __init__(self, config: CanineConfig) -> None:
        super().__init__(config, 2 * config.hidden_size, config.upsampling_kernel_size, 1)
        self.rate = config.downsampling_rate
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, characters: Tensor, molecules: Tensor) -> Tensor:
        """(batch, characters, hidden) and (batch, molecules, hidden) to (batch, characters, hidden)."""
        rest = characters.shape[1] - (molecules.shape[1] - 1) * self.rate
        repeated = molecules[:, 1:].repeat_interleave(self.rate, dim=1)
        repeated = torch.cat((repeated, molecules[:, -1:].expand(-1, rest, -1)), dim=1)
        joined = torch.cat((characters, repeated), dim=-1)
        around = self.conv.kernel_size[0] - 1
        joined = F.pad(joined, (0, 0, around // 2, around - around // 2))
        return self.dropout(self.layer_norm(self.activated(joined)))


class CanineModel(CaninePreTrainedModel):
    """Characters, a local layer, molecules, the deep encoder, and a last layer over all characters."""

    hub_names = {
        "initial_layers": "initial_char_encoder.layer",
        "layers": "encoder.layer",
        "final_layers": "final_char_encoder.layer",
    }

    def __init__(self, config: CanineConfig) -> None:
        super().__init__(config)
        self.char_embeddings = CharacterEmbeddings(config)
        self.initial_layers = nn.ModuleList([LocalLayer(config)])
        self.chars_to_molecules = Downsampling(config)
        self.layers = nn.ModuleList(BertLayer(config, i) for i in range(config.num_hidden_layers))  # type: ignore[arg-type]
        self.projection = Upsampling(config)
        self.final_layers = nn.ModuleList([BertLayer(config, 0)])  # type: ignore[arg-type]
        self.pooler = Pooler(config.hidden_size)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """Code points (batch, characters) to states (batch, characters, hidden) and pooled (batch, hidden).

        Hidden states are those of the characters, of the molecules, and of the characters again.
        """
        hidden = self.char_embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)
        context = AttentionContext(hidden, attention_mask)
        characters = run_layers(self.initial_layers, hidden, context)
        molecules = self.chars_to_molecules(characters)
        coarse = None
        if attention_mask is not None:
            rate = self.config.downsampling_rate
            coarse = F.max_pool1d(attention_mask[:, None].float(), rate)[:, 0]
        molecules = run_layers(
            self.layers, molecules, AttentionContext(molecules, coarse), head_mask=head_mask
        )
        hidden = run_layers(self.final_layers, self.projection(characters, molecules), context)
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=self.pooler(molecules),
        )


class CanineForSequenceClassification(ForSequenceClassification, CaninePreTrainedModel):
    """CANINE with a classifier on the pooled output."""

    base_class = CanineModel


class CanineForMultipleChoice(ForMultipleChoice, CaninePreTrainedModel):
    """CANINE with one score for each choice."""

    base_class = CanineModel


class CanineForTokenClassification(ForTokenClassification, CaninePreTrainedModel):
    """CANINE with a classifier on each character."""

    base_class = CanineModel


class CanineForQuestionAnswering(ForQuestionAnswering, CaninePreTrainedModel):
    """CANINE with scores of an answer's first and last character."""

    base_class = CanineModel
