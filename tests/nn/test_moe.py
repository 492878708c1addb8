"""Routers and experts: what is chosen, and in which dtype answers are added up."""

from __future__ import annotations

import pytest
import torch

from zoo_core.nn.moe import Experts, GroupedRouter, MixtureOfExperts, Router


@pytest.mark.parametrize(
    ("router", "dtype"),
    [
        (lambda: Router(8, 4, 2), torch.bfloat16),
        (lambda: Router(8, 4, 2, float32=True), torch.bfloat16),
        (lambda: GroupedRouter(8, 4, 2), torch.float32),
    ],
    ids=["router", "float32 scores", "grouped"],
)
def test_weights_come_in_the_dtype_that_experts_add_up_in(router: object, dtype: torch.dtype) -> None:
    made = router().bfloat16()  # type: ignore[operator]
    index, weight = made(torch.randn(5, 8, dtype=torch.bfloat16))
    assert index.shape == weight.shape == (5, 2) and weight.dtype is dtype


@pytest.mark.parametrize("softmax_after", [False, True])
def test_a_mixture_is_the_weighted_sum_of_its_experts(softmax_after: bool) -> None:
    torch.manual_seed(0)
    router, experts = Router(8, 4, 2, softmax_after=softmax_after), Experts(4, 8, 16, "silu")
    tokens = torch.randn(2, 3, 8)
    mixed = MixtureOfExperts(router, experts)(tokens)
    index, weight = router(tokens.flatten(0, 1))
    for token, (chosen, factors) in enumerate(zip(index.tolist(), weight, strict=True)):
        x = tokens.flatten(0, 1)[token : token + 1]
        want = sum(f * experts.expert(e, x) for e, f in zip(chosen, factors, strict=True))
        torch.testing.assert_close(mixed.flatten(0, 1)[token : token + 1], want)


def test_an_expert_nobody_chose_is_not_asked() -> None:
    class Counting(Experts):
        asked: list[int] = []

        def expert(self, number: int, tokens: torch.Tensor) -> torch.Tensor:
            self.asked.append(number)
            return super().expert(number, tokens)

    experts = Counting(4, 8, 16, "silu")
    experts(torch.randn(3, 8), torch.tensor([[1], [3], [1]]), torch.ones(3, 1))
    assert experts.asked == [1, 3]
