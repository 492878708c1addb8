"""Marian: BART's layers with sinusoidal positions; source and target may have vocabularies of their own."""

from __future__ import annotations

import torch
from torch import nn

from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.sinusoid import SinusoidalTable
from zoo_text.bart import model as bart
from zoo_text.marian.config import MarianConfig


class MarianPreTrainedModel(bart.BartPreTrainedModel):
    """What all Marian classes share."""

    config_class = MarianConfig


class MarianStack(MarianPreTrainedModel, bart.BartStack):
    """Marian's encoder or decoder."""

    embedding_norm = False

    def make_embeddings(self, config: MarianConfig) -> nn.Embedding:
        rows = config.decoder_vocab_size if self.is_decoder else config.vocab_size
        return nn.Embedding(rows, config.d_model, padding_idx=config.pad_token_id)

    def make_positions(self, config: MarianConfig) -> nn.Module:
        return SinusoidalTable(config.max_position_embeddings, config.d_model)


class MarianModel(MarianPreTrainedModel, Seq2SeqModel):
    """Encoder and decoder, with one table of token embeddings or two."""

    def __init__(self, config: MarianConfig) -> None:
        super().__init__(config)
        if config.share_encoder_decoder_embeddings:
            self.shared = nn.Embedding(config.vocab_size, config.d_model, padding_idx=config.pad_token_id)
        self.encoder = MarianStack(config)
        self.decoder = MarianStack(config, decoder=True)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.embed_tokens


class MarianMTModel(MarianPreTrainedModel, bart.BartForConditionalGeneration):
    """Marian with a language modeling head."""

    base_class = MarianModel

    def build_head(self, config: MarianConfig) -> None:
        super().build_head(config)
        self.lm_head = nn.Linear(config.d_model, config.decoder_vocab_size, bias=False)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.decoder_vocab_size))

    def ties(self) -> dict[str, str]:
        shared = self.config.share_encoder_decoder_embeddings
        owner = "model.shared.weight" if shared else "model.decoder.embed_tokens.weight"
        return {"lm_head.weight": owner} if self.config.tie_word_embeddings else {}


class MarianForCausalLM(MarianPreTrainedModel, bart.BartForCausalLM):
    """Marian's decoder alone, with a language modeling head."""

    base_class = MarianStack

    def make_lm_head(self, config: MarianConfig) -> nn.Module:
        return nn.Linear(config.d_model, config.decoder_vocab_size, bias=False)
