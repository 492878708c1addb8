"""Loading and saving: tokenizer.json as it is, vocabulary files, configuration, bad files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from zoo_core.errors import ConfigError, TokenizerError, ZooError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_text.tokenizers.wordpiece import BertTokenizer

TEXTS = ["Numbers 12345 and it's fine", "x = f(1)\n\n  y", "Ünïcode  😀", "a <|endoftext|> b"]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_save_load_save_changes_no_byte(bert, tmp_path) -> None:
    bert.add_tokens(["zoo"])
    bert.chat_template = {"default": "{{ messages }}", "rag": "{{ documents }}"}
    bert.padding_side = "left"
    bert.save_pretrained(tmp_path / "one")
    again = BertTokenizer.from_pretrained(tmp_path / "one")
    again.save_pretrained(tmp_path / "two")
    assert files_of(tmp_path / "one" / "additional_chat_templates") == files_of(
        tmp_path / "two" / "additional_chat_templates"
    )
    for folder in ("one", "two"):
        (tmp_path / folder / "additional_chat_templates" / "rag.jinja").unlink()
        (tmp_path / folder / "additional_chat_templates").rmdir()
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert (again.padding_side, again("hello zoo")["input_ids"]) == ("left", [2, 15, 21, 3])
    assert again.chat_template == bert.chat_template


def test_truncation_and_padding_of_the_file_are_kept_for_the_file_alone(split_json, tmp_path) -> None:
    tokenizer = Tokenizer.from_file(str(split_json))
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=8, pad_token="<|endoftext|>", pad_id=0, direction="left")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert len(loaded("one two three four five")["input_ids"]) > 8
    assert (loaded.padding_side, loaded.pad_token) == ("left", "<|endoftext|>")
    loaded.save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "tokenizer.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def test_settings_in_the_configuration_and_in_the_call(vocab_folder) -> None:
    (vocab_folder / "tokenizer_config.json").write_text(
        json.dumps(
            {"do_lower_case": False, "model_max_length": 9, "pad_token": "[MASK]", "padding_side": "left"}
        )
    )
    loaded = BertTokenizer.from_pretrained(vocab_folder)
    assert (loaded.model_max_length, loaded.pad_token_id, loaded.padding_side) == (9, 4, "left")
    assert loaded("HELLO")["input_ids"] == [2, 1, 3]
    assert BertTokenizer.from_pretrained(vocab_folder, do_lower_case=True)("HELLO")["input_ids"] == [2, 15, 3]


def test_an_explicit_setting_changes_its_part_of_tokenizer_json_alone(bert, tmp_path) -> None:
    bert.save_pretrained(tmp_path)
    assert BertTokenizer.from_pretrained(tmp_path, do_lower_case=False)("HELLO a")["input_ids"] == [
        2,
        1,
        5,
        3,
    ]
    assert BertTokenizer.from_pretrained(tmp_path)("HELLO a")["input_ids"] == [2, 15, 5, 3]


def test_special_tokens_map_and_added_tokens_of_older_folders(vocab_folder) -> None:
    (vocab_folder / "special_tokens_map.json").write_text(
        json.dumps({"bos_token": "<s>", "pad_token": "[PAD]"})
    )
    (vocab_folder / "added_tokens.json").write_text(json.dumps({"<s>": 22, "zoo": 21}))
    loaded = BertTokenizer.from_pretrained(vocab_folder)
    assert (loaded.bos_token_id, loaded.convert_tokens_to_ids("zoo"), len(loaded)) == (22, 21, 23)
    assert loaded.added_tokens_decoder[22].special
    assert not loaded.added_tokens_decoder[21].special


def test_one_vocabulary_file(vocab_folder) -> None:
    assert BertTokenizer.from_pretrained(vocab_folder / "vocab.txt")("a")["input_ids"] == [2, 5, 3]
    assert BertTokenizer(vocab_folder / "vocab.txt")("a")["input_ids"] == [2, 5, 3]


def test_a_configuration_has_no_authority(write_folder, split_json) -> None:
    folder = write_folder(
        tokenizer__json=split_json.read_text(),
        tokenizer_config__json={
            "tokenizer_file": "/etc/passwd",
            "vocab_file": "/etc/passwd",
            "tokenizer_object": 3,
            "trust_remote_code": True,
            "_secret": 1,
            "auto_map": {"AutoTokenizer": ["x.X", None]},
        },
    )
    loaded = PreTrainedTokenizerFast.from_pretrained(folder)
    assert loaded("a")["input_ids"]
    assert not {"auto_map", "trust_remote_code", "_secret", "tokenizer_file"} & set(loaded.init_kwargs)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"tokenizer__json": "garbage"}, "not a tokenizer.json"),
        ({"tokenizer__json": "{}"}, "not a tokenizer.json"),
        (
            {"tokenizer__json": '{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}'},
            "tokenizer.json",
        ),
        ({"tokenizer__json": b"\xff\xfe"}, "tokenizer.json"),
        ({}, "none of tokenizer.json is there"),
        ({"vocab__txt": ""}, "empty"),
        ({"vocab__txt": b"\xff\xff\n"}, "UTF-8"),
        ({"vocab__txt": "a\n", "tokenizer_config__json": "[1]"}, "tokenizer_config.json"),
        ({"vocab__txt": "a\n", "tokenizer_config__json": {"pad_token": 3}}, "string or an AddedToken"),
        ({"vocab__txt": "a\n", "tokenizer_config__json": {"model_max_length": "x"}}, "model_max_length"),
        ({"vocab__txt": "a\n", "tokenizer_config__json": {"padding_side": "up"}}, "padding_side"),
        ({"vocab__txt": "a\n", "tokenizer_config__json": {"chat_template": 5}}, "chat_template"),
        (
            {"vocab__txt": "a\n", "tokenizer_config__json": {"added_tokens_decoder": {"x": "y"}}},
            "added_tokens_decoder",
        ),
        ({"vocab__txt": "a\n", "added_tokens__json": {"<s>": "one"}}, "added_tokens.json"),
    ],
)
def test_bad_files_are_named(write_folder, files, words) -> None:
    cls = BertTokenizer if "vocab__txt" in files else PreTrainedTokenizerFast
    with pytest.raises((TokenizerError, ConfigError), match=words) as caught:
        cls.from_pretrained(write_folder(**files))
    assert isinstance(caught.value, ZooError)


def test_golden_ids_do_not_depend_on_the_declared_class(split_json, write_folder) -> None:
    """A Split-regex tokenizer.json keeps its ids, whichever class its configuration names."""
    from zoo_text.tokenizers.byte_level import GPT2Tokenizer, Qwen2Tokenizer
    from zoo_text.tokenizers.llama import LlamaTokenizer

    folder = write_folder(tokenizer__json=split_json.read_text(), tokenizer_config__json={})
    reference = Tokenizer.from_file(str(split_json))
    for cls in (PreTrainedTokenizerFast, BertTokenizer, GPT2Tokenizer, Qwen2Tokenizer, LlamaTokenizer):
        loaded = cls.from_pretrained(folder)
        assert loaded(TEXTS)["input_ids"] == [encoding.ids for encoding in reference.encode_batch(TEXTS)]
        assert len(loaded) == reference.get_vocab_size()


def test_saving_refuses_a_file_in_the_way(bert, tmp_path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(TokenizerError, match="is a file"):
        bert.save_pretrained(tmp_path / "x")


def test_no_torch_until_tensors(run_python, bert, tmp_path) -> None:
    bert.save_pretrained(tmp_path)
    out = run_python(
        "import sys\n"
        "from zoo_text.tokenizers.wordpiece import BertTokenizer\n"
        f"t = BertTokenizer.from_pretrained({str(tmp_path)!r})\n"
        "t.decode(t('hello')['input_ids'])\n"
        "print(sorted({'torch', 'numpy', 'huggingface_hub', 'jinja2'} & set(sys.modules)))"
    )
    assert out.strip() == "[]"


def test_split_words_need_their_blanks_back(tmp_path) -> None:
    from zoo_text.tokenizers.byte_level import GPT2Tokenizer

    vocabularies = Path(__file__).parents[1] / "parity" / "tokenizers" / "vocabularies"
    files = (vocabularies / "byte_level.json", vocabularies / "byte_level_merges.txt")
    with pytest.raises(TokenizerError, match="add_prefix_space=True"):
        GPT2Tokenizer(*files)(["the", "zoo"], is_split_into_words=True)
    tokenizer = GPT2Tokenizer(*files, add_prefix_space=True)
    assert (
        tokenizer(["the", "zoo"], is_split_into_words=True)["input_ids"] == tokenizer("the zoo")["input_ids"]
    )
