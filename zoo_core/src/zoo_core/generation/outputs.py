"""What `generate` returns with return_dict_in_generate, and the record of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache


class GenerateDecoderOnlyOutput(ModelOutput):
    """Of greedy decoding, sampling, contrastive search and assisted decoding.

    sequences: (rows, length) prompt and continuation. scores, logits: a (rows, vocabulary) tensor for each
    new token, after and before the logits processors. attentions, hidden_states: for each step what the
    model returned.
    """

    sequences: Tensor
    scores: tuple[Tensor, ...] | None = None
    logits: tuple[Tensor, ...] | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None
    hidden_states: tuple[tuple[Tensor, ...], ...] | None = None
    past_key_values: Cache | None = None


class GenerateEncoderDecoderOutput(ModelOutput):
    """As GenerateDecoderOnlyOutput, with the encoder's states once and the decoder's for each step."""

    sequences: Tensor
    scores: tuple[Tensor, ...] | None = None
    logits: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    cross_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    decoder_hidden_states: tuple[tuple[Tensor, ...], ...] | None = None
    past_key_values: Cache | None = None


class GenerateBeamDecoderOnlyOutput(ModelOutput):
    """Of the beam searches.

    sequences_scores: (rows,) length-penalised sum of log probabilities. beam_indices: (rows, new tokens)
    the row of `scores` that each token was chosen from, -1 after the end.
    """

    sequences: Tensor
    sequences_scores: Tensor | None = None
    scores: tuple[Tensor, ...] | None = None
    logits: tuple[Tensor, ...] | None = None
    beam_indices: Tensor | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None
    hidden_states: tuple[tuple[Tensor, ...], ...] | None = None
    past_key_values: Cache | None = None


class GenerateBeamEncoderDecoderOutput(ModelOutput):
    """As GenerateBeamDecoderOnlyOutput, with the encoder's states once and the decoder's for each step."""

    sequences: Tensor
    sequences_scores: Tensor | None = None
    scores: tuple[Tensor, ...] | None = None
    logits: tuple[Tensor, ...] | None = None
    beam_indices: Tensor | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    cross_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    decoder_hidden_states: tuple[tuple[Tensor, ...], ...] | None = None
    past_key_values: Cache | None = None


#: (part of a model's output, flag that asks for it)
_PARTS = (
    ("attentions", "output_attentions"),
    ("hidden_states", "output_hidden_states"),
    ("decoder_attentions", "output_attentions"),
    ("cross_attentions", "output_attentions"),
    ("decoder_hidden_states", "output_hidden_states"),
)


class Record:
    """Collects, step by step, what the caller asked to see; does nothing where that is only sequences."""

    def __init__(self, config: Any) -> None:
        returned = bool(config.return_dict_in_generate)
        self.scores: list[Tensor] | None = [] if returned and config.output_scores else None
        self.logits: list[Tensor] | None = [] if returned and config.output_logits else None
        self.parts: dict[str, list[Any]] = {
            part: [] for part, flag in _PARTS if returned and getattr(config, flag)
        }

    @property
    def wants_logits(self) -> bool:
        """Whether processors must leave the logits that they are given as they are."""
        return self.logits is not None

    def share(self, output: ModelOutput, index: int, proposed: int) -> dict[str, Any]:
        """What `output`, over some tokens and then `proposed` ones, says of new token `index` of them."""

        def cut(states: Tensor | None, later: int | None) -> Tensor | None:
            if states is None:
                return None
            known = states.shape[-2] - proposed
            return states[..., known + index - 1 if index else 0 : known + index, :later]

        found = {}
        for part in self.parts:
            if output.get(part) is not None:
                later = index - proposed if part in ("attentions", "decoder_attentions") else 0
                found[part] = tuple(cut(states, later or None) for states in output[part])
        return found

    def step(self, output: Mapping[str, Any], logits: Tensor, scores: Tensor) -> None:
        """Add one step."""
        if self.logits is not None:
            self.logits.append(logits)
        if self.scores is not None:
            self.scores.append(scores)
        for part, kept in self.parts.items():
            value = output.get(part)
            if value is not None:
                kept.append(value)

    def result(
        self,
        sequences: Tensor,
        *,
        steps: int | None = None,
        encoder: ModelOutput | None = None,
        beams: bool = False,
        **values: Any,
    ) -> ModelOutput:
        """The output, of the first `steps` steps where the loop ran past the end."""
        kinds: tuple[type[ModelOutput], type[ModelOutput]] = (
            (GenerateBeamDecoderOnlyOutput, GenerateBeamEncoderDecoderOutput)
            if beams
            else (GenerateDecoderOnlyOutput, GenerateEncoderDecoderOutput)
        )
        kind = kinds[encoder is not None]
        for name in ("scores", "logits"):
            if getattr(self, name) is not None:
                values[name] = tuple(getattr(self, name)[:steps])
        values.update({part: tuple(kept[:steps]) for part, kept in self.parts.items() if kept})
        if encoder is not None:
            for part in ("attentions", "hidden_states"):
                if f"decoder_{part}" in self.parts:
                    values[f"encoder_{part}"] = encoder.get(part)
        return kind(sequences=sequences, **{k: v for k, v in values.items() if k in kind.fields})
