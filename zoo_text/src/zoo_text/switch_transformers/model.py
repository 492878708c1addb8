"""Switch Transformers: a T5 in which each token may visit one of several feed-forward blocks."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Stacked
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
)
from zoo_core.nn.activation import activation
from zoo_core.nn.mlp import MLP
from zoo_core.nn.moe import Router, StackedExperts
from zoo_core.nn.recording import record
from zoo_text.switch_transformers.config import SwitchTransformersConfig
from zoo_text.t5 import model as t5

Routed = tuple[Tensor, ...]
"""Of a layer with experts: scores (batch, sequence, experts) and choices (batch, sequence); else one zero."""


class SwitchEncoderOutput(BaseModelOutput):
    """States of the encoder, and how each layer routed them."""

    router_logits: tuple[Routed, ...] | None = None


class SwitchDecoderOutput(BaseModelOutputWithPastAndCrossAttentions):
    """States of the decoder, and how each layer routed them."""

    router_logits: tuple[Routed, ...] | None = None


class Seq2SeqMoEModelOutput(Seq2SeqModelOutput):
    """Hidden states of the decoder, with those of the encoder, and how both routed them."""

    encoder_router_logits: tuple[Routed, ...] | None = None
    decoder_router_logits: tuple[Routed, ...] | None = None


class Seq2SeqMoEOutput(Seq2SeqLMOutput, own_first=True):
    """Scores of the decoder's next token, and losses that keep routers from extremes and experts busy."""

    loss: Tensor | None = None
    logits: Tensor
    encoder_z_loss: Tensor | None = None
    decoder_z_loss: Tensor | None = None
    encoder_aux_loss: Tensor | None = None
    decoder_aux_loss: Tensor | None = None
    encoder_router_logits: tuple[Routed, ...] | None = None
    decoder_router_logits: tuple[Routed, ...] | None = None


class SwitchTransformersPreTrainedModel(t5.T5PreTrainedModel):
    """What all Switch Transformer classes share."""

    config_class = SwitchTransformersConfig

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        factor, config = self.config.initializer_factor, self.config
        if isinstance(module, SwitchExperts):
            nn.init.normal_(module.fc1, std=factor * config.d_model**-0.5)
            nn.init.normal_(module.fc2, std=factor * config.d_ff**-0.5)
        elif isinstance(module, Router):
            nn.init.normal_(module.weight, std=factor * config.d_model**-0.5)


class SwitchExperts(StackedExperts):
    """fc2(act(fc1(x))): fc1 (experts, intermediate, hidden), fc2 the other way."""

    def __init__(self, config: SwitchTransformersConfig) -> None:
        super().__init__(config.num_experts)
        self.fc1 = nn.Parameter(torch.empty(config.num_experts, config.d_ff, config.d_model))
        self.fc2 = nn.Parameter(torch.empty(config.num_experts, config.d_model, config.d_ff))
        self.act = activation(config.dense_act_fn)
        self.dropout = nn.Dropout(config.dropout_rate)

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        return F.linear(self.dropout(self.act(F.linear(tokens, self.fc1[number]))), self.fc2[number])


class SwitchMLP(nn.Module):
    """One expert for each token; tokens that find theirs full get nothing."""

    hub_names = {
        "router": "router.classifier",
        "experts.fc1": Stacked("experts.expert_*.wi.weight"),
        "experts.fc2": Stacked("experts.expert_*.wo.weight"),
    }

    def __init__(self, config: SwitchTransformersConfig) -> None:
        super().__init__()
        self.capacity, self.jitter = config.expert_capacity, config.router_jitter_noise
        self.router = Router(
            config.d_model,
            config.num_experts,
            1,
            bias=config.router_bias,
            float32=config.router_dtype == "float32",
        )
        self.experts = SwitchExperts(config)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, sequence, hidden) to the same shape."""
        routed = hidden
        if self.training and self.jitter > 0:
            routed = hidden * torch.empty_like(hidden).uniform_(1 - self.jitter, 1 + self.jitter)
        logits = self.router.logits(routed)
        weight, index = logits.softmax(-1).max(-1)
        weight = weight.to(hidden.dtype)
        queue = F.one_hot(index, logits.shape[-1]).cumsum(1).gather(-1, index[..., None])[..., 0]
        fits = queue <= self.capacity
        record("router_logits", (logits, index.masked_fill(~fits, 0)))
        visited = self.experts(hidden[fits], index[fits][:, None], weight[fits][:, None])
        return self.unvisited(hidden, weight).index_put((fits,), visited)

    def unvisited(self, hidden: Tensor, weight: Tensor) -> Tensor:
        """What tokens come to that find their expert full."""
        return torch.zeros_like(hidden)


class DenseMLP(MLP):
    """A feed-forward block without experts."""

    def __init__(self, config: SwitchTransformersConfig) -> None:
        dropout = config.dropout_rate
        super().__init__(
            config.d_model, config.d_ff, config.dense_act_fn, bias=False, activation_dropout=dropout
        )
        self.fc2 = t5.T5Output(config.d_ff, config.d_model, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        record("router_logits", (torch.zeros(1, dtype=torch.int64, device=hidden.device),))
        return super().forward(hidden)


class SwitchTransformersStack(SwitchTransformersPreTrainedModel, t5.T5Stack):
    """The encoder, or the decoder."""

    def make_layer(self, config: SwitchTransformersConfig, layer_idx: int) -> nn.Module:
        layer = t5.T5Layer(config, layer_idx, decoder=self.is_decoder)
        step = config.decoder_sparse_step if self.is_decoder else config.encoder_sparse_step
        sparse = step == 1 or (step > 0 and layer_idx % step == 1)
        layer.mlp = SwitchMLP(config) if sparse else DenseMLP(config)
        place = f"layer.{2 if self.is_decoder else 1}.mlp"
        layer.hub_names = layer.hub_names | {"mlp": place, "mlp.fc1": f"{place}.wi", "mlp.fc2": f"{place}.wo"}
        return layer

    def forward(self, *args: Any, **inputs: Any) -> ModelOutput:
        """As the base's."""
        output = super().forward(*args, **inputs)
        return (SwitchDecoderOutput if self.is_decoder else SwitchEncoderOutput).carry(output)


class SwitchTransformersModel(SwitchTransformersPreTrainedModel, t5.T5Model):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = SwitchTransformersStack
    output_class = Seq2SeqMoEModelOutput


class SwitchTransformersEncoderModel(SwitchTransformersPreTrainedModel, t5.T5EncoderModel):
    """The encoder alone, under the names of the whole model."""

    stack_class = SwitchTransformersStack


class SwitchTransformersForConditionalGeneration(
    SwitchTransformersPreTrainedModel, t5.T5ForConditionalGeneration
):
    """Switch Transformer with a language modeling head.

    Unless a call has `output_router_logits=False`, the routers' losses are returned, and part of the loss.
    """

    base_class = SwitchTransformersModel
    output_class = Seq2SeqMoEOutput

    def __call__(self, *args: Any, output_router_logits: bool | None = True, **inputs: Any) -> Any:
        return super().__call__(*args, output_router_logits=output_router_logits is not False, **inputs)

    def scored(self, outputs: ModelOutput, labels: Tensor | None) -> ModelOutput:
        found = super().scored(outputs, labels)
        for side in ("encoder", "decoder"):
            layers = [one for one in outputs.get(f"{side}_router_logits") or () if len(one) > 1]
            if not layers:
                continue
            logits, index = (torch.cat(parts, dim=1) for parts in zip(*layers, strict=True))
            found[f"{side}_z_loss"] = logits.logsumexp(-1).square().mean()
            found[f"{side}_aux_loss"] = balance(logits.softmax(-1), index)
            if found.loss is not None:
                found.loss = (
                    found.loss
                    + self.config.router_z_loss_coef * found[f"{side}_z_loss"]
                    + self.config.router_aux_loss_coef * found[f"{side}_aux_loss"]
                )
        return found


def balance(probabilities: Tensor, index: Tensor) -> Tensor:
    """Equations 4 to 6 of the paper, for each sequence by itself, and their mean.

    Args:
        probabilities: (batch, tokens, experts). index: (batch, tokens) the experts chosen.
    """
    experts = probabilities.shape[-1]
    share = F.one_hot(index, experts).to(probabilities.dtype).mean(1)
    return (share * probabilities.mean(1)).sum(-1).mean() * experts
