"""ImageGPT: GPT-2 over the pixels of an image, row by row, as colours of a palette."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import GPT2
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.gpt import GPTBody, GPTLayer
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions, SequenceClassifierOutputWithPast
from zoo_core.nn.linear import Linear
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_vision.imagegpt.config import ImageGPTConfig


class ImageGPTPreTrainedModel(PreTrainedModel):
    """What all ImageGPT classes share."""

    config_class = ImageGPTConfig
    base_model_prefix = "transformer"
    ignored_names = ("*attn.bias", "*attn.masked_bias", "*crossattention.bias", "*crossattention.masked_bias")


class ImageGPTModel(ImageGPTPreTrainedModel, GPTBody):
    """The decoder without a head."""

    hub_names = GPT2

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.layer_norm_epsilon)

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        root = math.isqrt(config.n_embd // config.n_head)  # as released, rounded down
        return GPTLayer(config, layer_idx, self.norm_of(config), root=root)


class ImageGPTForCausalImageModeling(ForCausalLM, ImageGPTPreTrainedModel):
    """ImageGPT with scores of the next pixel's colour; the token that begins an image is never predicted."""

    base_class = ImageGPTModel
    tied_weights = {}
    output_class = CausalLMOutputWithCrossAttentions

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return Linear(config.hidden_size, config.vocab_size - 1, bias=False)


class ImageGPTForImageClassification(Headed, ImageGPTPreTrainedModel):
    """ImageGPT with a classifier on the mean over all pixels."""

    base_class = ImageGPTModel

    def build_head(self, config: PretrainedConfig) -> None:
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutputWithPast:
        """Logits (batch, labels) of colours (batch, pixels)."""
        outputs = self.model(input_ids, **inputs)
        logits = self.score(outputs.last_hidden_state.mean(1))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return SequenceClassifierOutputWithPast.carry(outputs, loss=loss, logits=logits)
