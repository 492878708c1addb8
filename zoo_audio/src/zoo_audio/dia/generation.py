"""How Dia writes: all channels of a frame at once, each some steps later than the first."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig, GenerationMixin
from zoo_core.generation.config import DEFAULTS
from zoo_core.generation.session import merged
from zoo_core.nn.cache import Cache


class DiaGeneration(GenerationMixin):
    """`generate` of a model whose rows of logits are the channels of each sound."""

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Codes (batch, steps, channels) for bytes (batch, source), as written, each channel late.

        Args:
            decoder_input_ids: (batch, steps, channels) codes to continue, each channel late by its delay, and
                pad_token_id where a channel goes on while others are still given.
            **kwargs: settings: lengths, `do_sample` with temperature, top_k and top_p, `guidance_scale`.

        Raises:
            GenerationError: another way of decoding than greedy or sampling was asked for.
        """
        model: Any = self
        settings = {name: kwargs.pop(name) for name in list(kwargs) if name in DEFAULTS}
        if kwargs:
            raise GenerationError(f"{type(self).__name__}.generate takes no {', '.join(sorted(kwargs))}")
        if input_ids is None:
            raise GenerationError("pass input_ids (batch, source)")
        config = merged(self.settings(), generation_config, settings, True)
        if (config.num_beams or 1) > 1 or (config.num_return_sequences or 1) > 1:
            raise GenerationError("Dia decodes greedily or by sampling: leave out num_beams and copies")
        ids, delay = self._begin(input_ids, decoder_input_ids)
        new = config.max_new_tokens
        given, opened = ids, (ids == model.config.pad_token_id).any(-1).any(0).nonzero()
        if len(opened):
            ids = ids[:, : max(int(opened[0]), 1)]
        total = ids.shape[1] + new if new is not None else max(config.max_length or 0, ids.shape[1] + 1)
        return _Writer(model, config, ids, delay, total, given).write(input_ids, attention_mask)

    def _begin(self, input_ids: Tensor, given: Tensor | None) -> tuple[Tensor, Tensor]:
        """The codes to continue (batch, steps, channels), and the delay of each channel."""
        config: Any = self.config
        delay = torch.tensor(config.delay_pattern, device=input_ids.device)
        if given is None:
            shape = (len(input_ids), 1, len(delay))
            given = torch.full(shape, config.bos_token_id, device=input_ids.device)
        return given, delay


class _Writer:
    """The loop: inputs, scores, choices."""

    def __init__(
        self,
        model: Any,
        config: GenerationConfig,
        ids: Tensor,
        delay: Tensor,
        total: int,
        given: Tensor,
    ) -> None:
        self.model, self.config, self.ids, self.delay, self.total = model, config, ids, delay, total
        self.bos, self.eos, self.pad = (
            getattr(model.config, f"{name}_token_id") for name in ("bos", "eos", "pad")
        )
        self.given = given
        self.scale = config.guidance_scale
        if self.scale is not None and self.scale <= 1:
            self.scale = None
        #: (batch,) the step at which the first channel ends
        self.ends = torch.full((len(ids),), total, device=ids.device)

    def write(self, source: Tensor, mask: Tensor | None) -> Tensor:
        """Decode until every row has ended."""
        model = self.model
        if self.scale is not None:  # the second half of the batch has read nothing
            source = torch.cat((source, torch.zeros_like(source)))
            mask = None if mask is None else torch.cat((mask, mask))
        encoded = model.get_encoder()(source, attention_mask=mask)
        cache = Cache()
        while self.ids.shape[1] < self.total:
            step = self.ids.shape[1]
            inputs = self.ids[:, cache.length :]
            if self.scale is not None:
                inputs = torch.cat((inputs, inputs))
            logits = model(
                encoder_outputs=encoded,
                attention_mask=mask,
                decoder_input_ids=inputs,
                past_key_values=cache,
                use_cache=True,
                return_dict=True,
            ).logits[:, -1]
            logits = logits.float().unflatten(0, (-1, len(self.delay)))  # (batch, channels, vocabulary)
            chosen = self.choose(self.allowed(self.guided(logits)), step)
            if step < self.given.shape[1]:
                known = self.given[:, step]
                chosen = torch.where(known == self.pad, chosen, known)
            self.ids = torch.cat((self.ids, chosen[:, None]), dim=1)
            if bool((self.ends + self.delay.max() <= step).all()):
                break
        return self.ids

    def guided(self, logits: Tensor) -> Tensor:
        """Scores, of which only those stay that are among the best when led away from the text-free ones."""
        if self.scale is None:
            return logits
        with_text, without = logits.chunk(2)
        led = with_text + (with_text - without) * self.scale
        top = getattr(self.config, "top_k", None) or 50
        best = led.topk(min(top, led.shape[-1]), dim=-1).indices
        kept = torch.zeros_like(led, dtype=torch.bool).scatter(-1, best, True)
        return with_text.masked_fill(~kept, float("-inf"))

    def allowed(self, logits: Tensor) -> Tensor:
        """Without special tokens; only the first channel may end, and only where that is its best choice."""
        logits = logits.clone()
        logits[..., self.eos + 1 :] = float("-inf")
        logits[:, 1:, self.eos] = float("-inf")
        first = logits[:, 0]
        best = first.argmax(-1) == self.eos
        first[~best, self.eos] = float("-inf")
        return logits

    def choose(self, logits: Tensor, step: int) -> Tensor:
        """The next code of each channel (batch, channels), by the delays after the end."""
        config = self.config
        if config.do_sample:
            logits = logits / (config.temperature or 1.0)
            if config.top_k:
                worst = logits.topk(min(config.top_k, logits.shape[-1]), dim=-1).values[..., -1:]
                logits = logits.masked_fill(logits < worst, float("-inf"))
            if config.top_p is not None and config.top_p < 1:
                ordered, order = logits.sort(dim=-1, descending=True)
                before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
                ordered = ordered.masked_fill(before >= config.top_p, float("-inf"))
                logits = torch.full_like(logits, float("-inf")).scatter(-1, order, ordered)
            chosen = torch.multinomial(logits.softmax(-1).flatten(0, 1), 1).view(logits.shape[:2])
        else:
            chosen = logits.argmax(-1)
        last = self.total - int(self.delay.max()) - 1  # where the first channel must end
        ending = (chosen[:, 0] == self.eos) | (step >= last)
        self.ends = torch.where(ending & (step < self.ends), step, self.ends)
        place = self.ends[:, None] + self.delay
        chosen = chosen.masked_fill(place == step, self.eos)
        return chosen.masked_fill(place < step, self.pad)
