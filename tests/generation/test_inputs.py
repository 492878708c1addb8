"""Prompts: padding, vectors, nothing at all, and what is refused."""

import pytest
import torch

from zoo_core.errors import GenerationError
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.cache import Cache

GREEDY = {"do_sample": False, "max_new_tokens": 8, "eos_token_id": None, "pad_token_id": 0}
PADDED = torch.tensor([[0, 0, 0, 11, 40, 3], [8, 41, 40, 7, 66, 9]])
MASK = torch.tensor([[0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1]])


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"num_beams": 3},
        {"use_cache": False},
        {"cache_implementation": "static"},
        {"penalty_alpha": 0.6, "top_k": 4},
        {"num_beams": 2, "force_words_ids": [[50]]},
    ],
)
def test_left_padding_changes_nothing(model, extra, implementation):
    if model.config.is_encoder_decoder:
        padded, mask, alone = PADDED.flip(1), MASK.flip(1), PADDED.flip(1)[:1, :3]
    else:
        padded, mask, alone = PADDED, MASK, PADDED[:1, 3:]
    try:
        model.set_attn_implementation(implementation)
        both = model.generate(padded, attention_mask=mask, **GREEDY, **extra)
        one = model.generate(alone, **GREEDY, **extra)
        other = model.generate(padded[1:], **GREEDY, **extra)
    finally:
        model.set_attn_implementation("sdpa")
    assert torch.equal(both[0, -8:], one[0, -8:])
    assert torch.equal(both[1, -8:], other[0, -8:])


@torch.no_grad()
@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.bfloat16, 0.25)])
@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2"])
def test_left_padding_keeps_the_logits(make_model, name, dtype, tolerance):
    model = make_model(name).to(dtype)
    settings = {**GREEDY, "max_new_tokens": 1, "return_dict_in_generate": True, "output_logits": True}
    both = model.generate(PADDED, attention_mask=MASK, **settings).logits[0][0]
    alone = model.generate(PADDED[:1, 3:], **settings).logits[0][0]
    assert (both - alone).abs().max() < tolerance


def test_padding_is_read_from_the_pad_token(llama):
    want = llama.generate(PADDED, attention_mask=MASK, **GREEDY)
    assert torch.equal(llama.generate(PADDED, **GREEDY), want)
    settings = {**GREEDY, "eos_token_id": 0}
    with pytest.warns(UserWarning, match="also ends sequences"):
        llama.generate(PADDED, **settings)


def test_padding_on_the_right_is_named(llama):
    with pytest.warns(UserWarning, match="padding_side = 'left'"):
        llama.generate(PADDED.flip(1), attention_mask=MASK.flip(1), **GREEDY)


def test_rows_hidden_whole_are_named(llama):
    with pytest.warns(UserWarning, match="hides all of row 0"):
        llama.generate(PADDED, attention_mask=0 * MASK, **GREEDY)


@pytest.mark.parametrize(
    "extra", [{}, {"num_beams": 3}, {"use_cache": False}, {"prompt_lookup_num_tokens": 3}]
)
def test_vectors_are_a_prompt(llama, prompt, extra):
    """Their continuation alone is returned; with ids, the ids stand before it."""
    prompt = prompt[:1]
    want = llama.generate(prompt, **GREEDY, **extra)
    vectors = llama.get_input_embeddings()(prompt)
    assert torch.equal(llama.generate(inputs_embeds=vectors, **GREEDY, **extra), want[:, 6:])
    assert torch.equal(llama.generate(prompt, inputs_embeds=vectors, **GREEDY, **extra), want)
    limited = {**GREEDY, "max_new_tokens": None, "max_length": 10}
    assert llama.generate(inputs_embeds=vectors, **limited, **extra).shape[1] == 4


def test_vectors_count_in_lengths(llama, prompt):
    vectors = llama.get_input_embeddings()(prompt)
    settings = {"max_length": 12, "min_length": 9, "eos_token_id": [*range(2, 60)], "pad_token_id": 0}
    want = llama.generate(prompt, **settings)[:, 6:]
    assert torch.equal(llama.generate(inputs_embeds=vectors, **settings), want)


def test_padded_vectors(llama):
    want = llama.generate(PADDED, attention_mask=MASK, **GREEDY)
    vectors = llama.get_input_embeddings()(PADDED)
    assert torch.equal(llama.generate(inputs_embeds=vectors, attention_mask=MASK, **GREEDY), want[:, 6:])


def test_without_a_prompt_bos_begins(llama):
    assert torch.equal(llama.generate(**GREEDY), llama.generate(torch.tensor([[1]]), **GREEDY))


def test_a_prompt_in_chunks(llama, prompt):
    assert torch.equal(
        llama.generate(prompt, **GREEDY, prefill_chunk_size=4), llama.generate(prompt, **GREEDY)
    )


@torch.no_grad()
def test_encoder_outputs_and_decoder_prompts(bart, prompt):
    want = bart.generate(prompt, **GREEDY)
    states = bart.get_encoder()(prompt)
    assert torch.equal(bart.generate(encoder_outputs=states, **GREEDY), want)
    assert torch.equal(bart.generate(encoder_outputs=(states[0],), **GREEDY), want)
    assert isinstance(states, BaseModelOutput)
    begun = bart.generate(prompt, decoder_input_ids=want[:, 1:4], **{**GREEDY, "max_new_tokens": 5})
    assert torch.equal(begun, want)


def test_training_mode_is_kept(make_model, prompt):
    model = make_model("gpt2").train()
    want = make_model("gpt2").generate(prompt, **GREEDY)
    assert torch.equal(model.generate(prompt, **GREEDY), want)
    assert model.training


def test_token_types_go_on(make_model, prompt):
    model = make_model("gpt2")
    types = torch.tensor([[4, 4, 4, 5, 5, 5]]).expand(2, -1)
    runs = [model.generate(prompt, token_type_ids=types, **GREEDY, use_cache=c) for c in (True, False)]
    assert torch.equal(*runs)
    assert not torch.equal(runs[0], model.generate(prompt, **GREEDY))


@pytest.mark.parametrize("kwargs, message", [
    ({"input_ids": torch.zeros(1, 0, dtype=torch.long)}, r"empty.*bos_token_id"),
    ({"input_ids": torch.zeros(0, 3, dtype=torch.long)}, "no rows"),
    ({"input_ids": torch.tensor([3, 4])}, r"integer tensor \(rows, length\)"),
    ({"input_ids": torch.tensor([[3.0, 4.0]])}, "float32"),
    ({"input_ids": [[3, 4]]}, "not list"),
    ({"input_ids": torch.tensor([[3, 99]])}, "holds id 99, but the vocabulary is 0 to 98"),
    ({"input_ids": torch.tensor([[3, -1]])}, "holds id -1"),
    ({"inputs": PADDED, "input_ids": PADDED}, "passed twice"),
    ({"inputs": PADDED, "attention_mask": MASK[:, :4]}, "covers 4 positions, but the prompt has 6"),
    ({"inputs": PADDED, "attention_mask": MASK[:, None, None]}, "must be"),
    ({"inputs": PADDED, "max_length": 6}, "leaves no room"),
    ({"inputs": PADDED, "temprature": 0.5}, "did you mean 'temperature'"),
    ({"inputs": PADDED, "foo": 1}, r"not used by the model: \['foo'\]"),
    ({"inputs": PADDED, "past_key_values": 3}, "must be a zoo_core"),
    ({"inputs": PADDED, "past_key_values": Cache(), "use_cache": False}, "leave one of both out"),
    ({"inputs_embeds": torch.zeros(1, 3, 8)}, r"must be \(rows, length, 32\)"),
    ({"inputs_embeds": torch.zeros(3, 32)}, r"must be \(rows, length, 32\)"),
    ({"inputs_embeds": torch.zeros(1, 0, 32)}, "length of at least 1"),
    ({"input_ids": PADDED, "inputs_embeds": torch.zeros(1, 6, 32)}, "2 rows of input_ids, but 1"),
    ({"inputs": PADDED, "guidance_scale": 2.0, "negative_prompt_ids": PADDED[[0, 0, 0]]}, "has 3, the"),
    ({"inputs": PADDED, "guidance_scale": 2.0, "negative_prompt_ids": PADDED + 99}, "prompt_ids holds id"),
    ({"inputs": PADDED, "generation_config": {"num_beams": 2}}, "not dict"),
    ({"inputs": PADDED, "logits_processor": [3]}, "must be a list of logits processor"),
    ({"inputs": PADDED, "stopping_criteria": lambda ids, scores: True}, r"stopping_criteria=\[...\]"),
    ({"inputs": PADDED, "assistant_model": "gpt2"}, "a model that generates, not str"),
    ({"inputs": PADDED, "streamer": 3}, "int has not"),
    ({"inputs": PADDED, "exponential_decay_length_penalty": 3}, "factor per token"),
    ({"inputs": PADDED, "stop_strings": "x"}, "needs the tokenizer"),
    ({"inputs": PADDED, "dola_layers": "high"}, "not implemented"),
    ({"inputs": PADDED, "synced_gpus": True}, "leave it out"),
    ({"inputs": PADDED, "custom_generate": "someone/code"}, "must be a function"),
    ({"inputs": PADDED, "min_length": 500, "max_length": 20}, "min_length=500"),
])  # fmt: skip
def test_refused(llama, kwargs, message):
    with pytest.raises(GenerationError, match=message):
        llama.generate(**kwargs)


def test_a_negative_prompt_needs_a_scale(llama, prompt):
    with pytest.warns(UserWarning, match="no effect without guidance_scale"):
        llama.generate(prompt, **GREEDY, negative_prompt_ids=prompt)


def test_nothing_to_start_from(llama, bart):
    with pytest.raises(GenerationError, match="bos_token_id"):
        llama.generate(bos_token_id=None, generation_config=_without_tokens())
    with pytest.raises(GenerationError, match="nothing to encode"):
        bart.generate(max_new_tokens=3)


def _without_tokens():
    from zoo_core.generation import GenerationConfig

    return GenerationConfig(max_new_tokens=3)


def test_a_prompt_longer_than_the_positions(make_model):
    model = make_model("gpt2", n_positions=16)
    with pytest.raises(ValueError, match="16 positions"):
        model.generate(torch.full((1, 17), 5), **GREEDY)
    with (
        pytest.warns(UserWarning, match="made for 16 positions"),
        pytest.raises(ValueError, match="16 positions"),
    ):
        model.generate(torch.full((1, 12), 5), **GREEDY)
    assert model.generate(torch.full((1, 12), 5), eos_token_id=None, pad_token_id=0).shape[1] == 16


def test_custom_generate_is_a_function(llama, prompt):
    assert llama.generate(prompt, custom_generate=lambda model, inputs, **_: (model, inputs)) == (
        llama,
        prompt,
    )
