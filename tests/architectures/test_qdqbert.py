"""QDQBERT: rounding within ranges that stand in the file, are observed, or are each tensor's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoModel, AutoModelForCausalLM
from zoo_text.bert.model import BertModel
from zoo_text.qdqbert.config import QDQBertConfig
from zoo_text.qdqbert.model import QDQBertLMHeadModel, QDQBertModel
from zoo_text.qdqbert.quantizer import QuantLinear, TensorQuantizer

CONFIG = QDQBertConfig(
    vocab_size=40,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=48,
    max_position_embeddings=20,
    initializer_range=0.2,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
IDS = torch.arange(3, 35).view(4, 8)


def test_rounding() -> None:
    quantizer = TensorQuantizer()
    quantizer.amax.fill_(127.0)
    x = torch.tensor([-300.0, -126.6, 0.4, 2.6, 500.0], requires_grad=True)
    rounded = quantizer(x)
    assert rounded.tolist() == [-127, -127, 0, 3, 127]
    rounded.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]
    own = TensorQuantizer(2)(torch.tensor([[1.27, 0.004], [254.0, 3.0]]))
    torch.testing.assert_close(own, torch.tensor([[1.27, 0.0], [254.0, 4.0]]))
    assert torch.equal(TensorQuantizer()(torch.zeros(3)), torch.zeros(3))
    assert QuantLinear(3, 2).weight_quantizer.amax.shape == (2, 1)


def test_calibrated_ranges_are_saved_and_unset_ones_are_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = QDQBertModel(CONFIG).eval()
    plain = BertModel(CONFIG).eval()
    plain.load_state_dict(model.state_dict(), strict=False)
    exact = plain(IDS).last_hidden_state
    model.save_pretrained(tmp_path / "unset")
    assert not any("_amax" in name for name in load_file(tmp_path / "unset" / "model.safetensors"))
    fresh, news = AutoModel.from_pretrained(tmp_path / "unset", output_loading_info=True)
    assert not any(news.values())
    assert torch.equal(fresh(IDS).last_hidden_state, model(IDS).last_hidden_state)

    model.calibrate()
    torch.testing.assert_close(model(IDS).last_hidden_state, exact, atol=1e-5, rtol=1e-4)
    model.calibrate(False)
    rounded = model(IDS).last_hidden_state
    with torch.no_grad():
        assert 0 < float((rounded - exact).norm() / exact.norm()) < 0.1
    model.save_pretrained(tmp_path / "set")
    weights = load_file(tmp_path / "set" / "model.safetensors")
    assert weights["encoder.layer.0.output.dense._weight_quantizer._amax"].shape == (32, 1)
    again = AutoModel.from_pretrained(tmp_path / "set")
    assert torch.equal(again(IDS).last_hidden_state, rounded)
    name = "encoder.layer.1.attention.self.matmul_v_input_quantizer._amax"
    save_file({**weights, name: weights[name] / 8}, tmp_path / "set" / "model.safetensors")
    other = AutoModel.from_pretrained(tmp_path / "set")
    assert not torch.equal(other(IDS).last_hidden_state, rounded)


def test_training_goes_through_the_rounding() -> None:
    model = QDQBertModel(CONFIG).train()
    model(IDS).pooler_output.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("num_beams", [1, 2])
def test_a_calibrated_decoder_generates_with_a_cache(tmp_path: Path, num_beams: int) -> None:
    torch.manual_seed(0)
    model = QDQBertLMHeadModel(QDQBertConfig(**{**CONFIG.to_dict(), "is_decoder": True})).eval()
    model.calibrate()
    model(IDS)
    model.calibrate(False)
    model.save_pretrained(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    options = {"max_new_tokens": 6, "min_new_tokens": 6, "num_beams": num_beams}
    assert torch.equal(model.generate(IDS, **options), model.generate(IDS, use_cache=False, **options))
