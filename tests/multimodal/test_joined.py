"""Vision encoder-decoder: joined from configs and from checkpoints, trained, and asked for a caption."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo_core import AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText
from zoo_multimodal.vision_encoder_decoder.config import VisionEncoderDecoderConfig
from zoo_multimodal.vision_encoder_decoder.model import VisionEncoderDecoderModel
from zoo_multimodal.vision_text_dual_encoder.config import VisionTextDualEncoderConfig
from zoo_text.bert.config import BertConfig
from zoo_text.distilbert.config import DistilBertConfig
from zoo_text.llama.config import LlamaConfig
from zoo_vision.vit.config import ViTConfig

SIZES = {"intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
PIXELS = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([[5, 6, 7, -100], [8, 9, 1, 2]])


def sides() -> tuple[ViTConfig, BertConfig]:
    return (
        ViTConfig(hidden_size=8, image_size=16, patch_size=8, **SIZES),
        BertConfig(hidden_size=16, vocab_size=40, pad_token_id=0, **SIZES),
    )


def test_joint_config_saves_and_loads(tmp_path: Path) -> None:
    encoder, decoder = sides()
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    assert decoder.is_decoder and decoder.add_cross_attention and config.is_encoder_decoder
    model = VisionEncoderDecoderModel(config=config).eval()
    model.save_pretrained(tmp_path)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path, config=config)
    ids = torch.tensor([[1, 2, 3]] * 2)
    want = model(PIXELS, decoder_input_ids=ids).logits
    assert torch.equal(want, again(PIXELS, decoder_input_ids=ids).logits)


def test_two_checkpoints_are_joined_trained_and_write(tmp_path: Path) -> None:
    encoder, decoder = sides()
    stored = AutoModel.from_config(encoder)
    stored.save_pretrained(tmp_path / "encoder")
    AutoModelForCausalLM.from_config(decoder).save_pretrained(tmp_path / "decoder")
    model = VisionEncoderDecoderModel.from_encoder_decoder_pretrained(
        str(tmp_path / "encoder"), str(tmp_path / "decoder")
    )
    for name, weight in stored.named_parameters():
        assert torch.equal(weight, model.encoder.get_parameter(name)), name
    assert model.enc_to_dec_proj is not None and model.config.decoder.add_cross_attention
    assert not model.config.tie_word_embeddings
    model.config.decoder_start_token_id, model.config.pad_token_id = 1, 0
    output = model(pixel_values=PIXELS, labels=LABELS)
    output.loss.backward()
    assert output.logits.shape == (2, 4, 40) and output.encoder_last_hidden_state.shape == (2, 5, 8)
    ids = model.generate(
        PIXELS, decoder_start_token_id=1, max_new_tokens=3, min_new_tokens=3, do_sample=False
    )
    assert ids.shape == (2, 4) and ids[:, 0].tolist() == [1, 1]


def test_a_decoder_without_cross_attention_is_refused() -> None:
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        sides()[0], LlamaConfig(hidden_size=16, vocab_size=40, **SIZES)
    )
    with pytest.raises(ValueError, match="the decoder LlamaForCausalLM has no cross-attention"):
        VisionEncoderDecoderModel(config)


def test_an_encoder_without_a_summary_is_named() -> None:
    text = DistilBertConfig(dim=16, hidden_dim=24, n_layers=1, n_heads=2, vocab_size=40)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(sides()[0], text)
    with pytest.raises(ValueError, match="DistilBertModel returns no pooler_output"):
        AutoModel.from_config(config).get_text_features(torch.tensor([[1, 2]]))
