"""An encoder and a decoder of two types under one roof: from checkpoints, from models, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo_core import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM
from zoo_core.errors import ConfigError
from zoo_text.encoder_decoder.config import EncoderDecoderConfig
from zoo_text.encoder_decoder.model import EncoderDecoderModel

SIZES = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 11}
IDS = torch.tensor([[3, 4, 5]])


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Checkpoints of an encoder of width 8 and a decoder of width 12."""
    AutoModel.from_config(AutoConfig.for_model("bert", hidden_size=8, **SIZES)).save_pretrained(
        tmp_path / "e"
    )
    decoder = AutoConfig.for_model(
        "roberta", hidden_size=12, is_decoder=True, max_position_embeddings=20, **SIZES
    )
    AutoModelForCausalLM.from_config(decoder).save_pretrained(tmp_path / "d")
    return tmp_path / "e", tmp_path / "d"


def test_two_checkpoints(sides: tuple[Path, Path], tmp_path: Path) -> None:
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(
        *sides, decoder_start_token_id=1, pad_token_id=0, encoder_hidden_dropout_prob=0.5
    )
    assert not model.training
    assert model.config.decoder.is_decoder and model.config.decoder.add_cross_attention
    assert not model.config.encoder.is_decoder and not model.config.tie_word_embeddings
    assert model.config.encoder.hidden_dropout_prob == 0.5
    assert model.enc_to_dec_proj is not None and model.enc_to_dec_proj.weight.shape == (12, 8)
    loss = model(IDS, labels=torch.tensor([[6, 7, -100]])).loss
    loss.backward()
    assert model.encoder.get_input_embeddings().weight.grad is not None
    model.save_pretrained(tmp_path / "joined")
    again = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "joined")
    assert torch.equal(again(IDS, decoder_input_ids=IDS).logits, model(IDS, decoder_input_ids=IDS).logits)


def test_two_models(sides: tuple[Path, Path]) -> None:
    encoder = AutoModel.from_pretrained(sides[0])
    decoder = AutoModelForCausalLM.from_pretrained(sides[1], add_cross_attention=True)
    model = EncoderDecoderModel.from_encoder_decoder_pretrained(encoder_model=encoder, decoder_model=decoder)
    assert model.encoder is encoder and model.decoder is decoder


def test_what_is_refused(sides: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="from_encoder_decoder_configs"):
        EncoderDecoderConfig()
    with pytest.raises(ValueError, match="pass a config, or both"):
        EncoderDecoderModel()
    with pytest.raises(ValueError, match="pass decoder_model, or decoder_pretrained_model_name_or_path"):
        EncoderDecoderModel.from_encoder_decoder_pretrained(sides[0])
    head = AutoModelForCausalLM.from_pretrained(sides[1])
    with pytest.raises(ValueError, match="must have no language modeling head"):
        EncoderDecoderModel(encoder=head, decoder=head)
