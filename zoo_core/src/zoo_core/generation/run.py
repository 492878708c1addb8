"""What every decoding method is given: the prepared state of one `generate` call."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.outputs import Record
from zoo_core.generation.stop_signal import StopSignal
from zoo_core.generation.stopping import StoppingCriteriaList

if TYPE_CHECKING:
    from zoo_core.generation.config import GenerationConfig
    from zoo_core.generation.logits.base import LogitsProcessorList
    from zoo_core.generation.stepper import Stepper
    from zoo_core.generation.streamers import BaseStreamer
    from zoo_core.modeling.outputs import ModelOutput


@dataclass
class Run:
    """One call of `generate`, ready to decode.

    ids: (rows, max_length) the prompt, and room for what follows. length: tokens of the prompt.
    eos: (n,) ids that end a row, None if nothing does. pad: what stands after the end.
    stopping: criteria beyond length and eos. batch: prompts; rows is a multiple of it.
    """

    model: Any
    config: GenerationConfig
    stepper: Stepper
    ids: Tensor
    length: int
    max_length: int
    batch: int
    processors: LogitsProcessorList
    stopping: StoppingCriteriaList
    eos: Tensor | None
    pad: int | None
    streamer: BaseStreamer | None = None
    encoder: ModelOutput | None = None
    record: Record = field(init=False)

    def __post_init__(self) -> None:
        self.record = Record(self.config)

    def next_scores(self, length: int) -> tuple[ModelOutput, Tensor, Tensor]:
        """Output, logits and processed scores (rows, vocabulary) of the token after the first `length`."""
        seen = self.ids[:, :length]
        output = self.stepper(seen)
        logits = output.logits[:, -1].float()
        scores = self.processors(seen, logits) if self.processors else logits
        self.record.step(output, logits, scores)
        return output, logits, scores

    def choose(self, scores: Tensor) -> Tensor:
        """(rows,) the next tokens: drawn or the best."""
        if not self.config.do_sample:
            return scores.argmax(-1)
        try:
            return torch.multinomial(scores.softmax(-1), num_samples=1).squeeze(1)
        except RuntimeError:
            if bool(scores.softmax(-1).isfinite().all()):
                raise
            refuse_nothing()

    def ends(self, tokens: Tensor) -> Tensor | None:
        """Which of tokens (...) end a row; None if none can."""
        return None if self.eos is None else (tokens[..., None] == self.eos).any(-1)

    def result(self, sequences: Tensor, *, steps: int | None = None, **values: Any) -> Tensor | ModelOutput:
        """What `generate` returns."""
        if self.streamer is not None:
            self.streamer.end()
        if not self.config.return_dict_in_generate:
            return sequences
        cache = self.stepper.cache
        return self.record.result(
            sequences, steps=steps, encoder=self.encoder, past_key_values=cache, **values
        )


class Rows:
    """Which rows have ended, and the tokens that unended ones and ended ones get."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.can_end = run.eos is not None or bool(run.stopping)
        self.ended = torch.zeros(run.ids.shape[0], dtype=torch.bool, device=run.ids.device)
        self.stuck = torch.zeros_like(self.ended)
        self.signal = StopSignal(run.ids.device)

    def lengths(self) -> Iterator[int]:
        """Length before each step: from the prompt's on, up to the last that leaves room."""
        return iter(range(self.run.length, self.run.max_length))

    def append(self, tokens: Tensor, length: int, scores: Tensor) -> int | None:
        """Write tokens (rows,) after `length`; the final length, once all rows are known to have ended."""
        run = self.run
        if run.processors:
            self.stuck |= ~(scores.amax(-1) > -math.inf) & ~self.ended
        if self.can_end and run.pad is not None and length > run.length:
            tokens = tokens.masked_fill(self.ended, run.pad)
        run.ids[:, length] = tokens
        if run.streamer is not None:
            run.streamer.put(tokens.cpu())
        if not self.can_end:
            return None
        ended = run.ends(tokens)
        if ended is not None:
            self.ended = self.ended | ended
        if run.stopping:
            self.ended = self.ended | run.stopping(run.ids[:, : length + 1], scores)
        return self.signal(self.ended, length + 1)

    def sequences(self, stopped: int | None) -> Tensor:
        """What was written, cut where the last row ended: at `stopped`, if that is known by now."""
        if bool(self.stuck.any()):
            refuse_nothing()
        if stopped is None:
            stopped = self.signal.finish(self.run.max_length)
        return self.run.ids[:, :stopped]


def refuse_nothing() -> NoReturn:
    """Raise because a row had no token to go on with."""
    raise GenerationError(
        "no token was left to go on with: the scores of a row are all -inf, or not numbers; bans, "
        "suppressed tokens and custom processors must leave one"
    )
