"""Longformer: windows cost memory in proportion to the text, and tasks say which tokens see all."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from zoo_core.errors import ConfigError
from zoo_text.longformer.config import LongformerConfig
from zoo_text.longformer.model import LongformerForQuestionAnswering, LongformerModel

SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "attention_window": 8,
    "max_position_embeddings": 600,
}


class Largest(TorchDispatchMode):
    """Elements of the largest tensor that any operation makes."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            self.elements = max(self.elements, out.numel())
        return out


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_memory_grows_with_the_length_alone(attention: str) -> None:
    model = LongformerModel(LongformerConfig(**SIZES)).eval()
    model.set_attn_implementation(attention)
    largest = []
    for length in (256, 512):
        mask = torch.zeros(1, length, dtype=torch.long)
        mask[:, 0] = 1
        with torch.no_grad(), Largest() as seen:
            model(torch.full((1, length), 5), global_attention_mask=mask)
        largest.append(seen.elements)
    assert largest[1] <= 2.1 * largest[0]


def test_a_token_sees_its_window_and_the_global_tokens() -> None:
    model = LongformerModel(LongformerConfig(**SIZES)).eval()
    ids = torch.randint(3, 40, (1, 30), generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 30, dtype=torch.long)
    mask[:, 2] = 1

    def changed_by(position: int, seen_by: torch.Tensor) -> list[bool]:
        other = ids.clone()
        other[0, position] = (ids[0, position] + 1) % 37 + 3
        with torch.no_grad():
            a, b = (model(x, global_attention_mask=seen_by).last_hidden_state for x in (ids, other))
        return ((a - b).abs().amax(-1)[0] > 1e-6).tolist()

    none = torch.zeros_like(mask)
    assert changed_by(15, none) == [abs(i - 15) <= 4 for i in range(30)]
    assert changed_by(15, mask) == [abs(i - 15) <= 4 or i == 2 for i in range(30)]
    assert all(changed_by(2, mask))


def test_a_question_must_end_at_a_separator() -> None:
    model = LongformerForQuestionAnswering(LongformerConfig(**SIZES))
    with pytest.raises(ValueError, match=r"three separators \(id 2\).*\[1\].*global_attention_mask"):
        model(torch.tensor([[0, 5, 6, 2]]))


@pytest.mark.parametrize("window", [7, 0, [8, 8]])
def test_impossible_windows_are_refused(window: Any) -> None:
    with pytest.raises(ConfigError, match="attention_window"):
        LongformerModel(LongformerConfig(**{**SIZES, "attention_window": window}))
