"""config.json: reading, overriding, writing, and what a file may never decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError, FileNotInRepository, MalformedFile, UnknownArchitecture

REAL = {  # shaped like the config.json of a real BERT checkpoint
    "_name_or_path": "nreimers/MiniLM-L6-H384-uncased",
    "architectures": ["PlainModel"],
    "gradient_checkpointing": False,
    "hidden_size": 12,
    "id2label": {"0": "a", "1": "b", "10": "c"},
    "label2id": {"a": 0, "b": 1, "c": 10},
    "model_type": "plain",
    "num_attention_heads": 3,
    "torch_dtype": "float32",
    "transformers_version": "4.8.2",
    "is_decoder": False,
    "max_length": 30,
    "task_specific_params": {"summarization": {"num_beams": 4}},
}


def test_save_load_save_gives_the_same_bytes(plain: Any, folder: Callable[..., Path], tmp_path: Path) -> None:
    loaded = plain.from_pretrained(folder(REAL))
    loaded.save_pretrained(tmp_path / "one")
    plain.from_pretrained(tmp_path / "one").save_pretrained(tmp_path / "two")
    one, two = ((tmp_path / name / "config.json").read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.endswith(b"}\n")
    written = json.loads(one)
    assert list(written) == sorted(written)
    assert list(written["id2label"]) == ["0", "1", "10"]
    kept = (
        "architectures",
        "gradient_checkpointing",
        "transformers_version",
        "max_length",
        "task_specific_params",
    )
    assert {name: written[name] for name in kept} == {name: REAL[name] for name in kept}
    assert (written["dtype"], written["model_type"], written["pad_token_id"]) == ("float32", "plain", 0)
    assert not {"_name_or_path", "torch_dtype", "is_decoder", "num_beams"} & set(written)
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["config.json"]


def test_a_default_that_differs_from_the_usual_one_is_written(plain: Any) -> None:
    class Untied(plain):
        tie_word_embeddings = False

    assert Untied().to_diff_dict()["tie_word_embeddings"] is False
    assert Untied(tie_word_embeddings=True).to_diff_dict()["tie_word_embeddings"] is True
    assert Untied.from_dict(Untied(tie_word_embeddings=True).to_diff_dict()).tie_word_embeddings is True


def test_overrides_and_unused_keywords(plain: Any, folder: Callable[..., Path]) -> None:
    path = folder(REAL)
    config, unused = plain.from_pretrained(
        path,
        return_unused_kwargs=True,
        output_attentions=True,
        n_embd=6,
        gradient_checkpointing=True,
        foo=False,
    )
    assert (config.output_attentions, config.hidden_size, config.gradient_checkpointing) == (True, 6, True)
    assert unused == {"foo": False}
    assert not hasattr(plain.from_pretrained(path, foo=False), "foo")
    assert plain.from_pretrained(path, num_hidden_layers=4).layer_types == ["full"] * 4


def test_an_override_replaces_the_files_value_under_any_name(plain: Any) -> None:
    assert plain.from_dict({"n_embd": 4}, hidden_size=6).hidden_size == 6
    assert plain.from_dict({"torch_dtype": "float16"}, dtype="bfloat16").dtype == "bfloat16"
    assert plain.from_dict({"dtype": "float16"}, torch_dtype="bfloat16").dtype == "bfloat16"


def test_null_means_the_default_of_a_conventional_field(plain: Any) -> None:
    config = plain.from_dict(
        {"output_hidden_states": None, "id2label": None, "pad_token_id": None, "top_k": None}
    )
    assert (config.output_hidden_states, config.num_labels, config.pad_token_id, config.top_k) == (
        False,
        2,
        None,
        None,
    )


def test_num_labels_overrides_the_files_labels(plain: Any, folder: Callable[..., Path]) -> None:
    path = folder(REAL)
    assert plain.from_pretrained(path).num_labels == 3
    assert plain.from_pretrained(path, num_labels=3).id2label[10] == "c"
    assert plain.from_pretrained(path, num_labels=5).id2label == {i: f"LABEL_{i}" for i in range(5)}


def test_a_json_file_and_a_dictionary(plain: Any, folder: Callable[..., Path]) -> None:
    path = folder(REAL, "other.json") / "other.json"
    assert plain.from_json_file(path).hidden_size == 12
    assert plain.from_pretrained(path).hidden_size == 12
    assert plain.from_pretrained(str(path)).name_or_path == str(path)
    values, left = plain.get_config_dict(path, local_files_only=True, foo=1)
    assert (values["hidden_size"], left) == (12, {"foo": 1})


FORBIDDEN = {
    "trust_remote_code": True,
    "code_revision": "main",
    "sandbox": False,
    "attn_implementation": "org/kernel",
    "_attn_implementation": "org/kernel",
    "_attn_implementation_internal": "org/kernel",
    "_experts_implementation": "org/kernel",
    "_name_or_path": "/etc/passwd",
    "name_or_path": "/etc/passwd",
    "_commit_hash": "0" * 40,
    "_auto_class": "AutoModel",
    "_unreachable": {"hidden_size": 3},
    "__class__": "x",
    "_default_num_labels": 10**9,
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_file_has_no_authority(pair: Any, folder: Callable[..., Path], name: str) -> None:
    clean = pair.from_pretrained(folder({"model_type": "pair", "text_config": {"model_type": "plain"}}))
    values = {name: FORBIDDEN[name]}
    path = folder({"model_type": "pair", **values, "text_config": {"model_type": "plain", **values}})
    config = pair.from_pretrained(path)
    for part, like in ((config, clean), (config.text_config, clean.text_config)):
        assert type(part) is type(like)
        assert {key: value for key, value in vars(part).items() if key != "_unreachable"} == vars(like)
        assert (part._attn_implementation, part._commit_hash, part.num_labels) == (None, None, 2)
    assert not [key for key in json.loads(config.to_json_string()) if key.startswith("_")]


def test_the_callers_keyword_is_no_files_key(plain: Any) -> None:
    assert (
        plain.from_dict({"attn_implementation": "x"}, attn_implementation="eager")._attn_implementation
        == "eager"
    )


def test_a_private_name_that_the_class_declares_is_data(vision: Any) -> None:
    config = vision.from_dict({"_rate": 8, "_other": 1})
    assert config._rate == 8
    assert not hasattr(config, "_other")
    assert config.to_diff_dict()["_rate"] == 8
    with pytest.raises(ConfigError, match="_rate = 'x': must be an integer"):
        vision.from_dict({"_rate": "x"})


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("[1]", MalformedFile, "holds a JSON array, where an object"),
        ("{", MalformedFile, "is not JSON"),
        ('"text"', MalformedFile, "holds a JSON string"),
        ("[" * 100_000, MalformedFile, "nested too deeply"),
        ('{"hidden_size": ' + "9" * 5000 + "}", MalformedFile, "is not usable JSON"),
        ('{"hidden_size": 1e400}', ConfigError, "hidden_size = inf: must be an integer"),
        ('{"text_config": {"hidden_size": []}}', ConfigError, ""),
    ],
)
def test_files_that_are_no_config(
    plain: Any, folder: Callable[..., Path], content: str, error: type[Exception], message: str
) -> None:
    path = folder(content)
    if not message:
        assert plain.from_pretrained(path).text_config == {"hidden_size": []}
        return
    with pytest.raises(error, match=message) as caught:
        plain.from_pretrained(path)
    assert "config.json" in str(caught.value)


def test_parts_within_parts_without_end(pair: Any, folder: Callable[..., Path]) -> None:
    nested: dict[str, Any] = {}
    for _ in range(400):
        nested = {"model_type": "pair", "extra_config": nested}
    with pytest.raises(ConfigError, match="nested too deeply"):
        pair.from_pretrained(folder(nested))
    assert pair.from_dict({"unknown": nested}).unknown == nested


def test_a_folder_without_a_config(plain: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotInRepository, match=r"no 'config\.json' in the folder"):
        plain.from_pretrained(tmp_path)
    with pytest.raises(NotADirectoryError, match="is a file; give a folder"):
        (tmp_path / "file").touch()
        plain().save_pretrained(tmp_path / "file")


# Composites


def test_parts_by_default_by_dictionary_and_as_they_are(pair: Any, plain: Any, vision: Any) -> None:
    config = pair()
    assert (type(config.text_config), type(config.vision_config)) == (plain, vision)
    assert (config.vision_config.hidden_size, config.extra_config) == (24, None)
    text = plain(hidden_size=4)
    assert pair(text_config=text).text_config is text
    assert pair(vision_config={}).vision_config.hidden_size == 12
    assert list(config.sub_configs) == ["text_config", "vision_config"]
    assert pair(text_config=None).text_config == plain()


def test_a_part_may_be_of_any_registered_type(pair: Any, vision: Any) -> None:
    config = pair(text_config={"model_type": "plain_vision"}, extra_config={"model_type": "plain"})
    assert isinstance(config.text_config, vision)
    assert config.extra_config.model_type == "plain"
    again = pair.from_dict(json.loads(config.to_json_string()))
    assert again == config
    with pytest.raises(UnknownArchitecture, match="does not recognize the model type 'nowhere'"):
        pair(text_config={"model_type": "nowhere"})
    with pytest.raises(
        ConfigError, match=r'extra_config = .*: must say which model it configures: add "model_type"'
    ):
        pair(extra_config={})
    with pytest.raises(ConfigError, match="text_config = 3: must be a config or an object"):
        pair(text_config=3)


def test_an_override_of_a_part_keeps_the_files_type(pair: Any, vision: Any) -> None:
    config = pair.from_dict({"text_config": {"model_type": "plain_vision"}}, text_config={"hidden_size": 6})
    assert isinstance(config.text_config, vision)
    assert config.text_config.hidden_size == 6


def test_a_part_is_picked_out_of_a_composites_file(
    pair: Any, plain: Any, vision: Any, folder: Callable[..., Path]
) -> None:
    path = folder(pair(text_config={"hidden_size": 4}, vision_config={"hidden_size": 6}).to_json_string())
    assert plain.from_pretrained(path).hidden_size == 4
    old = folder({"model_type": "pair", "vision_config": {"hidden_size": 9}})
    assert vision.from_pretrained(old).hidden_size == 9


def test_a_file_of_another_type_is_read_with_a_warning(
    vision: Any, folder: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert vision.from_pretrained(folder({"model_type": "plain", "hidden_size": 3})).hidden_size == 3
    assert "configures a model of type 'plain'; PlainVisionConfig configures 'plain_vision'" in caplog.text


def test_the_text_part(pair: Any, plain: Any) -> None:
    config = pair()
    assert config.get_text_config() is config.get_text_config(decoder=True) is config.text_config
    assert plain().get_text_config(decoder=True).hidden_size == 8
    both = PretrainedConfig(decoder=plain(hidden_size=2), text_encoder=plain(hidden_size=4))
    assert both.get_text_config(decoder=True).hidden_size == 2
    assert both.get_text_config(encoder=True).hidden_size == 4
    with pytest.raises(ValueError, match=r"several text parts: decoder, text_encoder\. Say which is meant"):
        both.get_text_config()
