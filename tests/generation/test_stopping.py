"""When a row ends, what stands after it, and what streams out meanwhile."""

import asyncio
import threading
import time

import pytest
import torch

from zoo_core.errors import GenerationError
from zoo_core.generation import StoppingCriteria, StoppingCriteriaList
from zoo_core.generation.stop_signal import StopSignal
from zoo_core.generation.stopping import EosTokenCriteria, MaxLengthCriteria, StopStringCriteria
from zoo_core.generation.streamers import AsyncTextIteratorStreamer, TextIteratorStreamer, TextStreamer

PLAIN = {"do_sample": False, "max_new_tokens": 12, "pad_token_id": 0}


@pytest.mark.parametrize("extra", [{}, {"use_cache": False}, {"penalty_alpha": 0.6, "top_k": 4}])
def test_rows_end_with_eos_and_are_padded(model, prompt, extra):
    free = model.generate(prompt, eos_token_id=None, **PLAIN, **extra)
    start = 1 if model.config.is_encoder_decoder else 6
    eos = int(free[0, start + 3])
    stopped = model.generate(prompt, eos_token_id=[eos, 98], **PLAIN, **extra)
    for got, want in zip(stopped, free, strict=True):
        tail = want[start:].tolist()
        end = start + next((i for i, t in enumerate(tail) if t in (eos, 98)), len(tail)) + 1
        assert torch.equal(got[:end], want[:end][: len(got)])
        assert (got[end:] == 0).all()


def test_eos_never_reached_ends_at_the_limit(llama, prompt):
    assert llama.generate(prompt, eos_token_id=None, **PLAIN).shape[1] == 18


def test_without_pad_the_end_is_filled_with_eos(make_model, prompt):
    model = make_model("llama", pad_token_id=None)
    settings = {"do_sample": False, "max_new_tokens": 12}
    free = model.generate(prompt, eos_token_id=None, **settings)
    eos = int(free[0, 7])
    got = model.generate(prompt, eos_token_id=eos, **settings)
    end = free[0, 6:].tolist().index(eos) + 6
    assert (got[0, end:] == eos).all()


def test_a_negative_pad_is_none(llama, prompt):
    settings = {"do_sample": False, "max_new_tokens": 12}
    eos = int(llama.generate(prompt, eos_token_id=None, **settings)[0, 7])
    want = llama.generate(prompt, eos_token_id=eos, pad_token_id=eos, **settings)
    with pytest.warns(UserWarning, match="pads nothing"):
        assert torch.equal(llama.generate(prompt, eos_token_id=eos, pad_token_id=-1, **settings), want)


def test_a_pad_that_is_no_word(llama, prompt):
    with pytest.raises(GenerationError, match=r"pad_token_id=99 fills up.*pass pad_token_id=7"):
        llama.generate(prompt, eos_token_id=[7, 8], pad_token_id=99)


class After(StoppingCriteria):
    """Row i ends at length lengths[i]."""

    def __init__(self, *lengths):
        self.lengths = torch.tensor(lengths)

    def __call__(self, input_ids, scores, **kwargs):
        return input_ids.shape[1] >= self.lengths


@pytest.mark.parametrize("extra", [{}, {"num_beams": 2}])
def test_custom_criteria(llama, prompt, extra):
    out = llama.generate(
        prompt,
        eos_token_id=None,
        **PLAIN,
        **extra,
        stopping_criteria=StoppingCriteriaList([MaxLengthCriteria(9)]),
    )
    assert out.shape[1] == 9


def test_custom_criteria_end_single_rows(llama, prompt):
    out = llama.generate(prompt, eos_token_id=None, **PLAIN, stopping_criteria=[After(8, 11)])
    assert out.shape[1] == 11 and (out[0, 8:] == 0).all() and (out[1, 8:] != 0).all()


def test_time_is_up(llama, prompt):
    class Slow(StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            time.sleep(0.02)
            return False

    out = llama.generate(
        prompt, eos_token_id=None, max_new_tokens=100, max_time=0.1, stopping_criteria=[Slow()]
    )
    assert 7 <= out.shape[1] < 40


@pytest.mark.parametrize("extra", [{}, {"num_beams": 3}])
def test_stop_strings(llama, prompt, words, extra):
    free = llama.generate(prompt[:1], eos_token_id=None, **PLAIN)
    stop = words.decode(free[0, 8:10])
    out = llama.generate(prompt[:1], eos_token_id=None, **PLAIN, stop_strings=[stop, "zzz"], tokenizer=words)
    assert torch.equal(out, free[:, :10])
    prompt_text = words.decode(prompt[0, :2])
    assert (
        llama.generate(
            prompt[:1], **PLAIN, eos_token_id=None, stop_strings=prompt_text, tokenizer=words
        ).shape[1]
        == 18
    )


@pytest.mark.parametrize("strings", [[], [""], ""])
def test_stop_strings_must_say_something(words, strings):
    with pytest.raises(ValueError, match="not empty"):
        StopStringCriteria(words, strings)


def test_eos_criterion():
    ids = torch.tensor([[1, 2], [2, 1]])
    assert EosTokenCriteria([2, 5])(ids, None).tolist() == [True, False]
    assert StoppingCriteriaList([EosTokenCriteria(2), MaxLengthCriteria(2)])(ids, None).all()


def test_the_signal_answers_at_once_on_the_cpu():
    signal = StopSignal(torch.device("cpu"))
    assert signal(torch.tensor([True, False]), 5) is None and signal(torch.tensor([True, True]), 6) == 6
    assert signal.finish(9) == 9


def test_text_streams(llama, prompt, words, capsys):
    out = llama.generate(prompt[:1], eos_token_id=None, **PLAIN, streamer=TextStreamer(words))
    assert capsys.readouterr().out == words.decode(out[0]) + "\n"
    llama.generate(prompt[:1], eos_token_id=None, **PLAIN, streamer=TextStreamer(words, skip_prompt=True))
    assert capsys.readouterr().out == words.decode(out[0, 6:]) + "\n"


@pytest.mark.parametrize("extra", [{}, {"prompt_lookup_num_tokens": 2}, {"penalty_alpha": 0.6, "top_k": 3}])
def test_text_streams_to_another_thread(llama, prompt, words, extra):
    streamer = TextIteratorStreamer(words, skip_prompt=True, timeout=20)
    settings = {**PLAIN, **extra, "eos_token_id": None, "streamer": streamer}
    thread = threading.Thread(target=llama.generate, args=(prompt[:1],), kwargs=settings)
    thread.start()
    pieces = list(streamer)
    thread.join()
    del settings["streamer"]
    assert len(pieces) > 3
    assert "".join(pieces) == words.decode(llama.generate(prompt[:1], **settings)[0, 6:])


def test_text_streams_to_a_coroutine(words):
    async def collect():
        streamer = AsyncTextIteratorStreamer(words)
        streamer.put(torch.tensor([[3, 4]]))
        streamer.put(torch.tensor([5]))
        streamer.end()
        return [piece async for piece in streamer]

    assert "".join(asyncio.run(collect())) == "w3 w4 w5"


@pytest.mark.parametrize("kwargs", [{}, {"num_beams": 2}])
def test_streams_take_one_row(llama, prompt, words, kwargs):
    rows = prompt[:1] if kwargs else prompt
    with pytest.raises(GenerationError, match="one row"):
        llama.generate(rows, **PLAIN, **kwargs, streamer=TextStreamer(words))
