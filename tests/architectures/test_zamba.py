"""Blocks that hybrid layers share: who shares with whom, and under which name files hold them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_text.zamba2.config import Zamba2Config
from zoo_text.zamba2.model import Zamba2ForCausalLM

KINDS = ["mamba", "hybrid", "hybrid", "mamba", "hybrid", "hybrid"]
IDS = torch.tensor([[3, 4, 5, 6]])


@pytest.fixture
def model() -> Zamba2ForCausalLM:
    torch.manual_seed(0)
    config = Zamba2Config(
        vocab_size=30, hidden_size=16, num_hidden_layers=6, layers_block_type=KINDS, num_attention_heads=2,
        num_mem_blocks=2, use_shared_attention_adapter=True, adapter_rank=3, mamba_d_state=4, n_mamba_heads=2,
        use_mem_rope=True,
    )  # fmt: skip
    return Zamba2ForCausalLM(config).eval()


def test_blocks_take_turns(model: Zamba2ForCausalLM) -> None:
    weights = {i: model.model.layers[i].shared_transf.self_attn.q_proj.weight for i in (1, 2, 4, 5)}
    assert weights[1] is weights[4] and weights[2] is weights[5] and weights[1] is not weights[2]
    assert not any(parameter.is_meta for parameter in model.parameters())
    assert [model.model.layers[i].shared_transf.mlp.turn for i in weights] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("held_by", [(4, 5), (1, 2)], ids=["last", "first"])
def test_any_of_the_names_will_do(held_by: tuple[int, int], model: Zamba2ForCausalLM, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    assert not any(name.startswith(("model.layers.1.shared", "model.layers.2.shared")) for name in tensors)
    for old, new in zip((4, 5), held_by, strict=True):
        start = f"model.layers.{old}.shared_transformer."
        tensors = {
            f"model.layers.{new}.shared_transformer.{name.removeprefix(start)}"
            if name.startswith(start) else name: tensor
            for name, tensor in tensors.items()
        }  # fmt: skip
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    again, info = Zamba2ForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    with torch.no_grad():
        assert torch.equal(again(IDS).logits, model(IDS).logits)
