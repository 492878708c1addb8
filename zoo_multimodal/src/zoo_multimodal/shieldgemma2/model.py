"""ShieldGemma 2: whether an image violates a policy, as Gemma 3 would answer with Yes or No."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ImageClassifierOutputWithNoAttention
from zoo_multimodal.gemma3.model import Gemma3ForConditionalGeneration
from zoo_multimodal.shieldgemma2.config import ShieldGemma2Config

YES, NO = 10784, 3771
"""Tokens of Gemma's vocabulary."""


class ShieldGemma2ImageClassifierOutputWithNoAttention(ImageClassifierOutputWithNoAttention):
    """`logits` and `probabilities` (batch, 2) of Yes, the policy is violated, and No."""

    probabilities: Tensor | None = None


class ShieldGemma2ForImageClassification(PreTrainedModel):
    """Gemma 3 asked for a Yes or a No."""

    config_class = ShieldGemma2Config

    def __init__(self, config: ShieldGemma2Config) -> None:
        super().__init__(config)
        self.yes_token_index: int = getattr(config, "yes_token_index", YES)
        self.no_token_index: int = getattr(config, "no_token_index", NO)
        self.model = Gemma3ForConditionalGeneration(config)
        self.post_init()

    def forward(
        self, input_ids: Tensor | None = None, pixel_values: Tensor | None = None, **inputs: Any
    ) -> ShieldGemma2ImageClassifierOutputWithNoAttention:
        """The inputs of Gemma 3; the prompt, which the processor writes, ends where the answer begins."""
        outputs = self.model(input_ids, pixel_values, logits_to_keep=1, **inputs)
        logits = outputs.logits[:, -1, [self.yes_token_index, self.no_token_index]]
        return ShieldGemma2ImageClassifierOutputWithNoAttention(
            logits=logits, probabilities=logits.softmax(-1)
        )

    def get_input_embeddings(self) -> nn.Module:
        return self.model.get_input_embeddings()
