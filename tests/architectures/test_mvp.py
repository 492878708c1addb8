"""MVP: only the prompts are trained in lightweight tuning."""

from __future__ import annotations

import pytest

from zoo_core import AutoModelForSeq2SeqLM
from zoo_text.mvp.config import MvpConfig

SIZES = {"d_model": 8, "vocab_size": 20, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 8,
         "decoder_ffn_dim": 8, "encoder_attention_heads": 2, "decoder_attention_heads": 2}  # fmt: skip


def test_lightweight_tuning_trains_the_prompts() -> None:
    model = AutoModelForSeq2SeqLM.from_config(MvpConfig(**SIZES, use_prompt=True, prompt_length=3))
    model.set_lightweight_tuning()
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert len(trained) == 15 and all("_attn_prompt." in name for name in trained)


def test_without_prompts_there_is_nothing_to_tune() -> None:
    with pytest.raises(ValueError, match="use_prompt is False"):
        AutoModelForSeq2SeqLM.from_config(MvpConfig(**SIZES)).set_lightweight_tuning()
