"""zoo generate and zoo chat, with a tiny model that knows a hundred words."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from zoo_core import AutoConfig, AutoModelForCausalLM, AutoTokenizer

TEMPLATE = (
    "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)
WORDS = ["<pad>", "<s>", "</s>", "user", "assistant", "system", *(f"w{i}" for i in range(94))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speaker")
    config = AutoConfig.for_model(
        "llama", vocab_size=100, hidden_size=32, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, initializer_range=0.3,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "chat_template": TEMPLATE}
        )
    )
    return folder


def written(folder: Path, prompt: str, **settings: object) -> str:
    """What the model writes after `prompt`."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    return tokenizer.decode(model.generate(ids, **settings)[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts text on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize("options, settings", [
    ([], {}),
    (["--num-beams", "3"], {"num_beams": 3}),
    (["--repetition-penalty", "1.5"], {"repetition_penalty": 1.5}),
])  # fmt: skip
def test_generate(zoo, say, folder, options, settings):
    say("w3 w4\n")
    got = zoo("generate", str(folder), "--max-new-tokens", "9", *options)
    assert got == written(folder, "w3 w4", max_new_tokens=9, **settings) + "\n"


def test_generate_repeats_what_is_drawn(zoo, say, folder):
    runs = []
    for seed in ("1", "1", "2"):
        say("w3")
        runs.append(
            zoo("generate", str(folder), "--max-new-tokens", "20", "--temperature", "1.0", "--seed", seed)
        )
    assert runs[0] == runs[1] != runs[2]


def test_generate_a_line_each(zoo, say, folder):
    say("w3\nw4 w5\n")
    got = zoo("generate", str(folder), "--max-new-tokens", "5", "--lines", "--with-prompt").splitlines()
    assert [line.startswith(start) for line, start in zip(got, ("w3", "w4 w5"), strict=True)] == [True, True]


def test_generate_stops(zoo, say, folder):
    whole = written(folder, "w3", max_new_tokens=12).split()
    say("w3")
    got = zoo("generate", str(folder), "--max-new-tokens", "12", "--stop", whole[3]).split()
    assert got == whole[: whole.index(whole[3]) + 1]


@pytest.mark.parametrize("command", ["generate", "chat"])
@pytest.mark.parametrize("options, message", [
    (["--temperature", "-1"], "temperature=-1.0"),
    (["--dtype", "float33"], "no floating-point dtype"),
    (["--device", "nowhere"], "no device"),
])  # fmt: skip
def test_refused(zoo, say, folder, command, options, message):
    say("w3\n")
    assert message in zoo(command, str(folder), *options, status=2)


def test_generate_wants_a_prompt(zoo, say, folder):
    say("\n")
    assert "no prompt" in zoo("generate", str(folder), status=2)


def test_chat_continues_the_conversation(zoo, say, folder):
    """Each answer follows from the whole conversation, although only what is new is read."""
    first = written(folder, "system w9 user w3 assistant", max_new_tokens=6)
    second = written(folder, f"system w9 user w3 assistant {first} user w4 assistant", max_new_tokens=6)
    fresh = written(folder, "system w9 user w5 assistant", max_new_tokens=6)
    say("w3\n\nw4\n/clear\nw5\n/exit\nw6\n")
    got = zoo("chat", str(folder), "--max-new-tokens", "6", "--system", "w9")
    assert [line.strip() for line in got.splitlines()] == [first, second, fresh]
