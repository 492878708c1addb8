"""DiffLlama: Llama with differential attention, the difference of two attention maps."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_options
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryTables
from zoo_text.diffllama.config import DiffLlamaConfig


class DifferentialAttention(Attention):
    """Heads i and i + heads / 2 attend to the values of both; the second is subtracted with a weight."""

    def __init__(self, config: DiffLlamaConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size, config.num_attention_heads, **attention_options(config, layer_idx)
        )
        self.std = config.lambda_std_dev
        self.lambda_init = 0.8 - 0.6 * math.exp(-0.3 * layer_idx)
        for name in ("q1", "k1", "q2", "k2"):
            self.register_parameter(f"lambda_{name}", nn.Parameter(torch.empty(self.head_dim)))
        self.pair_norm = RMSNorm(2 * self.head_dim, config.rms_norm_eps, affine=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        for parameter in self.parameters(recurse=False):
            nn.init.normal_(parameter, std=self.std)

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        query, key, value, mask = super().inputs(hidden, context, rotary)
        if self.num_kv_heads % 2:  # no two key heads to pair: pair query heads
            key, value = (
                x.repeat_interleave(self.num_heads // self.num_kv_heads, dim=1) for x in (key, value)
            )
        return query, key, torch.cat(value.chunk(2, dim=1), dim=-1).repeat(1, 2, 1, 1), mask

    def merge(self, attended: Tensor) -> Tensor:
        first, second = attended.chunk(2, dim=1)
        factor = self.growth("1").to(first.dtype) - self.growth("2").to(first.dtype) + self.lambda_init
        difference = self.pair_norm(first - factor * second) * (1 - self.lambda_init)
        return self.o_proj(difference.transpose(1, 2).flatten(2))

    def growth(self, number: str) -> Tensor:
        """exp(lambda_q . lambda_k), a float32 scalar."""
        product = self.get_parameter(f"lambda_q{number}") * self.get_parameter(f"lambda_k{number}")
        return product.sum(dtype=torch.float32).exp()


class DiffLlamaPreTrainedModel(PreTrainedModel):
    """What all DiffLlama classes share."""

    config_class = DiffLlamaConfig
    base_model_prefix = "model"


class DiffLlamaModel(DiffLlamaPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: DiffLlamaConfig, layer_idx: int) -> nn.Module:
        return DifferentialAttention(config, layer_idx)


class DiffLlamaForCausalLM(ForCausalLM, DiffLlamaPreTrainedModel):
    """DiffLlama with a language modeling head."""

    base_class = DiffLlamaModel


class DiffLlamaForSequenceClassification(ForLastTokenClassification, DiffLlamaPreTrainedModel):
    """DiffLlama with a classifier on the last token."""

    base_class = DiffLlamaModel


class DiffLlamaForQuestionAnswering(ForQuestionAnswering, DiffLlamaPreTrainedModel):
    """DiffLlama with scores of an answer's first and last token."""

    base_class = DiffLlamaModel
    base_name = "transformer"


class DiffLlamaForTokenClassification(ForTokenClassification, DiffLlamaPreTrainedModel):
    """DiffLlama with a classifier on each token."""

    base_class = DiffLlamaModel
    head_names = {"classifier": "score"}
