"""GenerationConfig: files, merging, and what it refuses."""

import json
import subprocess
import sys

import pytest
import torch

from zoo_core import AutoModelForCausalLM
from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig, GenerationMode


def test_needs_no_torch():
    code = (
        "import sys; from zoo_core.generation import GenerationConfig; "
        "GenerationConfig(top_k=3); print('torch' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )


@pytest.mark.parametrize("values, mode", [
    ({}, "greedy_search"),
    ({"do_sample": True}, "sample"),
    ({"num_beams": 2}, "beam_search"),
    ({"num_beams": 2, "do_sample": True}, "beam_sample"),
    ({"num_beams": 4, "num_beam_groups": 2}, "group_beam_search"),
    ({"num_beams": 2, "force_words_ids": [[3]]}, "constrained_beam_search"),
    ({"penalty_alpha": 0.6, "top_k": 4}, "contrastive_search"),
    ({"prompt_lookup_num_tokens": 3}, "assisted_generation"),
])  # fmt: skip
def test_mode(values, mode, llama):
    assert GenerationConfig(**values).get_generation_mode() == GenerationMode(mode)
    assert llama.get_generation_mode(**values) == mode


@pytest.mark.parametrize("values, message", [
    ({"max_new_tokens": 0}, "max_new_tokens=0 must be"),
    ({"max_new_tokens": -1}, "max_new_tokens=-1"),
    ({"max_length": "20"}, "max_length='20'"),
    ({"temperature": -1.0}, "temperature=-1.0"),
    ({"temperature": 0.0, "do_sample": True}, "do_sample=False for greedy"),
    ({"top_p": 1.2}, "top_p=1.2"),
    ({"top_k": -1}, "top_k=-1"),
    ({"early_stopping": "x"}, "'never'"),
    ({"num_beams": 2, "num_return_sequences": 3}, "raise num_beams"),
    ({"num_return_sequences": 2}, "pass do_sample=True or num_beams=2"),
    ({"num_beams": 3, "num_beam_groups": 2}, "2 equal groups"),
    ({"num_beams": 4, "num_beam_groups": 2, "do_sample": True}, "exclude each other"),
    ({"num_beams": 4, "force_words_ids": [[3]], "do_sample": True}, "plain beam search"),
    ({"min_new_tokens": 9, "max_new_tokens": 3}, "is more than max_new_tokens=3"),
    ({"cache_implementation": "foo"}, "must be one of dynamic"),
    ({"repetition_penalty": 0}, "repetition_penalty=0"),
    ({"bad_words_ids": [5]}, "list of lists"),
    ({"streamer": 1}, r"pass it to generate\(\) itself"),
    ({"do_sample": "yes"}, "True or False"),
])  # fmt: skip
def test_impossible(values, message):
    with pytest.raises(GenerationError, match=message):
        GenerationConfig(**values)


@pytest.mark.parametrize("values, name", [
    ({"temperature": 0.5}, "temperature"),
    ({"num_beams": 1, "length_penalty": 2.0}, "length_penalty"),
    ({"output_scores": True}, "output_scores"),
    ({"use_cache": False, "cache_implementation": "static"}, "cache_implementation"),
    ({"pad_token_id": -1}, "pad_token_id"),
    ({"diversity_penalty": 1.0}, "diversity_penalty"),
])  # fmt: skip
def test_without_effect(values, name, llama, prompt):
    config = GenerationConfig(**values)
    with pytest.raises(GenerationError, match=name):
        config.validate(strict=True)
    with pytest.warns(UserWarning, match=f"{name}=.* has no effect"):
        llama.generate(prompt, max_new_tokens=1, **values)


def test_files(tmp_path):
    """Values of others are kept, defaults are not written, saving twice writes the same bytes."""
    given = {
        "_from_model_config": True,
        "eos_token_id": [2, 7],
        "alignment_heads": [[1, 2]],
        "transformers_version": "4",
    }
    (tmp_path / "generation_config.json").write_text(json.dumps(given))
    config = GenerationConfig.from_pretrained(tmp_path, top_k=7)
    assert config.top_k == 7 and config.alignment_heads == [[1, 2]]
    config.save_pretrained(tmp_path / "again")
    first = (tmp_path / "again" / "generation_config.json").read_bytes()
    assert json.loads(first) == {**given, "top_k": 7}
    GenerationConfig.from_pretrained(tmp_path / "again").save_pretrained(tmp_path / "third")
    assert (tmp_path / "third" / "generation_config.json").read_bytes() == first
    config, rest = GenerationConfig.from_pretrained(tmp_path, return_unused_kwargs=True, foo=1, max_length=9)
    assert rest == {"foo": 1} and config.max_length == 9


@pytest.mark.parametrize("name", ["custom_generate", "trust_remote_code", "constraints", "compile_config"])
def test_a_file_is_no_authority(tmp_path, name):
    (tmp_path / "generation_config.json").write_text(json.dumps({name: "someone/code"}))
    assert getattr(GenerationConfig.from_pretrained(tmp_path), name, None) is None


def test_a_bad_file_is_named(tmp_path):
    (tmp_path / "generation_config.json").write_text('{"max_new_tokens": -3}')
    with pytest.raises(GenerationError, match=r"generation_config.json: max_new_tokens=-3"):
        GenerationConfig.from_pretrained(tmp_path)


def test_update_is_all_or_nothing():
    config = GenerationConfig(top_k=3)
    assert config.update(top_k=4, bar=2) == {"bar": 2} and config.top_k == 4
    with pytest.raises(GenerationError):
        config.update(top_k=9, max_new_tokens=0)
    assert config.top_k == 4 and config.max_new_tokens is None


def test_models_bring_their_settings(llama, tmp_path):
    llama.save_pretrained(tmp_path)
    path = tmp_path / "generation_config.json"
    settings = json.loads(path.read_text())
    assert settings == {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    path.write_text(json.dumps({**settings, "max_new_tokens": 4, "eos_token_id": None}))
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    prompt = torch.tensor([[5, 6]])
    assert model.generate(prompt).shape[1] == 6
    assert model.generate(prompt, max_new_tokens=2).shape[1] == 4
    assert model.generate(prompt, generation_config=GenerationConfig(top_k=3)).shape[1] == 6
    own = model.generate(prompt, generation_config=GenerationConfig(top_k=3), use_model_defaults=False)
    assert own.shape[1] > 6
    assert model.generation_config.max_new_tokens == 4, "a call changed the model's settings"
    path.write_text('{"max_new_tokens": -3}')
    with pytest.warns(UserWarning, match="The file is not used"):
        assert AutoModelForCausalLM.from_pretrained(tmp_path).generation_config.eos_token_id == 2


def test_default_length_is_twenty_more(llama):
    assert llama.generate(torch.full((1, 30), 5), eos_token_id=None, pad_token_id=0).shape[1] == 50
