"""MVP: a BART whose attention may read learned keys and values of each layer (prefix tuning)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bart import model as bart
from zoo_text.mvp.config import MvpConfig


class MvpPreTrainedModel(bart.BartPreTrainedModel):
    """What all MVP classes share."""

    config_class = MvpConfig

    def set_lightweight_tuning(self) -> None:
        """Leave only the prompts to be trained.

        Raises:
            ValueError: the config has `use_prompt=False`.
        """
        if not self.config.use_prompt:
            raise ValueError("config.use_prompt is False, so there are no prompts to train; set it to True")
        for name, parameter in self.named_parameters():
            parameter.requires_grad_("_prompt." in name)


class MvpPrompt(nn.Module):
    """Learned keys and values for all layers of a stack (https://arxiv.org/abs/2101.00190)."""

    def __init__(self, config: MvpConfig, layers: int, heads: int) -> None:
        super().__init__()
        self.layers, self.num_heads = layers, heads
        size, middle = config.d_model, config.prompt_mid_dim
        self.dropout = nn.Dropout(config.dropout)
        self.prompt_embedding = nn.Embedding(config.prompt_length, size)
        self.prompt_trans = nn.Sequential(
            nn.Linear(size, middle), nn.GELU(), nn.Linear(middle, layers * 2 * size)
        )

    def forward(self) -> Tensor:
        """(layers, key or value, heads, prompt, head width)."""
        made = self.prompt_trans(self.prompt_embedding.weight)
        made = self.dropout(made.view(len(made), self.layers, 2, self.num_heads, -1))
        return made.permute(1, 2, 3, 0, 4)


class MvpAttention(Attention):
    """Attention to the prompt first, which no mask hides, then to what is there."""

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        query, key, value, mask = super().inputs(hidden, context, rotary)
        prompts = context.shared.get("cross_prompt" if self.cross else "prompt")
        if prompts is None:
            return query, key, value, mask
        first_key, first_value = prompts[self.layer_idx].unsqueeze(1).expand(-1, len(query), -1, -1, -1)
        allowed = mask.allowed
        if mask.causal:
            allowed = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=key.device).tril()
        room = (first_key.shape[2], 0)
        mask = Mask(
            allowed=None if allowed is None else F.pad(allowed, room, value=True),
            bias=None if mask.bias is None else F.pad(mask.bias, room),
        )
        return query, torch.cat((first_key, key), dim=2), torch.cat((first_value, value), dim=2), mask


class MvpStack(MvpPreTrainedModel, bart.BartStack):
    """MVP's encoder or decoder."""

    attention_class = MvpAttention

    def make_inputs(self, config: MvpConfig) -> None:
        super().make_inputs(config)
        if not config.use_prompt:
            return
        heads = config.decoder_attention_heads if self.is_decoder else config.encoder_attention_heads
        self.self_attn_prompt = MvpPrompt(config, self.depth(config), heads)
        if self.is_decoder:
            self.cross_attn_prompt = MvpPrompt(config, self.depth(config), heads)

    def share(self, context: AttentionContext) -> None:
        if self.config.use_prompt:
            context.shared["prompt"] = self.self_attn_prompt()
            if self.is_decoder:
                context.shared["cross_prompt"] = self.cross_attn_prompt()


class MvpModel(MvpPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = MvpStack


class MvpForConditionalGeneration(MvpPreTrainedModel, bart.BartForConditionalGeneration):
    """MVP with a language modeling head."""

    base_class = MvpModel


class MvpForSequenceClassification(MvpPreTrainedModel, bart.BartForSequenceClassification):
    """MVP with a classifier on the last end-of-sequence token."""

    base_class = MvpModel


class MvpForQuestionAnswering(MvpPreTrainedModel, bart.BartForQuestionAnswering):
    """MVP with scores of an answer's first and last token."""

    base_class = MvpModel


class MvpForCausalLM(MvpPreTrainedModel, bart.BartForCausalLM):
    """MVP's decoder alone, with a language modeling head."""

    base_class = MvpStack
