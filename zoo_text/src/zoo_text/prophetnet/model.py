"""ProphetNet: an encoder-decoder that learns to predict the next n tokens at once."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.loss import IGNORED
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack
from zoo_core.nn.cache import Cache, positions_after
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, taken
from zoo_core.nn.stack import run_layers
from zoo_text.prophetnet.attention import NgramAttention
from zoo_text.prophetnet.config import ProphetNetConfig
from zoo_text.prophetnet.outputs import (
    ProphetNetDecoderLMOutput,
    ProphetNetDecoderModelOutput,
    ProphetNetSeq2SeqLMOutput,
    ProphetNetSeq2SeqModelOutput,
)
from zoo_text.score_attention import ScoreAttention

LAYER: HubNames = {
    **{
        f"{block}.{short}_proj": f"{block}.{name}_proj"
        for block in ("self_attn", "cross_attn")
        for short, name in (("q", "query"), ("k", "key"), ("v", "value"), ("o", "out"))
    },
    "self_attn.relative": "self_attn.relative_pos_embeddings",
    "mlp.fc1": "feed_forward.intermediate",
    "mlp.fc2": "feed_forward.output",
    "final_layer_norm": "feed_forward_layer_norm",
}


class ProphetNetPreTrainedModel(PreTrainedModel):
    """What all ProphetNet classes share."""

    config_class = ProphetNetConfig
    base_model_prefix = "prophetnet"


class ProphetNetPositions(nn.Embedding):
    """Positions begin after the padding's row; those beyond the table read its last row."""

    def __init__(self, config: ProphetNetConfig) -> None:
        super().__init__(config.max_position_embeddings, config.hidden_size, config.pad_token_id)

    def forward(  # type: ignore[override]
        self, position_ids: Tensor | None, past: int, hidden: Tensor, *, ahead: int = 0
    ) -> Tensor:
        """(1 or batch, T, hidden) for positions from 0 on, or for those that follow `past` tokens."""
        if position_ids is None:
            position_ids = positions_after(past, hidden.shape[1], hidden.device)[None]
        assert self.padding_idx is not None
        rows = position_ids + self.padding_idx + 1 + ahead
        return super().forward(rows.clamp(max=self.num_embeddings - 1))


class ProphetNetStack(Seq2SeqStack, ProphetNetPreTrainedModel):
    """What encoder and decoder share."""

    hub_names = {
        "embed_tokens": "word_embeddings",
        "embed_positions": "position_embeddings",
        "layernorm_embedding": "embeddings_layer_norm",
    }

    def depth(self, config: ProphetNetConfig) -> int:
        return config.num_decoder_layers if self.is_decoder else config.num_encoder_layers

    def make_embeddings(self, config: ProphetNetConfig) -> nn.Embedding:
        return nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)

    def make_inputs(self, config: ProphetNetConfig) -> None:
        self.embed_scale = 1.0
        self.embed_positions = ProphetNetPositions(config)
        self.layernorm_embedding = nn.LayerNorm(config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        if self.is_decoder:
            self.ngram_embeddings = nn.Embedding(config.ngram, config.hidden_size)

    def make_layer(self, config: ProphetNetConfig, layer_idx: int) -> nn.Module:
        heads = config.num_decoder_attention_heads if self.is_decoder else config.num_encoder_attention_heads
        attention = partial(
            ScoreAttention, config.hidden_size, heads, dropout=config.attention_dropout, layer_idx=layer_idx
        )
        crosses = self.is_decoder and config.add_cross_attention
        layer = PostNormLayer(
            config.hidden_size,
            nn.LayerNorm,
            self_attn=NgramAttention(config, layer_idx) if self.is_decoder else attention(),
            cross_attn=attention(cross=True) if crosses else None,
            mlp=MLP(
                config.hidden_size,
                config.decoder_ffn_dim if self.is_decoder else config.encoder_ffn_dim,
                config.activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )
        layer.hub_names = LAYER
        return layer


class ProphetNetEncoder(ProphetNetStack):
    """The encoder."""


class ProphetNetDecoder(ProphetNetStack):
    """The decoder: a main stream that knows the tokens, and `ngram` streams that predict from it."""

    def __init__(self, config: ProphetNetConfig, *, decoder: bool = True) -> None:
        super().__init__(config, decoder=decoder)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        """Ids or vectors to (batch, (1 + ngram) x T, hidden), the main stream first."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        words = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        main = words + self.embed_positions(position_ids, past, words)
        next_one = self.embed_positions(position_ids, past, words, ahead=1).expand_as(main)
        starts = self.ngram_embeddings.weight.roll(1, 0)  # the last row is that of the first stream
        streams = [main, *(next_one + start for start in starts)]
        return self.dropout(self.layernorm_embedding(torch.cat(streams, dim=1)))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
    ) -> ModelOutput:
        """ids (batch, T) to states (batch, T, hidden) and those of the streams (batch, ngram x T, hidden)."""
        cache = self.cache_for(past_key_values, use_cache)
        hidden = self.embed(input_ids, inputs_embeds, position_ids, 0 if cache is None else cache.length)
        length = hidden.shape[1] // (1 + self.config.ngram)
        context = AttentionContext(
            hidden[:, :length],
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        context.blind_queries_average = True
        context.cross_head_mask = cross_attn_head_mask
        if position_ids is not None and context.past_length == 0:
            context.shared["lead"] = (length - 1 - position_ids[:, -1]).expand(len(hidden))
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        states, weights = taken(HIDDEN_STATES), taken(ATTENTIONS)
        return ProphetNetDecoderModelOutput(
            last_hidden_state=hidden[:, :length],
            last_hidden_state_ngram=hidden[:, length:],
            past_key_values=cache,
            hidden_states=tuple(state[:, :length] for state in states) or None,
            hidden_states_ngram=tuple(state[:, length:] for state in states) or None,
            attentions=tuple(main for main, _ in weights) or None,
            ngram_attentions=tuple(ahead for _, ahead in weights) or None,
        )


class ProphetNetModel(Seq2SeqModel, ProphetNetPreTrainedModel):
    """Encoder and decoder with one table of token embeddings."""

    hub_names = {"shared": "word_embeddings"}
    output_class = ProphetNetSeq2SeqModelOutput
    stacks: ClassVar[tuple[type[ProphetNetStack], type[ProphetNetStack]]] = (
        ProphetNetEncoder,
        ProphetNetDecoder,
    )

    def __init__(self, config: ProphetNetConfig) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        encoder, decoder = self.stacks
        self.encoder, self.decoder = encoder(config), decoder(config, decoder=True)
        self.post_init()


class NgramScores(ProphetNetPreTrainedModel):
    """A head that scores the vocabulary by each stream, and the loss of all."""

    lm_head: nn.Module

    def streams(self, outputs: ModelOutput, labels: Tensor | None, keep: int = 0) -> dict[str, Tensor | None]:
        """Loss and logits, of the last `keep` positions or all; labels (batch, T) are the next tokens."""
        states = outputs.last_hidden_state_ngram.unflatten(1, (self.config.ngram, -1))
        logits = self.lm_head(states[:, :, -keep:])
        return {
            "loss": None if labels is None else self.loss(logits, labels),
            "logits": logits[:, 0],
            "logits_ngram": logits[:, 1:] if self.config.ngram > 1 else None,
        }

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of logits (batch, ngram, T, vocabulary), smoothed by `config.eps`."""
        count = 1 if self.config.disable_ngram_loss else self.config.ngram
        likely = logits[:, :count].float().log_softmax(-1).flatten(0, 2)
        target = labels[:, None].expand(-1, count, -1).flatten()
        loss = F.nll_loss(likely, target, ignore_index=IGNORED)
        if self.config.eps <= 0:
            return loss
        smooth = -likely[target != IGNORED].sum(-1).mean()
        return (1 - self.config.eps) * loss + self.config.eps / likely.shape[-1] * smooth


class ProphetNetForConditionalGeneration(ForConditionalGeneration, NgramScores):
    """ProphetNet with a language modeling head."""

    base_class = ProphetNetModel
    tied_weights = {"lm_head.weight": "model.shared.weight"}
    caches = True  # several tokens at once are scored in another order, see NgramAttention

    def build_head(self, config: ProphetNetConfig) -> None:
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)

    def scored(self, outputs: ModelOutput, labels: Tensor | None) -> ModelOutput:
        return ProphetNetSeq2SeqLMOutput.carry(outputs, **self.streams(outputs, labels))


class ProphetNetForCausalLM(ForCausalLM, NgramScores):
    """ProphetNet's decoder alone, with a language modeling head; it may attend to given encoder states."""

    base_class = ProphetNetDecoder
    base_name = "prophetnet.decoder"
    counted_tokens = "following"
    caches = False  # one token at a time is scored in another order, see NgramAttention
    head_names = {"model.embed_tokens": "prophetnet.word_embeddings"}

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        return ProphetNetDecoderLMOutput.carry(outputs, **self.streams(outputs, labels, logits_to_keep))
