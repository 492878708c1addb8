"""Assisted decoding: tokens are proposed cheaply and checked by the model many at a time.

Greedy answers are those of greedy decoding; drawn ones have the model's own distribution
(https://arxiv.org/abs/2211.17192).
"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.candidates import Draft, DraftModel, PromptLookup
from zoo_core.generation.run import Run
from zoo_core.modeling.outputs import ModelOutput


def assisted_decoding(run: Run, proposer: PromptLookup | DraftModel) -> Tensor | ModelOutput:
    """Continue one prompt with the tokens that `proposer` proposes, as far as the model agrees."""
    if run.ids.shape[0] != 1:
        raise GenerationError(
            f"assisted decoding continues one prompt at a time; this batch has {run.ids.shape[0]} rows"
        )
    length = run.length
    first_alone = run.stepper.embeds is not None
    while length < run.max_length:
        room = 0 if first_alone else run.max_length - length - 1
        first_alone = False
        draft = proposer.propose(run.ids[:, :length], room)
        count = draft.tokens.shape[1]
        run.ids[:, length : length + count] = draft.tokens
        output = run.stepper(run.ids[:, : length + count], keep=count + 1)
        if count and run.stepper.cache is not None and not run.stepper.cache.can_crop:
            raise GenerationError(
                f"{type(run.model).__name__} keeps states that cannot forget tokens, as assisted decoding "
                "must; leave out assistant_model and prompt_lookup_num_tokens"
            )
        logits = output.logits[0, -(count + 1) :].float()
        rows = [
            run.processors(run.ids[:, : length + i], logits[i : i + 1])
            if run.processors
            else logits[i : i + 1]
            for i in range(count + 1)
        ]
        tokens, accepted = _agreed(run, draft, torch.cat(rows))
        proposer.learn(count, accepted)
        length, ended = _append(run, tokens, length, output, logits, rows)
        if ended:
            break
        run.stepper.forget(length - 1)
    return run.result(run.ids[:, :length], steps=length - run.length)


def _agreed(run: Run, draft: Draft, scores: Tensor) -> tuple[Tensor, int]:
    """The accepted tokens and the model's own one after them (n,), and how many were accepted."""
    proposed = draft.tokens[0]
    count = proposed.shape[0]
    if not run.config.do_sample or draft.probabilities is None:
        if run.config.do_sample:
            own = torch.multinomial(scores.softmax(-1), num_samples=1).squeeze(1)
        else:
            own = scores.argmax(-1)
        accepted = int((own[:count] == proposed).long().cumprod(0).sum())
        return own[: accepted + 1], accepted
    wanted = scores.softmax(-1)
    place = torch.arange(count, device=scores.device)
    ratio = wanted[place, proposed] / draft.probabilities[place, proposed]
    accepted = int((torch.rand_like(ratio) < ratio).long().cumprod(0).sum())
    last = wanted[accepted]
    if accepted < count:  # what the draft model gave too little weight
        last = (last - draft.probabilities[accepted]).clamp(min=0)
        if not bool(last.sum() > 0):
            last = wanted[accepted]
    token = torch.multinomial(last / last.sum(), num_samples=1)
    return torch.cat((proposed[:accepted], token)), accepted


def _append(
    run: Run, tokens: Tensor, length: int, output: ModelOutput, logits: Tensor, rows: list[Tensor]
) -> tuple[int, bool]:
    """Write tokens up to the end of the sequence; returns the new length and whether it has ended."""
    run.ids[:, length:] = 0 if run.pad is None else run.pad
    proposed = len(rows) - 1
    for index, token in enumerate(tokens):
        run.ids[0, length] = token
        length += 1
        share = run.record.share(output, index, proposed)
        run.record.step(share, logits[index : index + 1], rows[index])
        if run.streamer is not None:
            run.streamer.put(token[None].cpu())
        ended = run.ends(token)
        if ended is not None and bool(ended):
            return length, True
        if run.stopping and bool(run.stopping(run.ids[:, :length], rows[index]).all()):
            return length, True
    return length, False
