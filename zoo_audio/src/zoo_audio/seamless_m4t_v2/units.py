"""Text to units of speech all at once, by way of its characters (UnitY2, https://arxiv.org/abs/2312.05187)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from zoo_audio.seamless_m4t.text import UnitEncoder, mask_of
from zoo_audio.seamless_m4t.vocoder import VariancePredictor
from zoo_audio.seamless_m4t_v2.config import SeamlessM4Tv2Config
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.sinusoid import PaddedSinusoids
from zoo_core.nn.stack import run_layers

SPACE = "▁"


def repeated(hidden: Tensor, times: Tensor) -> Tensor:
    """(batch, sequence, size), each state so many times (batch, sequence), padded with zeros."""
    rows = [states.repeat_interleave(count, dim=0) for states, count in zip(hidden, times, strict=True)]
    return pad_sequence(rows, batch_first=True)


class UnitLayer(nn.Module):
    """Attention and two convolutions, each with a norm after it."""

    hub_names = {"self_attn.o_proj": "self_attn.out_proj"}

    def __init__(self, config: SeamlessM4Tv2Config) -> None:
        super().__init__()
        size = config.hidden_size
        self.self_attn = Attention(size, config.decoder_attention_heads, dropout=config.attention_dropout)
        self.self_attn_layer_norm, self.conv_layer_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.conv1 = nn.Conv1d(size, size, 7, padding=3)
        self.conv2 = nn.Conv1d(size, size, 7, padding=3)
        self.dropout, self.conv_dropout = nn.Dropout(config.dropout), nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, context: AttentionContext, *, mask: Tensor) -> Tensor:
        """(batch, units, size) to the same shape; `mask` (batch, units) tells what is no padding."""
        hidden = self.self_attn_layer_norm(hidden + self.dropout(self.self_attn(hidden, context)))
        mixed = hidden.masked_fill(~mask[..., None], 0.0).transpose(1, 2)
        mixed = self.conv1(mixed).masked_fill(~mask[:, None], 0.0).relu()
        mixed = self.conv2(mixed).transpose(1, 2)
        return self.conv_layer_norm(hidden + self.conv_dropout(mixed))


class UnitDecoder(PreTrainedModel):
    """States of subwords to states of units: spread over characters, these over how long they last."""

    hub_names = {"norm": "layer_norm"}
    ignored_names = ("embed_positions.weights", "embed_char_positions.weights")

    def __init__(self, config: SeamlessM4Tv2Config) -> None:
        super().__init__(config)
        size, pad = config.hidden_size, config.pad_token_id
        assert pad is not None
        self.embed_scale = size**0.5 if config.scale_embedding else 1.0
        self.embed_tokens = nn.Embedding(config.vocab_size, size, pad)
        self.embed_char = nn.Embedding(config.char_vocab_size, size)
        self.embed_positions = PaddedSinusoids(config.max_position_embeddings, size, pad)
        self.pos_emb_alpha_char, self.pos_emb_alpha = (nn.Parameter(torch.ones(1)) for _ in range(2))
        self.duration_predictor = VariancePredictor(
            config.variance_predictor_embed_dim,
            config.variance_predictor_hidden_dim,
            config.variance_predictor_kernel_size,
            config.variance_pred_dropout,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(UnitLayer(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(size)
        self.post_init()

    def forward(
        self, char_input_ids: Tensor, char_count_per_id: Tensor, encoder_hidden_states: Tensor
    ) -> tuple[Tensor, Tensor]:
        """States (batch, units, size), and which are no padding (batch, units).

        Args:
            char_input_ids: (batch, characters). char_count_per_id: (batch, subwords) how many are of each.
            encoder_hidden_states: (batch, subwords, size).
        """
        chars = repeated(encoder_hidden_states, char_count_per_id)
        positions = self.pos_emb_alpha_char * self.embed_positions(None, 0, chars)
        chars = self.embed_char(char_input_ids) * self.embed_scale + positions + chars
        known = mask_of(char_count_per_id.sum(1), chars.shape[1])
        durations = self.duration_predictor.durations(chars, known).masked_fill(~known, 0)
        hidden = repeated(chars, durations)
        hidden = self.dropout(hidden + self.pos_emb_alpha * self.embed_positions(None, 0, hidden))
        mask = mask_of(durations.sum(1), hidden.shape[1])
        return run_layers(
            self.layers, hidden, AttentionContext(hidden, mask), mask=mask, norm=self.norm
        ), mask


class TextToUnitOutput(ModelOutput):
    """Scores of units (batch, units, vocabulary), and which of them are no padding (batch, units)."""

    logits: Tensor
    padding_mask: Tensor
    encoder_last_hidden_state: Tensor | None = None
    loss: Tensor | None = None


class TextToUnitModel(PreTrainedModel):
    """States of the text decoder to states of units."""

    def __init__(self, config: SeamlessM4Tv2Config) -> None:
        super().__init__(config)
        self.encoder = UnitEncoder(config)
        self.decoder = UnitDecoder(config)
        self.post_init()


class ParallelTextToUnit(PreTrainedModel):
    """States of the text decoder to scores of units of speech, all at once."""

    main_input_name = "inputs_embeds"
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}

    def __init__(self, config: SeamlessM4Tv2Config) -> None:
        super().__init__(config)
        self.model = TextToUnitModel(config)
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(
        self,
        inputs_embeds: Tensor,
        char_input_ids: Tensor,
        char_count_per_id: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> TextToUnitOutput:
        """States (batch, subwords, size) and their characters, see `UnitDecoder`, to scores of units."""
        encoded = self.model.encoder(inputs_embeds=inputs_embeds, attention_mask=attention_mask)
        states = encoded.last_hidden_state
        hidden, mask = self.model.decoder(char_input_ids, char_count_per_id, states)
        logits = self.lm_head(hidden)
        return TextToUnitOutput(
            logits=logits,
            padding_mask=mask,
            encoder_last_hidden_state=states,
            loss=None if labels is None else token_loss(logits, labels),
        )


def character_counts(subwords: Sequence[str], unknown: Sequence[bool]) -> list[int]:
    """How many characters each subword of a text stands for.

    A space before a subword counts with it, but after a punctuation mark with the mark; what is unknown is
    one character.
    """
    spaced = [len(word) > 1 and word[0] == SPACE for word in subwords]
    marks = [
        len(word) == 1 and not word.isalpha() and not word.isnumeric() and word != SPACE for word in subwords
    ]
    counts = []
    for i, word in enumerate(subwords):
        takes_next = marks[i] and i + 1 < len(subwords) and spaced[i + 1]
        lost = i > 0 and marks[i - 1] and spaced[i]
        counts.append(1 if unknown[i] else len(word) + takes_next - lost)
    return counts


def characters(
    ids: Tensor, words: Mapping[str, str], alphabet: Mapping[str, int], *, pad: int, unknown: int = 1
) -> tuple[Tensor, Tensor]:
    """Ids of characters (batch, characters) and how many each subword has (batch, subwords), of `ids`."""
    counts, spelled = torch.zeros_like(ids), []
    for row, text in enumerate(ids.tolist()):
        text = [number for number in text if number != pad]
        subwords = [str(words[str(number)]) for number in text]
        missing = [number == unknown for number in text]
        counts[row, : len(text)] = torch.tensor(character_counts(subwords, missing), dtype=ids.dtype)
        chars: list[int] = []
        for word, lacking in zip(subwords, missing, strict=True):
            chars += [unknown] if lacking else [alphabet.get(char, unknown) for char in word]
        spelled.append(torch.tensor(chars, dtype=ids.dtype, device=ids.device))
    return pad_sequence(spelled, batch_first=True, padding_value=pad), counts
