"""The order in which codebooks are written: each one step after the one before it.

See https://arxiv.org/abs/2306.05284, section 2.2. A row of ids is one codebook of one sound; column 0 is the
start token, and frame t of codebook k stands in column 1 + t + delay(k). Left and right share a delay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationMixin
from zoo_core.generation.config import DEFAULTS, GenerationConfig, GenerationMode
from zoo_core.generation.mixin import evaluation
from zoo_core.generation.prompts import Prompt, first_id
from zoo_core.generation.run import Run
from zoo_core.generation.session import Session, merged
from zoo_core.modeling.outputs import ModelOutput

OPEN = -1
"""In a pattern: the model decides."""


@dataclass(frozen=True)
class Delays:
    """How many codebooks there are, those of both channels counted, and how many channels."""

    codebooks: int
    channels: int

    @property
    def steps(self) -> int:
        """Codebooks of a channel: steps until all of a frame are written."""
        return self.codebooks // self.channels

    def of_rows(self, ids: Tensor) -> Tensor:
        """(rows, 1) delay of each row."""
        each = torch.arange(self.codebooks, device=ids.device) // self.channels
        return each.repeat(len(ids) // self.codebooks)[:, None]

    def apply_to(self, length: int) -> bool:
        """Whether `length` columns are enough for delays; shorter sequences go without."""
        return length >= 2 * self.steps - 1

    def pattern(self, ids: Tensor, pad: int, length: int) -> tuple[Tensor, Tensor]:
        """The delayed prompt (rows, shorter), and what stands where (rows, length), OPEN where not known."""
        known = ids.shape[1]
        if not self.apply_to(length):
            return ids, torch.full((len(ids), length), OPEN, device=ids.device)
        delay, column = self.of_rows(ids), torch.arange(length, device=ids.device)[None]
        source = column - delay
        pattern = ids.gather(1, source.clamp(0, known - 1)).masked_fill(source >= known, OPEN)
        blank = (column <= delay) | (column > length - self.steps + delay)
        pattern = pattern.masked_fill(blank, pad)
        still_open = (pattern[:: self.codebooks] == OPEN).any(0).nonzero()
        return pattern[:, : int(still_open[0]) if len(still_open) else known], pattern

    def frames(self, ids: Tensor, start: int, length: int) -> Tensor:
        """Codes (batch, codebooks, frames) of rows (rows, columns) written with a pattern of `length`."""
        if not self.apply_to(length):
            found = ids[:, 1:] if bool((ids[:, 0] == start).all()) else ids
        else:
            place = torch.arange(1, max(ids.shape[1] - self.steps, 0) + 1, device=ids.device)
            found = ids.gather(1, place[None] + self.of_rows(ids))
        if not found.shape[1]:
            raise GenerationError(
                f"{ids.shape[1]} steps hold no whole frame of {self.steps} codebooks; raise max_new_tokens"
            )
        return found.view(-1, self.codebooks, found.shape[1])


def fill(ids: Tensor, pattern: Tensor) -> Tensor:
    """Ids (rows, columns), with what the pattern knows in their place."""
    known = pattern[:, : ids.shape[1]]
    return torch.where(known == OPEN, ids, known)


class DelayedSession(Session):
    """A call of `generate` of a `Delayed` model; `prepared` is what it decoded with."""

    model: Any
    prepared: Run

    @property
    def start(self) -> int:
        """The token that begins each row and fills what a delay leaves empty."""
        ids = (self.config.decoder_start_token_id, self.config.bos_token_id, self.model.config.bos_token_id)
        found = next((first_id(value) for value in ids if value is not None), None)
        if found is None:
            raise GenerationError("there is no start token: set bos_token_id, or decoder_start_token_id")
        return found

    def prepare(self, prompt: Prompt, mode: GenerationMode, max_length: int) -> Run:
        if mode not in (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE):
            raise GenerationError(
                f"{type(self.model).__name__} decodes greedily or by sampling, not with {mode.value}; "
                "leave num_beams, penalty_alpha and assistant_model out"
            )
        prompt.ids, pattern = self.model.delays.pattern(prompt.ids, self.start, max_length)
        prompt.inputs["delay_pattern_mask"] = pattern
        prompt.inputs["attention_mask"] = prompt.inputs["attention_mask"][:, : prompt.ids.shape[1]]
        self.prepared = super().prepare(prompt, mode, max_length)
        return self.prepared

    def codes(self, sequences: Tensor) -> Tensor:
        """Codes (batch, codebooks, frames) of the rows that were written."""
        rows = fill(sequences, self.prepared.stepper.inputs["delay_pattern_mask"])
        found: Tensor = self.model.delays.frames(rows, self.start, self.prepared.max_length)
        return found


class Delayed(GenerationMixin):
    """Mixin of decoders whose rows of ids are codebooks, `delays.codebooks` for each sound."""

    constant_inputs = GenerationMixin.constant_inputs | {"delay_pattern_mask"}
    delays: Delays

    def build_delay_pattern_mask(
        self, input_ids: Tensor, pad_token_id: int, max_length: int
    ) -> tuple[Tensor, Tensor]:
        """The delayed prompt, and the pattern that `apply_delay_pattern_mask` takes."""
        return self.delays.pattern(input_ids, pad_token_id, max_length)

    @staticmethod
    def apply_delay_pattern_mask(input_ids: Tensor, decoder_pad_token_mask: Tensor) -> Tensor:
        """Ids (rows, columns), with what the pattern knows in their place."""
        return fill(input_ids, decoder_pad_token_mask)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, *, delay_pattern_mask: Tensor | None = None, **inputs: Any
    ) -> dict[str, Any]:
        if delay_pattern_mask is not None:
            input_ids = fill(input_ids, delay_pattern_mask)
        inputs.pop("position_ids", None)  # padding does not move positions
        return super().prepare_inputs_for_generation(input_ids, **inputs)

    def generate(
        self,
        inputs: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Codes (batch x num_return_sequences, codebooks, frames).

        Args:
            inputs: (batch x codebooks, frames) codes to continue, after the start token.
            encoder_hidden_states: (batch, source, width) what is attended to; the first half of twice as
                many rows is guided away from the second where `guidance_scale` is above 1.
            **kwargs: as of `GenerationMixin.generate`; beams are refused.
        """
        session, output = self.delayed(
            inputs, generation_config, encoder_hidden_states, encoder_attention_mask, kwargs
        )
        if not isinstance(output, ModelOutput):
            return session.codes(output)
        output["sequences"] = session.codes(output["sequences"])
        return output

    @torch.no_grad()
    def delayed(
        self,
        ids: Tensor | None,
        config: GenerationConfig | None,
        states: Tensor | None,
        mask: Tensor | None,
        kwargs: dict[str, Any],
        nothing: Tensor | None = None,
    ) -> tuple[DelayedSession, Any]:
        """The call of `generate`, over, and what it returned.

        `nothing` are states of no description, that guidance leads away from; by default zeros.
        """
        defaults = kwargs.pop("use_model_defaults", None) is not False
        settings = {name: kwargs[name] for name in kwargs if name in DEFAULTS}
        wanted = merged(self.settings(), config, settings, defaults)
        ids = kwargs.pop("input_ids", None) if ids is None else ids
        copies = wanted.num_return_sequences or 1
        scale = wanted.guidance_scale
        arguments: dict[str, Any] = {
            name: kwargs.pop(name, None)
            for name in ("logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "streamer")
        }
        kwargs |= {"guidance_scale": None, "num_return_sequences": 1}
        session = DelayedSession(
            self,  # type: ignore[arg-type]
            None,
            config,
            kwargs,
            **arguments,
            assistant_model=kwargs.pop("assistant_model", None),
            negative_prompt_ids=None,
            negative_prompt_attention_mask=None,
            tokenizer=None,
            use_model_defaults=defaults,
        )
        batch = len(states) if ids is None and states is not None else 1
        if ids is None:
            ids = torch.full((batch * self.delays.codebooks, 1), session.start, device=self.device)
        if len(ids) % self.delays.codebooks:
            raise GenerationError(
                f"{len(ids)} rows of ids are no multiple of {self.delays.codebooks} codebooks"
            )
        batch = len(ids) // self.delays.codebooks
        given = session.arguments
        given.setdefault("attention_mask", ids.new_ones(batch, ids.shape[1]))
        if states is not None:
            given["encoder_hidden_states"], given["encoder_attention_mask"] = states, mask
        for name in ("attention_mask", "encoder_hidden_states", "encoder_attention_mask"):
            if given.get(name) is not None:
                given[name] = given[name].repeat_interleave(copies, dim=0)
        ids = ids.unflatten(0, (batch, -1)).repeat_interleave(copies, dim=0).flatten(0, 1)
        if scale is not None and scale > 1 and states is not None:
            states, mask = given["encoder_hidden_states"], given["encoder_attention_mask"]
            mask = states.new_ones(states.shape[:2]) if mask is None else mask
            if nothing is None:
                nothing, hidden = torch.zeros_like(states), torch.zeros_like(mask)
            else:
                nothing, hidden = nothing.repeat_interleave(copies, dim=0), torch.ones_like(mask)
            given["encoder_hidden_states"] = torch.cat((states, nothing))
            given["encoder_attention_mask"] = torch.cat((mask, hidden))
            given["guidance"] = scale
        given["input_ids"] = ids
        with evaluation(self):
            return session, session.run()
