"""Every kind of cache decodes alike, and says what it cannot do."""

import copy
import pickle

import pytest
import torch

from zoo_core import CompileConfig
from zoo_core.errors import GenerationError
from zoo_core.nn.cache import Cache
from zoo_core.nn.quantized_cache import Packed, Quantization, QuantizedCache
from zoo_core.nn.static_cache import StaticCache

GREEDY = {"do_sample": False, "max_new_tokens": 20, "eos_token_id": None, "pad_token_id": 0}
KINDS = ["dynamic", "dynamic_full", "static", "sliding_window", "hybrid", "offloaded", "offloaded_static"]


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_agree(model, prompt, kind, beams):
    want = model.generate(prompt, **GREEDY, num_beams=beams, use_cache=False)
    got = model.generate(prompt, **GREEDY, num_beams=beams, cache_implementation=kind)
    assert torch.equal(got, want)


@pytest.mark.parametrize("beams", [1, 3])
def test_eight_bits_change_little(llama, prompt, beams):
    settings = {"nbits": 8, "q_group_size": 8, "residual_length": 4}
    scores = [
        llama.generate(
            prompt, **GREEDY, num_beams=beams, return_dict_in_generate=True, output_logits=True, **kind
        )
        for kind in ({}, {"cache_implementation": "quantized", "cache_config": settings})
    ]
    assert (scores[0].logits[4] - scores[1].logits[4]).abs().max() < 0.2


@pytest.mark.parametrize("bits, tolerance", [(8, 0.02), (4, 0.3), (2, 1.4)])
def test_packing_stays_within_a_step(bits, tolerance):
    values = torch.randn(2, 3, 5, 64, generator=torch.Generator().manual_seed(0))
    packed = Packed(values, Quantization(bits, 32, 4))
    assert packed.codes.numel() == values.numel() * bits // 8
    assert (packed.unpack() - values).abs().max() < tolerance


def test_quantized_forgets_only_the_newest():
    cache = QuantizedCache(residual_length=4, q_group_size=4)
    slot = cache.attention(0)
    for _ in range(6):
        slot.update(torch.randn(1, 1, 1, 4), torch.randn(1, 1, 1, 4))
    cache.crop(5)
    assert cache.length == 5
    with pytest.raises(ValueError, match="not quantised yet"):
        cache.crop(3)


@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2"])
@pytest.mark.parametrize("make", [Cache, lambda: StaticCache(40), lambda: Cache(sliding=False)])
def test_continuing_from_a_cache(make_model, prompt, name, make):
    """Two calls, the second with the first one's cache, write what one call writes."""
    model = make_model(name)
    want = model.generate(prompt, **GREEDY)
    cache = make()
    first = model.generate(prompt, **{**GREEDY, "max_new_tokens": 9}, past_key_values=cache)
    assert int(cache.length) == 14
    assert torch.equal(model.generate(first, **{**GREEDY, "max_new_tokens": 11}, past_key_values=cache), want)


def test_cropping_and_another_end(llama, prompt):
    cache = Cache()
    llama.generate(prompt, **GREEDY, past_key_values=cache)
    cache.crop(6)
    other = torch.cat((prompt, torch.tensor([[7], [8]])), dim=1)
    assert torch.equal(
        llama.generate(other, **GREEDY, past_key_values=cache), llama.generate(other, **GREEDY)
    )


@pytest.mark.parametrize("length, message", [(3, "pass all tokens so far"), (6, "pass all tokens so far")])
def test_a_cache_that_holds_the_prompt(llama, prompt, length, message):
    cache = Cache()
    llama.generate(prompt, **GREEDY, past_key_values=cache)
    with pytest.raises(GenerationError, match=message):
        llama.generate(prompt[:, :length], **GREEDY, past_key_values=cache)


def test_a_cache_of_other_rows(llama, prompt):
    out = llama.generate(prompt, **GREEDY, num_beams=2, return_dict_in_generate=True)
    assert out.past_key_values.rows == 4 and Cache().rows is None
    with pytest.raises(GenerationError, match="holds 4 rows and the prompt has 2"):
        llama.generate(out.sequences, **GREEDY, past_key_values=out.past_key_values)


def test_room_is_made_once(llama, prompt):
    """The cache of a call is exactly as large as its last position asks."""
    out = llama.generate(prompt, **GREEDY, return_dict_in_generate=True)
    assert (
        out.past_key_values.memory() == 2 * 2 * 2 * 2 * 26 * 8 * 4
    )  # k, v; layers; rows; kv heads; positions


def test_a_static_cache_that_is_too_small(llama, prompt):
    with pytest.raises(ValueError, match=r"StaticCache\(capacity=26\)"):
        llama.generate(prompt, **GREEDY, past_key_values=StaticCache(10))


@torch.no_grad()
@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2"])
def test_a_decode_step_compiles_once(make_model, prompt, name):
    """Whole, and without another compilation on later steps."""
    compiled_decoding(make_model(name), prompt, "eager")


@torch.no_grad()
@pytest.mark.slow(reason="a C++ compiler builds the step")
def test_a_decode_step_compiles_to_machine_code(make_model, prompt):
    compiled_decoding(make_model("llama", num_hidden_layers=1), prompt, "inductor")


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_generate_compiles_its_steps(make_model, prompt, name):
    """Once a model: a second call of the same sizes, and a copy of the model, decode as without."""
    model = make_model(name)
    want = model.generate(prompt, **GREEDY)
    torch._dynamo.reset()
    compiled = {"cache_implementation": "static", "compile_config": CompileConfig(backend="eager")}
    assert torch.equal(model.generate(prompt, **GREEDY, **compiled), want)
    with torch._dynamo.config.patch(error_on_recompile=True):
        assert torch.equal(
            model.generate(prompt.flip(1), **GREEDY, **compiled), model.generate(prompt.flip(1), **GREEDY)
        )
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        with torch.no_grad():
            copied.get_output_embeddings().weight.mul_(-1)
        assert torch.equal(copied.generate(prompt, **GREEDY, **compiled), copied.generate(prompt, **GREEDY))


def test_what_does_not_compile(llama, prompt):
    with pytest.raises(GenerationError, match="CompileConfig"):
        llama.generate(prompt, **GREEDY, compile_config={"backend": "eager"})
    with pytest.warns(UserWarning, match="static"):
        llama.generate(prompt, **GREEDY, compile_config=CompileConfig())


def compiled_decoding(model, prompt, backend):
    want = model.generate(prompt, **GREEDY)
    torch._dynamo.reset()
    cache = StaticCache(32)
    token = model(prompt, past_key_values=cache, use_cache=True).logits[:, -1:].argmax(-1)
    step = torch.compile(model.forward, fullgraph=True, backend=backend)
    found = [token]
    for position in range(6, 25):
        inputs = {"past_key_values": cache, "cache_position": torch.tensor([position]), "use_cache": True}
        with torch._dynamo.config.patch(error_on_recompile=position > 6):
            token = step(token, **inputs).logits[:, -1:].argmax(-1)
        found.append(token)
    assert torch.equal(torch.cat(found, 1), want[:, 6:])
