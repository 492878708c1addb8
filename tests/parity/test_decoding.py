"""Every causal type decodes alike however the prompt is padded, and with a cache or without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core import AutoModelForCausalLM, registry

CASES = Path(__file__).parent / "cases"

#: types whose causal class reads more than one row of ids a prompt; their own tests compare
#: decoding with and without a cache
_OTHER_INPUTS = {
    "cpmant",
    "llava",
    "musicgen",
    "musicgen_decoder",
    "musicgen_melody",
    "musicgen_melody_decoder",
    "vipllava",
}


def causal_types() -> list[str]:
    found = []
    for folder in sorted(CASES.iterdir()):
        if folder.name in _OTHER_INPUTS or folder.name not in registry.names():
            continue
        if registry.get(folder.name).candidates("AutoModelForCausalLM"):
            found.append(folder.name)
    return found


@pytest.fixture
def load(write_checkpoint: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Loads the recorded weights of a model type as a causal language model."""

    def loaded(model_type: str, **options: Any) -> Any:
        paths = sorted((CASES / model_type).glob("*.json"), key=lambda p: ("CausalLM" not in p.stem, p.stem))
        case = json.loads(paths[0].read_text())
        case["config"] = {
            **case["config"],
            "is_decoder": True,
            "is_encoder_decoder": False,
            "eos_token_id": None,
            "use_cache": True,
        }
        case.pop("generation_config", None)
        folder = tmp_path / "checkpoint"
        write_checkpoint(case, folder)
        torch.manual_seed(0)
        return AutoModelForCausalLM.from_pretrained(folder, **options)

    return loaded


def prompt(model: Any, length: int = 5) -> torch.Tensor:
    vocab = model.config.get_text_config().vocab_size
    return torch.randint(3, vocab - 1, (1, length), generator=torch.Generator().manual_seed(1))


def decode(model: Any, ids: torch.Tensor, mask: torch.Tensor, **settings: Any) -> Any:
    return model.generate(
        input_ids=ids,
        attention_mask=mask,
        **{"max_new_tokens": 5, "do_sample": False, "pad_token_id": 0, **settings},
        return_dict_in_generate=True,
        output_logits=True,
    )


@pytest.mark.parametrize("model_type", causal_types())
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 6e-2)], ids=str)
def test_left_padding_changes_nothing(
    model_type: str, attention: str, dtype: torch.dtype, tolerance: float, load: Callable[..., Any]
) -> None:
    model = load(model_type, attn_implementation=attention, dtype=dtype)
    ids = prompt(model)
    padded = torch.cat((torch.zeros(1, 3, dtype=torch.long), ids), dim=1)
    mask = torch.cat((torch.zeros(1, 3, dtype=torch.long), torch.ones_like(ids)), dim=1)
    want = decode(model, ids, torch.ones_like(ids))
    got = decode(model, padded, mask)
    for step, (a, b) in enumerate(zip(want.logits, got.logits, strict=True)):
        scale = max(1.0, float(a.float().abs().max()))
        assert float((a.float() - b.float()).abs().max()) <= tolerance * scale, f"step {step}"
        if want.sequences[0, 5 + step] != got.sequences[0, 8 + step]:
            assert dtype is torch.bfloat16, f"step {step}: another token"
            break  # near-equal scores may part ways in half precision; what follows is another text


@pytest.mark.parametrize("model_type", causal_types())
@pytest.mark.parametrize("beams", [1, 3], ids=["greedy", "beam"])
def test_with_and_without_a_cache(model_type: str, beams: int, load: Callable[..., Any]) -> None:
    model = load(model_type)
    ids = prompt(model)
    mask = torch.ones_like(ids)
    cached = decode(model, ids, mask, num_beams=beams, use_cache=True)
    plain = decode(model, ids, mask, num_beams=beams, use_cache=False)
    assert cached.sequences.tolist() == plain.sequences.tolist()
