"""RWKV-4: a recurrence that weighs values by decaying keys, and gated feed-forward blocks."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.ssm import hide_padding, started, state_slot
from zoo_core.nn.stack import run_layers
from zoo_text.rwkv.config import RwkvConfig

#: exponent of a weight that is nothing
NOTHING = -1e38


class RwkvOutput(ModelOutput):
    """States, and `state`: what the recurrences remember."""

    last_hidden_state: Tensor
    state: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class RwkvCausalLMOutput(ModelOutput):
    """Scores of the next token, and `state`: what the recurrences remember."""

    loss: Tensor | None = None
    logits: Tensor
    state: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class RwkvPreTrainedModel(PreTrainedModel):
    """What all RWKV classes share."""

    config_class = RwkvConfig
    base_model_prefix = "rwkv"


class Mixing(nn.Module):
    """Blends each token with the one before it, by a learned share for each feature and each use."""

    def __init__(self, config: RwkvConfig, layer_idx: int, uses: tuple[str, ...]) -> None:
        super().__init__()
        self.layer_idx, self.layers = layer_idx, config.num_hidden_layers
        for use in uses:
            setattr(self, f"time_mix_{use}", nn.Parameter(torch.empty(1, 1, config.hidden_size)))
        self.uses = uses
        self.reset_mixing()

    @torch.no_grad()
    def reset_mixing(self) -> None:
        """The authors' initial shares, which depend on depth and feature."""
        depth = self.layer_idx / max(self.layers - 1, 1)
        for use in self.uses:
            share: Tensor = getattr(self, f"time_mix_{use}")
            place = torch.arange(share.shape[-1]) / share.shape[-1]
            power = (1 - self.layer_idx / self.layers) * (0.5 if use == "receptance" else 1.0)
            share.copy_(place**power + (0.3 * depth if use == "value" else 0.0))

    def blend(self, x: Tensor, context: AttentionContext, name: str) -> list[Tensor]:
        """(batch, sequence, hidden) to its blends, one for each use."""
        slot = state_slot(context, self.layer_idx)
        last = None if slot is None else slot.state.get(name)
        before = torch.cat((torch.zeros_like(x[:, :1]) if last is None else last, x[:, :-1]), dim=1)
        if slot is not None:
            slot.state[name] = x[:, -1:].clone()
        return [torch.lerp(before, x, getattr(self, f"time_mix_{use}")) for use in self.uses]


class TimeMixing(Mixing):
    """The "WKV" recurrence (equations 11 to 14): an average of values, weighted by exp(key), that fades.

    Numerator and denominator are kept relative to exp(`exponent`), so that neither overflows.
    """

    def __init__(self, config: RwkvConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx, ("key", "value", "receptance"))
        size, width = config.hidden_size, config.attention_hidden_size or config.hidden_size
        self.time_decay = nn.Parameter(torch.empty(width))
        self.time_first = nn.Parameter(torch.empty(width))
        self.key = Linear(size, width, bias=False)
        self.value = Linear(size, width, bias=False)
        self.receptance = Linear(size, width, bias=False)
        self.output = Linear(width, size, bias=False)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        self.reset_mixing()
        width = len(self.time_decay)
        place, depth = torch.arange(width), self.layer_idx / max(self.layers - 1, 1)
        self.time_decay.copy_(-5 + 8 * (place / max(width - 1, 1)) ** (0.7 + 1.3 * depth))
        self.time_first.copy_(torch.full((width,), 0.3).log() + 0.5 * ((place + 1) % 3 - 1))

    def forward(self, x: Tensor, context: AttentionContext) -> Tensor:
        key, value, receptance = self.blend(x, context, "time")
        key, value = self.key(key).float(), self.value(value).float()
        begun = started(context)
        if begun is not None:
            key = key.masked_fill(~begun, NOTHING)
        averages = self.average(key, value, context)
        return self.output((torch.sigmoid(self.receptance(receptance)) * averages).to(x.dtype))

    def average(self, key: Tensor, value: Tensor, context: AttentionContext) -> Tensor:
        """The recurrence over float32 keys and values (batch, sequence, width)."""
        slot, decay, first = (
            state_slot(context, self.layer_idx),
            -self.time_decay.float().exp(),
            self.time_first,
        )
        kept = {} if slot is None else slot.state
        top, bottom = (kept.get(name, torch.zeros_like(key[:, 0])) for name in ("top", "bottom"))
        exponent = kept.get("exponent", torch.full_like(key[:, 0], NOTHING))
        averages = []
        for k, v in zip(key.unbind(1), value.unbind(1), strict=True):
            now = torch.maximum(exponent, k + first)
            old, new = torch.exp(exponent - now), torch.exp(k + first - now)
            averages.append((old * top + new * v) / (old * bottom + new))
            faded = exponent + decay
            exponent = torch.maximum(faded, k)
            old, new = torch.exp(faded - exponent), torch.exp(k - exponent)
            top, bottom = old * top + new * v, old * bottom + new
        if slot is not None:
            slot.state.update(top=top, bottom=bottom, exponent=exponent)
            slot.seen += key.shape[1]
        return torch.stack(averages, dim=1)


class ChannelMixing(Mixing):
    """A feed-forward block with squared ReLU and an output gate (equations 16 to 18)."""

    def __init__(self, config: RwkvConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx, ("key", "receptance"))
        size, inner = config.hidden_size, config.intermediate_size or 4 * config.hidden_size
        self.key = Linear(size, inner, bias=False)
        self.receptance = Linear(size, size, bias=False)
        self.value = Linear(inner, size, bias=False)

    def reset_parameters(self) -> None:
        self.reset_mixing()

    def forward(self, x: Tensor, context: AttentionContext) -> Tensor:
        key, receptance = self.blend(x, context, "channel")
        return torch.sigmoid(self.receptance(receptance)) * self.value(F.relu(self.key(key)).square())


class RwkvLayer(nn.Module):
    """Time mixing and channel mixing, each after a norm; outside training rescaled by depth."""

    def __init__(self, config: RwkvConfig, layer_idx: int) -> None:
        super().__init__()
        norm = partial(nn.LayerNorm, config.hidden_size, eps=config.layer_norm_epsilon)
        self.pre_ln = norm() if layer_idx == 0 else None
        self.ln1, self.ln2 = norm(), norm()
        self.attention = TimeMixing(config, layer_idx)
        self.feed_forward = ChannelMixing(config, layer_idx)
        every = config.rescale_every
        self.branch_scale = 0.5 ** (layer_idx // every) if every > 0 else 1.0
        self.halves = every > 0 and (layer_idx + 1) % every == 0

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        begun, scale = started(context), 1.0 if self.training else self.branch_scale
        if self.pre_ln is not None:
            hidden = self.pre_ln(hidden)
        attended = self.attention(hide_padding(self.ln1(hidden), begun), context) * scale
        record(ATTENTIONS, attended)
        hidden = hidden + attended
        hidden = hidden + self.feed_forward(hide_padding(self.ln2(hidden), begun), context) * scale
        return hidden / 2 if self.halves and not self.training else hidden


class RwkvModel(RwkvPreTrainedModel, DecoderModel):
    """The model without a head; what it remembers goes by the name `state`.

    Its "attentions" are what each layer's time mixing adds, (batch, sequence, hidden).
    """

    hub_names = {"embed_tokens": "embeddings", "layers": "blocks", "norm": "ln_out"}

    def make_layer(self, config: RwkvConfig, layer_idx: int) -> nn.Module:
        return RwkvLayer(config, layer_idx)

    def norm_of(self, config: RwkvConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=1e-5)

    def make_rotary(self, config: RwkvConfig) -> dict[str, nn.Module]:
        return {}

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        state: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden); padding before a row is left out."""
        cache = self.cache_for(state, use_cache)
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        context = AttentionContext(hidden, attention_mask, cache=cache, positions=cache_position)
        hidden = run_layers(self.layers, hidden, context, norm=self.finish, record_after=True)
        return RwkvOutput(last_hidden_state=hidden, state=cache)


class RwkvForCausalLM(ForCausalLM, RwkvPreTrainedModel):
    """RWKV with a language modeling head."""

    base_class = RwkvModel
    head_names = {"lm_head": "head"}
    cache_name = "state"
    output_class = RwkvCausalLMOutput
