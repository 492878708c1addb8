"""T5 in half precision: in float16 the last matrices of its feed-forward blocks stay float32."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo_core import AutoModelForSeq2SeqLM
from zoo_text.t5.config import T5Config

IDS = torch.tensor([[5, 6, 7]])


@pytest.mark.parametrize("act", ["relu", "gated-gelu"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_t5(act: str, dtype: torch.dtype, tmp_path: Path) -> None:
    config = T5Config(
        d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2, vocab_size=30, feed_forward_proj=act
    )
    exact = AutoModelForSeq2SeqLM.from_config(config).eval()
    exact.save_pretrained(tmp_path)
    model = AutoModelForSeq2SeqLM.from_pretrained(tmp_path, dtype=dtype)
    wide = {name for name, p in model.named_parameters() if p.dtype is torch.float32}
    last = "down_proj" if act == "gated-gelu" else "fc2"
    kept = {n for n, _ in model.named_parameters() if f"mlp.{last}" in n} if dtype is torch.float16 else set()
    assert wide == kept
    found = model(IDS, decoder_input_ids=IDS).logits
    assert found.dtype is dtype
    expected = exact(IDS, decoder_input_ids=IDS).logits
    assert (found - expected).abs().max() < 0.05 * expected.abs().max()
