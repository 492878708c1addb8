"""Decoding methods: what each of them promises, on models of several kinds."""

from types import SimpleNamespace

import pytest
import torch

from zoo_core.errors import GenerationError
from zoo_core.generation import DisjunctiveConstraint, PhrasalConstraint
from zoo_core.generation.assisted import _agreed
from zoo_core.generation.candidates import Draft

GREEDY = {"do_sample": False, "max_new_tokens": 12, "eos_token_id": None, "pad_token_id": 0}
MODES = {
    "greedy": {},
    "sample": {"do_sample": True, "top_k": 10},
    "beam": {"num_beams": 3},
    "group": {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    "beam_sample": {"num_beams": 3, "do_sample": True},
    "ngram": {"no_repeat_ngram_size": 2, "repetition_penalty": 1.3},
}


def log_prob(model, prompt, sequence, start):
    """Sum of log probabilities of the tokens of a row from `start` on."""
    inputs = {"input_ids": sequence[None]}
    if model.config.is_encoder_decoder:
        inputs = {"input_ids": prompt[None], "decoder_input_ids": sequence[None]}
    logits = model(**inputs).logits[0].log_softmax(-1)
    return float(sum(logits[i - 1, sequence[i]] for i in range(start, len(sequence))))


def new_start(model, prompt):
    return 1 if model.config.is_encoder_decoder else prompt.shape[1]


@pytest.mark.parametrize("mode", MODES)
def test_cache_changes_nothing(model, prompt, mode):
    runs = []
    for use_cache in (True, False):
        torch.manual_seed(0)
        runs.append(model.generate(prompt, **{**GREEDY, **MODES[mode]}, use_cache=use_cache))
    assert torch.equal(*runs)


@torch.no_grad()
def test_greedy_is_the_likeliest_token(model, prompt):
    sequence = model.generate(prompt[:1], **GREEDY)[0]
    ids = {"input_ids": sequence[None, :-1]}
    if model.config.is_encoder_decoder:
        ids = {"input_ids": prompt[:1], "decoder_input_ids": sequence[None, :-1]}
    start = new_start(model, prompt)
    assert torch.equal(model(**ids).logits[0, start - 1 :].argmax(-1), sequence[start:])


@torch.no_grad()
@pytest.mark.parametrize("extra", [{}, {"num_beam_groups": 2, "diversity_penalty": 0.0}])
def test_beam_scores_are_those_of_the_model(model, prompt, extra):
    out = model.generate(
        prompt, **GREEDY, num_beams=4, num_return_sequences=2, return_dict_in_generate=True, **extra
    )
    start = new_start(model, prompt)
    for row, (sequence, score) in enumerate(zip(out.sequences, out.sequences_scores, strict=True)):
        assert float(score) == pytest.approx(
            log_prob(model, prompt[row // 2], sequence, start) / 12, abs=1e-4
        )


@torch.no_grad()
def test_wide_beams_find_the_best_of_all(make_model):
    """Over two tokens of a vocabulary of nine, 9 beams see every first token: the search is exhaustive."""
    model = make_model("llama", vocab_size=9)
    prompt = torch.tensor([[3, 4, 5]])
    pairs = torch.cartesian_prod(torch.arange(9), torch.arange(9))
    logits = model(torch.cat((prompt.expand(81, -1), pairs), 1)).logits.log_softmax(-1)
    rows = torch.arange(81)
    totals = logits[rows, 2, pairs[:, 0]] + logits[rows, 3, pairs[:, 1]]
    best = model.generate(prompt, num_beams=9, max_new_tokens=2, do_sample=False, eos_token_id=None)
    assert torch.equal(best[0, 3:], pairs[totals.argmax()])


def test_groups_differ_more_with_a_penalty(llama, prompt):
    def distinct(penalty):
        out = llama.generate(
            prompt,
            **GREEDY,
            num_beams=4,
            num_beam_groups=4,
            num_return_sequences=4,
            diversity_penalty=penalty,
        )
        return len({tuple(row) for row in out.tolist()})

    assert distinct(0.0) == 2  # four groups of one beam are greedy four times
    assert distinct(5.0) == 8


@pytest.mark.parametrize(
    "forced", [[[50, 51]], [[50], [60, 61]], [[[70, 71], [72]]], [[[40, 41, 42], [40, 43]], [88]]]
)
def test_constraints_are_met(model, prompt, forced):
    out = model.generate(prompt, **GREEDY, num_beams=4, force_words_ids=forced)
    for row in out[:, new_start(model, prompt) :].tolist():
        text = f" {' '.join(map(str, row))} "
        for words in forced:
            phrases = words if isinstance(words[0], list) else [words]
            assert any(f" {' '.join(map(str, phrase))} " in text for phrase in phrases), (row, words)


def test_constraints_hold_before_the_end(llama, prompt):
    """A hypothesis may end only once it holds every phrase."""
    out = llama.generate(
        prompt, max_new_tokens=10, do_sample=False, num_beams=4, eos_token_id=[*range(2, 40)], pad_token_id=0,
        constraints=[PhrasalConstraint([50, 51]), DisjunctiveConstraint([[60], [61, 62]])],
    )  # fmt: skip
    for row in out[:, 6:].tolist():
        end = next((i for i, token in enumerate(row) if 2 <= token < 40), len(row))
        text = row[: end + 1]
        assert any(text[i : i + 2] == [50, 51] for i in range(len(text)))
        assert 60 in text or any(text[i : i + 2] == [61, 62] for i in range(len(text)))


@torch.no_grad()
def test_contrastive_search_is_its_definition(model, prompt):
    """Step by step without a cache: (1 - alpha) p - alpha x highest cosine with an earlier state."""
    seq2seq = model.config.is_encoder_decoder
    out = model.generate(prompt, **{**GREEDY, "max_new_tokens": 6}, penalty_alpha=0.6, top_k=4)
    for row in range(2):
        ids = torch.tensor([[2]]) if seq2seq else prompt[row : row + 1]

        def run(ids, row=row):
            inputs = (
                {"input_ids": prompt[row : row + 1], "decoder_input_ids": ids}
                if seq2seq
                else {"input_ids": ids}
            )
            output = model(**inputs, output_hidden_states=True)
            states = output.decoder_hidden_states if seq2seq else output.hidden_states
            return output.logits[0, -1].softmax(-1), torch.nn.functional.normalize(states[-1][0], dim=-1)

        for _ in range(6):
            likely, tokens = run(ids)[0].topk(4)
            scores = []
            for p, token in zip(likely, tokens, strict=True):
                states = run(torch.cat((ids, token.view(1, 1)), 1))[1]
                scores.append(0.4 * p - 0.6 * (states[:-1] @ states[-1]).max())
            ids = torch.cat((ids, tokens[torch.stack(scores).argmax()].view(1, 1)), 1)
        assert torch.equal(out[row], ids[0])


@pytest.mark.parametrize("schedule", ["constant", "heuristic", "heuristic_transient"])
@pytest.mark.parametrize("draft_seed", [0, 1])
def test_assisted_greedy_is_greedy(model, make_model, prompt, draft_seed, schedule):
    draft = make_model(model.config.model_type, seed=draft_seed)
    draft.settings().update(
        num_assistant_tokens=4, num_assistant_tokens_schedule=schedule, assistant_confidence_threshold=0.0
    )
    want = model.generate(prompt[:1], **GREEDY)
    assert torch.equal(model.generate(prompt[:1], **GREEDY, assistant_model=draft), want)


@pytest.mark.parametrize("count", [1, 3, 50])
def test_prompt_lookup_is_greedy(model, count):
    prompt = torch.tensor([[5, 9, 23, 5, 9, 23, 5, 9]])
    want = model.generate(prompt, **GREEDY)
    assert torch.equal(model.generate(prompt, **GREEDY, prompt_lookup_num_tokens=count), want)


@pytest.mark.parametrize("flag", ["output_hidden_states", "output_attentions"])
def test_assisted_steps_are_those_of_greedy(model, flag):
    """What the model returned for several tokens at once is handed out token by token."""
    prompt = torch.tensor([[5, 9, 23, 5, 9, 23, 5, 9]])
    settings = {**GREEDY, flag: True, "return_dict_in_generate": True}
    ways = ({"cache_implementation": "dynamic_full"}, {"prompt_lookup_num_tokens": 3})
    runs = [model.generate(prompt, **settings, **way) for way in ways]
    for part in runs[0].fields:
        if part.endswith(("attentions", "hidden_states")) and not part.startswith("encoder"):
            torch.testing.assert_close(*(run.get(part) for run in runs), atol=1e-4, rtol=1e-4)


def test_assisted_sampling_keeps_the_distribution():
    """Whatever the draft prefers, the first token is distributed as the model says."""
    torch.manual_seed(0)
    wanted, drafted = torch.randn(2, 6).softmax(-1), torch.randn(1, 6).softmax(-1)
    run = SimpleNamespace(config=SimpleNamespace(do_sample=True))
    counts = torch.zeros(6)
    for token in torch.multinomial(drafted[0], 4000, replacement=True):
        tokens, _ = _agreed(run, Draft(token.view(1, 1), drafted), wanted.log())
        counts[tokens[0]] += 1
    assert (counts / 4000 - wanted[0]).abs().max() < 0.03


@pytest.mark.parametrize("kwargs, message", [
    ({"assistant_model": True}, "one prompt at a time"),
    ({"prompt_lookup_num_tokens": 2}, "one prompt at a time"),
    ({"prompt_lookup_num_tokens": 2, "num_beams": 2}, "one candidate at a time"),
    ({"penalty_alpha": 0.6, "top_k": 4, "use_cache": False}, "needs a cache"),
    ({"force_words_ids": [[5]], "num_beams": 1}, "need beams"),
    ({"force_words_ids": [[]], "num_beams": 2}, "not empty"),
    ({"force_words_ids": [[5] * 13], "num_beams": 2}, "13 tokens and 12 are allowed"),
    ({"constraints": [3], "num_beams": 2}, "Constraint objects"),
    ({"force_words_ids": [[100]], "num_beams": 2}, "wants id 100, beyond the 99 scores"),
    ({"guidance_scale": 2.0, "num_beams": 2}, "needs num_beams=1"),
    ({"guidance_scale": 2.0, "prompt_lookup_num_tokens": 2}, "tries several"),
    ({"guidance_scale": 2.0, "inputs_embeds": torch.zeros(2, 3, 32), "input_ids": None}, "negative_prompt"),
])  # fmt: skip
def test_refusals(llama, prompt, kwargs, message):
    if kwargs.get("assistant_model"):
        kwargs = {"assistant_model": llama}
    with pytest.raises(GenerationError, match=message):
        llama.generate(**{"input_ids": prompt, **GREEDY, **kwargs})


def test_an_encoder_is_not_guided(bart, prompt):
    with pytest.raises(GenerationError, match="prompt goes to its encoder"):
        bart.generate(prompt, **GREEDY, guidance_scale=2.0)


def test_assistant_needs_the_same_vocabulary(llama, make_model, prompt):
    with pytest.raises(GenerationError, match="vocabulary of 50, the model one of 99"):
        llama.generate(prompt[:1], **GREEDY, assistant_model=make_model("llama", vocab_size=50))
