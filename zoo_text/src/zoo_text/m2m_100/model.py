"""M2M-100: a pre-norm encoder and decoder that translate between any two of a hundred languages."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.sinusoid import PaddedSinusoids
from zoo_text.bart import model as bart
from zoo_text.m2m_100.config import M2M100Config
from zoo_text.mbart.model import MBartStack


class M2M100PreTrainedModel(bart.BartPreTrainedModel):
    """What all M2M-100 classes share."""

    config_class = M2M100Config
    ignored_names = (
        "embed_positions.weights",
        "embed_positions._float_tensor",
        "encoder.version",
        "decoder.version",
    )


class M2M100Stack(M2M100PreTrainedModel, MBartStack):
    """M2M-100's encoder or decoder."""

    embedding_norm = False

    def make_positions(self, config: M2M100Config) -> nn.Module:
        assert config.pad_token_id is not None
        return PaddedSinusoids(config.max_position_embeddings, config.d_model, config.pad_token_id)

    def positions(
        self, input_ids: Tensor | None, hidden: Tensor, past: int, position_ids: Tensor | None
    ) -> Tensor:
        return self.embed_positions(input_ids, past, hidden)


class M2M100Model(M2M100PreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = M2M100Stack

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        return Seq2SeqModel.default_decoder_input_ids(self, input_ids)


class M2M100ForConditionalGeneration(ForConditionalGeneration, M2M100PreTrainedModel):
    """M2M-100 with a language modeling head."""

    base_class = M2M100Model
    tied_weights = {"lm_head.weight": "model.shared.weight"}
