"""Leading away from what the model would say without, or against, the prompt."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.logits.base import LogitsProcessor


class ClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """Rows come in two halves, with and without the condition (https://arxiv.org/abs/2306.05284)."""

    def __init__(self, guidance_scale: float) -> None:
        if guidance_scale <= 1:
            raise ValueError(f"guidance_scale={guidance_scale} must be more than 1")
        self.scale = guidance_scale

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if scores.shape[0] != 2 * input_ids.shape[0]:
            raise GenerationError(
                f"guidance needs twice as many rows of scores as of ids; got {scores.shape[0]} and "
                f"{input_ids.shape[0]}"
            )
        conditional, unconditional = scores.chunk(2)
        return unconditional + (conditional - unconditional) * self.scale


class UnbatchedClassifierFreeGuidanceLogitsProcessor(LogitsProcessor):
    """Runs the model beside itself on a negative prompt (https://arxiv.org/abs/2306.17806).

    Args:
        guidance_scale: 1 has no effect, more leads away from the negative prompt.
        unconditional_ids: the negative prompt (rows, length); by default the prompt's last token.
        total: tokens to make room for.
    """

    def __init__(
        self,
        guidance_scale: float,
        model: Any,
        unconditional_ids: Tensor | None = None,
        unconditional_attention_mask: Tensor | None = None,
        use_cache: bool = True,
        *,
        total: int = 0,
    ) -> None:
        self.scale, self.model = guidance_scale, model
        self.ids, self.mask = unconditional_ids, unconditional_attention_mask
        self.use_cache, self.total = use_cache, total
        self._stepper: Any = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.log_softmax(-1)
        if self.scale == 1:
            return scores
        other = self._unconditional(input_ids).log_softmax(-1)
        return other + self.scale * (scores - other)

    def _unconditional(self, input_ids: Tensor) -> Tensor:
        from zoo_core.generation.stepper import Stepper
        from zoo_core.nn.cache import Cache

        if self._stepper is None:
            if self.ids is None:
                self.ids, self.mask = input_ids[:, -1:], None
            if self.ids.shape[0] != input_ids.shape[0]:
                self.ids = self.ids.repeat_interleave(input_ids.shape[0] // self.ids.shape[0], dim=0)
            total = self.ids.shape[1] + max(self.total, input_ids.shape[1]) + 1
            inputs = {} if self.mask is None else {"attention_mask": self.mask}
            cache = Cache(capacity=total) if self.use_cache else None
            self._stepper = Stepper(self.model, inputs, cache=cache, prompt=self.ids, total=total)
        else:
            assert self.ids is not None
            self.ids = torch.cat((self.ids, input_ids[:, -1:]), dim=1)
        logits: Tensor = self._stepper(self.ids).logits[:, -1].float()
        return logits
