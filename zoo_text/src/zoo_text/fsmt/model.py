"""FSMT: a post-norm encoder and decoder with a vocabulary each and sinusoidal positions."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.outputs import Seq2SeqModelOutput
from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.sinusoid import PaddedSinusoids
from zoo_text.bart import model as bart
from zoo_text.fsmt.config import FSMTConfig
from zoo_text.m2m_100.model import M2M100Stack
from zoo_text.mbart.model import shift_language_right


class FSMTPreTrainedModel(bart.BartPreTrainedModel):
    """What all FSMT classes share."""

    config_class = FSMTConfig
    ignored_names = ("embed_positions.weight",)  # few files have the sinusoids


class StoredSinusoids(PaddedSinusoids):
    """Sinusoids that a file may hold."""

    def __init__(self, positions: int, hidden_size: int, pad_token_id: int) -> None:
        super().__init__(positions, hidden_size, pad_token_id)
        self.register_buffer("table", self._make(positions + pad_token_id + 1))

    hub_names = {"table": "weight"}


class FSMTStack(FSMTPreTrainedModel, bart.BartStack):
    """FSMT's encoder or decoder; the decoder returns scores of the next token."""

    embedding_norm = False
    positions = M2M100Stack.positions

    def make_embeddings(self, config: FSMTConfig) -> nn.Embedding:
        tokens = config.tgt_vocab_size if self.is_decoder else config.src_vocab_size
        if self.is_decoder:
            self.output_projection = nn.Linear(config.d_model, tokens, bias=False)
        return nn.Embedding(tokens, config.d_model, padding_idx=config.pad_token_id)

    def make_positions(self, config: FSMTConfig) -> nn.Module:
        assert config.pad_token_id is not None
        return StoredSinusoids(config.max_position_embeddings, config.d_model, config.pad_token_id)

    def finish(self, hidden: Tensor) -> Tensor:
        return self.output_projection(hidden) if self.is_decoder else hidden


class FSMTModel(Seq2SeqModel, FSMTPreTrainedModel):
    """Encoder and decoder; `last_hidden_state` (batch, target, tgt_vocab_size) are scores."""

    def __init__(self, config: FSMTConfig) -> None:
        super().__init__(config)
        self.encoder = FSMTStack(config)
        self.decoder = FSMTStack(config, decoder=True)
        self.post_init()

    def ties(self) -> dict[str, str]:  # whatever tie_word_embeddings says of encoder and decoder
        return {"decoder.embed_tokens.weight": "decoder.output_projection.weight"}

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.embed_tokens

    def get_output_embeddings(self) -> nn.Module:
        return self.decoder.output_projection

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> Seq2SeqModelOutput:
        """As the base's; without a cache, padding in `decoder_input_ids` is hidden by itself."""
        if decoder_input_ids is None and inputs.get("decoder_inputs_embeds") is None:
            decoder_input_ids = self.default_decoder_input_ids(input_ids)
        if decoder_attention_mask is None and decoder_input_ids is not None and use_cache is False:
            decoder_attention_mask = decoder_input_ids != self.config.pad_token_id
        return super().forward(
            input_ids,
            attention_mask,
            decoder_input_ids,
            decoder_attention_mask,
            use_cache=use_cache,
            **inputs,
        )

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        if input_ids is None:
            return super().default_decoder_input_ids(input_ids)
        return shift_language_right(input_ids, self.config.pad_token_id)


class FSMTForConditionalGeneration(ForConditionalGeneration, FSMTPreTrainedModel):
    """FSMT for translation."""

    base_class = FSMTModel

    def build_head(self, config: PretrainedConfig) -> None:
        """The decoder has it."""

    def score(self, hidden: Tensor) -> Tensor:
        return hidden

    def get_output_embeddings(self) -> Any:
        return self.model.get_output_embeddings()

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        return shift_language_right(labels, self.config.pad_token_id)
