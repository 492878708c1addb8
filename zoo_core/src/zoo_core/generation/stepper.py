"""Feeding a model its own tokens: what is passed on each step, and what grows.

A model declares it with three class attributes of `GenerationMixin` (`token_inputs`, `constant_inputs`,
`cache_name`) and, where that is not enough, by overriding `prepare_inputs_for_generation`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.accepted import takes
from zoo_core.generation.compiled import compiled_step
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache

if TYPE_CHECKING:
    from zoo_core.generation.compiled import CompileConfig
    from zoo_core.generation.mixin import GenerationMixin


class Stepper:
    """Runs a model over the part of a growing sequence that it has not seen.

    Args:
        inputs: arguments of the model beside the tokens; `attention_mask` covers the prompt (for an
            encoder-decoder `decoder_attention_mask` does). None is a mask that hides nothing.
        cache: what the model remembers; None passes the whole sequence on every step.
        prompt: ids (rows, tokens), cached ones included. total: positions at the very end.
        copies: rows that continue each prompt. The prompt itself is read once.
        chunk: tokens of the prompt read at a time.
        compiling: how the steps after the prompt are compiled; it takes a static cache.
    """

    def __init__(
        self,
        model: GenerationMixin,
        inputs: dict[str, Any],
        *,
        cache: Cache | None,
        prompt: Tensor,
        total: int,
        copies: int = 1,
        chunk: int | None = None,
        compiling: CompileConfig | None = None,
    ) -> None:
        self.step: Callable[..., Any] = model
        self.compiling = compiling
        self.model, self.cache, self.copies, self.chunk = model, cache, copies, chunk
        self.taken = takes(model)
        seq2seq = bool(model.config.is_encoder_decoder)
        self.mask_name = "decoder_attention_mask" if seq2seq else "attention_mask"
        self.inputs = dict(inputs)
        self.embeds: Tensor | None = self.inputs.pop("inputs_embeds", None)
        self.seen = 0 if cache is None else int(cache.length)
        self.offset = 0  # positions before the first token: a prompt given as vectors
        if self.embeds is not None:
            self.offset = self.seen + self.embeds.shape[1] - prompt.shape[1]
        self.total = total
        self.fresh = True
        self.mask = self._extended_mask(self.inputs.pop(self.mask_name, None), prompt.shape[1] + self.offset)
        self.tokens = self._token_inputs(prompt)
        self.positions: Tensor | None = None
        static = cache is not None and not cache.contiguous
        self.takes_positions = static and "cache_position" in self.taken  # elsewhere they follow the cache
        self.takes_count = "logits_to_keep" in self.taken
        self.inputs["use_cache"] = cache is not None
        if cache is not None:
            self.inputs[model.cache_name] = cache

    # Running

    def __call__(self, ids: Tensor, *, keep: int = 1) -> ModelOutput:
        """The model's output over the unseen part of ids (rows, length), with logits of its last `keep`."""
        if self.takes_count:
            self.inputs["logits_to_keep"] = keep
        if not self.fresh:
            return self._run(ids)
        if self.cache is None:
            self._repeat_inputs(ids[:: self.copies])
        alone = ids[:: self.copies] if self.cache is not None else ids
        if self.chunk is not None and self.cache is not None and self.embeds is None:
            for end in range(self.seen + self.chunk, ids.shape[1], self.chunk):
                self._run(alone[:, :end])
        output = self._run(alone)
        self.fresh = False
        if self.cache is not None:
            self._settle(output)
        if self.compiling is not None and not (self.cache is None or self.cache.contiguous):
            self.step = compiled_step(self.model, self.compiling)
        return output

    def _run(self, ids: Tensor) -> ModelOutput:
        end = ids.shape[1] + self.offset
        inputs = self.inputs
        if self.mask is not None:
            static = self.cache is not None and not self.cache.contiguous
            inputs[self.mask_name] = self.mask if static else self.mask[:, :end]
        start = self.seen if self.cache is not None else 0
        for name, values in self.tokens.items():
            inputs[name] = values[:, start:end]
        if self.positions is None:
            self.positions = torch.arange(self.total + 1, device=ids.device)
        arguments = self.model.prepare_inputs_for_generation(
            ids,
            inputs_embeds=self._vectors(ids),
            cache_position=self.positions[start:end],
            **inputs,
        )
        if not self.takes_positions:
            arguments.pop("cache_position", None)
        output = self.step(**arguments, return_dict=True)
        self.seen = end
        if self.cache is not None and (self.fresh or self.cache.replaced):
            self.cache = self.cache.taking(output.get(self.model.cache_name), rows=len(ids))
            inputs[self.model.cache_name] = self.cache
        return output

    def _vectors(self, ids: Tensor) -> Tensor | None:
        if self.embeds is None or (self.cache is not None and not self.fresh):
            return None
        given = self.embeds.shape[1] - self.offset  # tokens among ids that the vectors stand for
        if self.cache is None and ids.shape[1] > given:
            table = self.model.get_input_embeddings()
            return torch.cat((self.embeds, table(ids[:, given:])), dim=1)
        return self.embeds

    def forget(self, length: int) -> None:
        """Go back to `length` tokens (assisted decoding)."""
        end = length + self.offset
        if self.cache is not None and end < self.seen:
            self.cache.crop(end)
            self.seen = end

    def reorder(self, rows: Tensor) -> None:
        """Row i continues what row rows[i] was."""
        if self.cache is not None:
            self.cache.reorder_cache(rows)

    def select(self, rows: Tensor) -> None:
        """Keep the rows `rows` (n,) of everything."""
        self._change_rows(lambda tensor: tensor.index_select(0, rows) if tensor.dim() else tensor)

    def repeat(self, times: int) -> None:
        """Each row `times` times in a row, what is remembered included."""
        self._change_rows(_repeater(times))

    def _change_rows(self, change: Callable[[Tensor], Tensor]) -> None:
        if self.cache is not None:
            self.cache.apply(change)
        if self.mask is not None:
            self.mask = change(self.mask)
        self.tokens = {name: change(values) for name, values in self.tokens.items()}
        for name in self.inputs:
            if name != self.model.cache_name:
                self.inputs[name] = _mapped(self.inputs[name], change)

    # Preparing

    def _settle(self, output: ModelOutput) -> None:
        """After the prompt: drop what only it needed, and go on with `copies` rows of each."""
        model, kept = self.model, {}
        for name, value in self.inputs.items():
            lasting = name in model.constant_inputs or name in self.tokens or name == self.mask_name
            if lasting or name == model.cache_name or not _holds_tensor(value):
                kept[name] = value
        self.inputs = kept
        if self.copies > 1:
            self.repeat(self.copies)
            copy = _repeater(self.copies)
            for name in list(output):
                if name != model.cache_name:
                    output[name] = _mapped(output[name], copy)

    def _repeat_inputs(self, prompts: Tensor) -> None:
        """Without a cache every row brings its own inputs."""
        if self.copies == 1:
            return
        copy = _repeater(self.copies)
        self.inputs = self.model.repeat_inputs(self.inputs, self.copies, input_ids=prompts)
        self.embeds = None if self.embeds is None else copy(self.embeds)
        self.mask = None if self.mask is None else copy(self.mask)
        self.tokens = {name: copy(values) for name, values in self.tokens.items()}

    def _extended_mask(self, mask: Tensor | None, prompt: int) -> Tensor | None:
        """(rows, total) with ones for tokens to come; None if nothing is hidden."""
        if mask is None or self.mask_name not in self.taken:
            if mask is not None and not bool(mask.all()):
                raise GenerationError(
                    f"{type(self.model).__name__} takes no {self.mask_name}, and this one hides tokens; pass "
                    "prompts of equal length, one batch for each length"
                )
            return None
        if mask.dim() != 2:
            raise GenerationError(
                f"{self.mask_name} of shape {tuple(mask.shape)}: it must be (rows, tokens), 0 for padding"
            )
        if mask.shape[1] != prompt:
            raise GenerationError(
                f"{self.mask_name} covers {mask.shape[1]} positions, but the prompt has {prompt} "
                "(tokens in past_key_values count); make them equal"
            )
        if bool(mask.all()):
            return None
        self._check_ends(mask)
        return torch.nn.functional.pad(mask, (0, self.total - prompt), value=1)

    def _check_ends(self, mask: Tensor) -> None:
        """Warn of rows of which nothing is shown, or not the last token."""
        empty = (mask == 0).all(1).nonzero()
        if len(empty):
            warnings.warn(
                f"{self.mask_name} hides all of row {int(empty[0])}: what follows does not depend on it. "
                "Pass 1 for the tokens to be continued.",
                stacklevel=6,
            )
        elif not bool(mask[:, -1].all()):
            warnings.warn(
                f"{self.mask_name} hides the last token of a row, and that is the one to continue: answers "
                "get worse. Pad on the left: tokenizer.padding_side = 'left'.",
                stacklevel=6,
            )

    def _token_inputs(self, prompt: Tensor) -> dict[str, Tensor]:
        """Inputs with a value for each token, (rows, total) each."""
        found: dict[str, Tensor] = {}
        for name, rule in self.model.token_inputs.items():
            given = self.inputs.pop(name, None)
            if given is not None and given.dim() == 2:
                found[name] = _continued(given, self.total - given.shape[1], rule)
            elif given is not None:
                self.inputs[name] = given
        name = "decoder_position_ids" if self.mask_name.startswith("decoder") else "position_ids"
        if name not in found and name in self.taken:
            positions = self._default_positions(prompt)
            if positions is not None:
                found[name] = positions
        return found

    def _default_positions(self, prompt: Tensor) -> Tensor | None:
        """(rows, total) by the model's rule (`GenerationMixin.counted_tokens`); None where its own hold."""
        model, mask = self.model, self.mask
        if mask is not None and model.counted_tokens != "shown" and bool((mask[:, 1:] < mask[:, :-1]).any()):
            mask = None  # it hides more than padding on the left, and such tokens count
            if model.counted_tokens == "following":
                return None
        if model.counted_tokens == "known":
            pad = model.config.pad_token_id
            pad = -1 if pad is None else pad
            known = torch.ones(len(prompt), self.total, dtype=torch.long, device=prompt.device)
            known[:, self.offset : self.offset + prompt.shape[1]] = prompt.ne(pad)
            known = known if mask is None else known * mask
            return known.cumsum(-1) * known + pad
        if mask is None:
            every = torch.arange(self.total, device=model.device)
            return every.expand(len(prompt), -1) if model.explicit_positions else None
        return (mask.long().cumsum(-1) - 1).masked_fill(mask == 0, 1)


def _continued(values: Tensor, more: int, rule: str) -> Tensor:
    last = values[:, -1:]
    if rule == "next":
        new = last + torch.arange(1, more + 1, device=values.device)
    else:
        new = last.expand(-1, more)
    return torch.cat((values, new), dim=1)


def _repeater(times: int) -> Callable[[Tensor], Tensor]:
    return lambda tensor: tensor.repeat_interleave(times, dim=0) if tensor.dim() else tensor


def _mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """`value` with every tensor in it changed; caches stay as they are."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, ModelOutput):
        return type(value)(**{name: _mapped(part, change) for name, part in value.items()})
    if isinstance(value, list | tuple):
        return type(value)(_mapped(part, change) for part in value)
    return value


def repeated(value: Any, times: int) -> Any:
    """`value` with every row of every tensor in it `times` times in a row."""
    return _mapped(value, _repeater(times))


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_tensor(part) for part in value)
    return isinstance(value, Tensor | ModelOutput)
