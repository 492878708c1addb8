"""BLIP-2: what its documented examples do, on a small model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo_core import AutoModel, AutoModelForImageTextToText
from zoo_multimodal.blip_2.config import Blip2Config, Blip2QFormerConfig, Blip2VisionConfig
from zoo_multimodal.blip_2.model import Blip2ForConditionalGeneration
from zoo_text.opt.config import OPTConfig
from zoo_text.t5.config import T5Config

IMAGE, QUERIES = 59, 4
WIDTHS = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
TEXTS = {
    "opt": OPTConfig(
        hidden_size=16, ffn_dim=24, num_hidden_layers=1, num_attention_heads=2, vocab_size=60,
        word_embed_proj_dim=16, max_position_embeddings=64,
    ),
    "t5": T5Config(
        d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2, vocab_size=60, decoder_start_token_id=0
    ),
}  # fmt: skip


def small(text: str) -> Blip2Config:
    return Blip2Config.from_vision_qformer_text_configs(
        Blip2VisionConfig(**WIDTHS, num_hidden_layers=1, image_size=28, initializer_range=0.02),
        Blip2QFormerConfig(**WIDTHS, num_hidden_layers=2, vocab_size=60),
        TEXTS[text],
        num_query_tokens=QUERIES,
        image_token_index=IMAGE,
    )


def prompt(*ids: int) -> torch.Tensor:
    return torch.tensor([[IMAGE] * QUERIES + list(ids)] * 2)


PIXELS = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))


def test_a_config_without_parts_is_that_of_the_opt_checkpoint() -> None:
    config = Blip2Config()
    assert (config.text_config.model_type, config.num_query_tokens) == ("opt", 32)
    assert config.qformer_config.encoder_hidden_size == config.vision_config.hidden_size == 1408
    assert config.use_decoder_only_language_model and not config.is_encoder_decoder
    assert config.image_token_id is None and config.image_text_hidden_size == 256


@pytest.mark.parametrize("text", TEXTS)
def test_captions_questions_and_training(text: str, tmp_path: Path) -> None:
    model = AutoModelForImageTextToText.from_config(small(text)).eval()
    assert isinstance(model, Blip2ForConditionalGeneration)
    options = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False}
    answered = model.generate(PIXELS, input_ids=prompt(5, 6), **options)
    assert answered.shape == (2, 4 if text == "t5" else QUERIES + 5)
    if text == "opt":  # the language model starts from its start token
        caption = model.generate(PIXELS, **options)
        assert caption[:, : QUERIES + 1].tolist() == [[IMAGE] * QUERIES + [2]] * 2
    labels = torch.tensor([[7, 8, 1]] * 2) if text == "t5" else prompt(5, 6)
    output = model(PIXELS, input_ids=prompt(5, 6), labels=labels)
    assert output.loss.shape == () and output.qformer_outputs.last_hidden_state.shape == (2, QUERIES, 16)
    model.save_pretrained(tmp_path)
    again = AutoModelForImageTextToText.from_pretrained(tmp_path)
    assert torch.equal(again.generate(PIXELS, input_ids=prompt(5, 6), **options), answered)


@pytest.mark.parametrize("legacy", [True, False])
def test_features_one_by_one(legacy: bool) -> None:
    model = AutoModel.from_config(small("opt")).eval()
    text = model.get_text_features(prompt(5), legacy_output=legacy)
    image = model.get_image_features(PIXELS, legacy_output=legacy)
    queries = model.get_qformer_features(PIXELS, legacy_output=legacy)
    if legacy:
        text, image, queries = text.logits, image.pooler_output, queries.last_hidden_state
    assert (text.shape, image.shape, queries.shape) == ((2, 5, 60), (2, 16), (2, QUERIES, 16))


def test_more_placeholders_than_queries_are_refused() -> None:
    model = AutoModel.from_config(small("opt")).eval()
    with pytest.raises(ValueError, match="10 image placeholder tokens for 8 image features"):
        model(PIXELS, input_ids=prompt(IMAGE))


def test_a_missing_placeholder_id_is_named() -> None:
    config = small("opt")
    config.image_token_index = None
    with pytest.raises(ValueError, match="image_token_index is None"):
        AutoModel.from_config(config).eval()(PIXELS, input_ids=prompt(5))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(text: str, dtype: torch.dtype, tmp_path: Path) -> None:
    exact = AutoModelForImageTextToText.from_config(small(text)).eval()
    exact.save_pretrained(tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path, dtype=dtype)
    narrow = dtype is torch.float16  # whose range is too small for the querying transformer
    assert (model.qformer.dtype is torch.float32) == narrow == (model.query_tokens.dtype != dtype)
    given = {
        "input_ids": prompt(5, 6),
        "labels": torch.tensor([[7, 8, 1]] * 2) if text == "t5" else prompt(5, 6),
    }
    found = model(PIXELS.to(dtype), **given)
    assert found.logits.dtype is dtype
    torch.testing.assert_close(found.loss.float(), exact(PIXELS, **given).loss, atol=0.05, rtol=0.05)
