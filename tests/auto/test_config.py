"""AutoConfig: selection, overrides, errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from zoo_core import AutoConfig
from zoo_core.errors import ConfigError, FileNotInRepository, UnknownArchitecture

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

Folder = Callable[..., Path]


def test_the_class_is_that_of_the_model_type(bert: Path) -> None:
    config = AutoConfig.from_pretrained(bert)
    assert (type(config).__name__, config.num_labels, config.name_or_path) == ("BertConfig", 3, str(bert))
    assert type(AutoConfig.from_pretrained(bert / "config.json")).__name__ == "BertConfig"


def test_overrides_and_unused_keywords(bert: Path) -> None:
    config, unused = AutoConfig.from_pretrained(
        bert, output_attentions=True, foo=False, return_unused_kwargs=True
    )
    assert config.output_attentions is True
    assert unused == {"foo": False}
    assert not hasattr(AutoConfig.from_pretrained(bert, foo=False), "foo")


def test_trust_and_hub_keywords_are_not_unused(bert: Path) -> None:
    _, unused = AutoConfig.from_pretrained(
        bert,
        return_unused_kwargs=True,
        trust_remote_code=False,
        code_revision="main",
        revision="main",
        token=False,
        local_files_only=True,
        proxies={},
    )
    assert unused == {}


def test_for_model(clean: ModuleType) -> None:
    config = AutoConfig.for_model("bert", hidden_size=24)
    assert (config.model_type, config.hidden_size) == ("bert", 24)
    with pytest.raises(UnknownArchitecture, match="does not recognize the model type 'nope'"):
        AutoConfig.for_model("nope")


def test_an_unknown_type_names_what_is_close(folder: Folder) -> None:
    with pytest.raises(UnknownArchitecture, match="does not recognize the model type 'bertt'") as caught:
        AutoConfig.from_pretrained(folder(config={"model_type": "bertt"}))
    assert "Closest known: 'bert'" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_missing_type_is_read_from_the_path(tmp_path: Path) -> None:
    path = tmp_path / "my-bert-base"
    path.mkdir()
    (path / "config.json").write_text('{"hidden_size": 24}')
    with pytest.warns(UserWarning, match="'bert' is assumed because the path contains it"):
        config = AutoConfig.from_pretrained(path)
    assert (type(config).__name__, config.hidden_size) == ("BertConfig", 24)


def test_no_type_and_no_match(own: SimpleNamespace, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder(config={"width": 3})
    monkeypatch.chdir(path.parent)
    (path.parent / "zzz").symlink_to(path)
    with pytest.raises(
        UnknownArchitecture, match=r"Unrecognized model in zzz: .*config\.json has no model_type"
    ):
        AutoConfig.from_pretrained("zzz")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("[]", ConfigError, "holds a JSON array"),
        ("{", ConfigError, "is not JSON"),
        ('{"model_type": 3}', ConfigError, "model_type = 3: must be a string"),
        ('{"model_type": ["bert"]}', ConfigError, "must be a string"),
        ('{"model_type": "bert", "hidden_size": "x"}', ConfigError, "hidden_size = 'x': must be an integer"),
    ],
)
def test_bad_files(folder: Folder, content: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        AutoConfig.from_pretrained(folder(config=content))


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotInRepository, match=r"no 'config\.json'"):
        AutoConfig.from_pretrained(tmp_path)


def test_an_architecture_may_mean_a_newer_one(
    clean: ModuleType, folder: Folder, own: SimpleNamespace
) -> None:
    mistral = type("MistralLikeConfig", (own.Config,), {"model_type": "mistral"})
    ministral = type("MinistralLikeConfig", (own.Config,), {"model_type": "ministral"})
    clean.register_config("mistral", mistral, exist_ok=True)
    clean.register_config("ministral", ministral, exist_ok=True)
    assert type(AutoConfig.from_pretrained(folder(config={"model_type": "mistral"}))) is mistral
    newer = folder(config={"model_type": "mistral", "layer_types": ["full_attention"]})
    assert type(AutoConfig.from_pretrained(newer)) is ministral


def test_from_the_hub_by_id_revision_and_subfolder(hub: LoopbackHub) -> None:
    first = {"config.json": {"model_type": "bert", "hidden_size": 24}}
    repository = hub.repository(
        "org/model", {**first, "sub/config.json": {"model_type": "bert", "hidden_size": 36}}
    )
    head = repository.head
    repository.commit({"config.json": {"model_type": "bert", "hidden_size": 48}})

    def width(**kwargs: Any) -> int:
        return int(AutoConfig.from_pretrained("org/model", **kwargs).hidden_size)

    assert (width(), width(revision=head), width(revision=head, subfolder="sub")) == (48, 24, 36)
    assert AutoConfig.from_pretrained("org/model")._commit_hash == repository.head
    hub.stop()
    assert width(revision=head, local_files_only=True) == 24
    with pytest.warns(FutureWarning, match="use_auth_token is deprecated"):
        assert width(revision=head, use_auth_token=False) == 24
    with pytest.warns(FutureWarning, match="resume_download has no effect"):
        assert width(revision=head, resume_download=True) == 24


def test_no_warning_on_the_ordinary_way(bert: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoConfig.from_pretrained(bert)
