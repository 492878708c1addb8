"""Contrastive search (https://arxiv.org/abs/2202.06417): likely tokens that do not repeat what was said."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.run import Rows, Run
from zoo_core.modeling.outputs import ModelOutput


def contrastive_search(run: Run) -> Tensor | ModelOutput:
    """Of the top_k likeliest tokens, the best by (1 - alpha) p - alpha x highest cosine with the context."""
    config, stepper = run.config, run.stepper
    alpha, width = config.penalty_alpha or 0.0, config.top_k or 1
    stepper.inputs["output_hidden_states"] = True
    rows = Rows(run)
    batch = run.ids.shape[0]
    every = torch.arange(batch, device=run.ids.device)
    output = stepper(run.ids[:, : run.length])
    logits, first = output.logits[:, -1], _states(output)
    context = first.new_zeros((batch, first.shape[1] + run.max_length - run.length, first.shape[2]))
    known = first.shape[1]
    context[:, :known] = F.normalize(first, dim=-1)
    hidden = None if stepper.mask is None else stepper.mask == 0
    stopped: int | None = None
    for length in rows.lengths():
        seen = run.ids[:, :length]
        logits = logits.float()
        scores = run.processors(seen, logits)
        run.record.step(output, logits, scores)
        likely, tokens = scores.softmax(-1).topk(width)
        stepper.repeat(width)
        tried = torch.cat((seen.repeat_interleave(width, 0), tokens.view(-1, 1)), dim=1)
        output = stepper(tried)
        states = F.normalize(_states(output)[:, -1], dim=-1).view(batch, width, -1)
        cosine = states @ context[:, :known].transpose(1, 2)
        if hidden is not None:
            cosine = cosine.masked_fill(hidden[:, None, :known], -1.0)
        best = ((1 - alpha) * likely - alpha * cosine.amax(-1)).argmax(-1)
        chosen = every * width + best
        stepper.select(chosen)
        logits = output.logits[:, -1].index_select(0, chosen)
        context[:, known] = states[every, best]
        known += 1
        stopped = rows.append(tokens[every, best], length, scores)
        if stopped is not None:
            break
    sequences = rows.sequences(stopped)
    return run.result(sequences, steps=sequences.shape[1] - run.length)


def _states(output: ModelOutput) -> Tensor:
    states = output.get("hidden_states") or output.get("decoder_hidden_states")
    if not states:
        raise GenerationError("contrastive search compares hidden states, and this model returns none")
    last: Tensor = states[-1]
    return last
