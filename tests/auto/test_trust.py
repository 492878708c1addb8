"""Code of a repository runs only when the caller says so, and never instead of a native class."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import zoo_core
from zoo_core import AutoConfig, AutoModel, AutoTokenizer
from zoo_core.errors import ConfigError, UntrustedCode
from zoo_core.remote.trust import LoadContext

Folder = Callable[..., Path]
CODE = "raise SystemExit('this must not run')"


def files_for(auto: str) -> dict[str, Any]:
    """The files of a repository whose ``auto`` class is in custom.py."""
    values = {"model_type": "custom", "auto_map": {auto: "custom.Custom"}}
    file = {"AutoTokenizer": "tokenizer_config", "AutoProcessor": "processor_config"}.get(auto)
    if auto in ("AutoImageProcessor", "AutoFeatureExtractor", "AutoVideoProcessor"):
        file = "preprocessor_config"
    return {file or "config": values}


REMOTE = (
    "AutoConfig",
    "AutoTokenizer",
    "AutoImageProcessor",
    "AutoFeatureExtractor",
    "AutoVideoProcessor",
    "AutoProcessor",
)


@pytest.mark.parametrize("name", REMOTE)
def test_untrusted_code_is_named_and_does_not_run(name: str, folder: Folder) -> None:
    path = folder(**files_for(name))
    (path / "custom.py").write_text(CODE)
    with pytest.raises(
        UntrustedCode, match=rf"needs code of its own for {name}: class Custom in custom\.py"
    ) as c:
        getattr(zoo_core, name).from_pretrained(path)
    assert "pass trust_remote_code=True, which runs it in a sandbox" in str(c.value)


def test_the_model_of_a_known_config_of_remote_code(folder: Folder, own: SimpleNamespace, clean: Any) -> None:
    unknown = own.Config(auto_map={"AutoModel": "org/code--modeling.Custom"})
    unknown.__class__ = type("Remote", (own.Config,), {"model_type": "custom"})
    path = folder(config=unknown.to_json_string())
    with pytest.raises(UntrustedCode, match=r"class Custom in modeling\.py of org/code"):
        AutoModel.from_pretrained(path, config=unknown)


def test_a_native_class_wins(bert: Path, folder: Folder) -> None:
    values = (bert / "config.json").read_text()[
        :-3
    ] + ', "auto_map": {"AutoConfig": "c.C", "AutoModel": "c.M"}}'
    path = folder(config=values, vocab_txt=(bert / "vocab.txt").read_text())
    (path / "c.py").write_text(CODE)
    for trust in (False, True):
        assert type(AutoConfig.from_pretrained(path, trust_remote_code=trust)).__name__ == "BertConfig"
        assert type(AutoTokenizer.from_pretrained(path, trust_remote_code=trust)).__name__ == "BertTokenizer"


@pytest.mark.parametrize("name", REMOTE)
def test_a_file_cannot_grant_trust(name: str, folder: Folder) -> None:
    values = files_for(name)
    for content in values.values():
        content.update(trust_remote_code=True, sandbox=False, code_revision="main", _trust_remote_code=True)
    path = folder(**values)
    (path / "custom.py").write_text(CODE)
    with pytest.raises(UntrustedCode):
        getattr(zoo_core, name).from_pretrained(path)


@pytest.mark.parametrize(
    "reference", ["/etc/passwd.Class", "../x.Class", "a.b.c/../d.E", "os", 3, "x--y.Z", ["a.B"]]
)
def test_references_outside_the_grammar(reference: Any, folder: Folder) -> None:
    path = folder(config={"model_type": "custom", "auto_map": {"AutoConfig": reference}})
    with pytest.raises(ConfigError, match="auto_map"):
        AutoConfig.from_pretrained(path, trust_remote_code=True)


def test_trust_is_passed_on_as_a_value(
    folder: Folder, own: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, LoadContext]] = []
    loading = ModuleType("zoo_core.remote.loading")

    def remote_class(auto_class: str, reference: Any, *, repository: Any, context: LoadContext) -> Any:
        asked.append((auto_class, str(reference), context))
        return {"AutoConfig": config_class, "AutoModel": model_class}[auto_class]

    config_class = type("RemoteConfig", (own.Config,), {"model_type": "custom"})
    model_class = type("RemoteModel", (own.Model,), {"config_class": config_class})
    loading.remote_class = remote_class  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "zoo_core.remote.loading", loading)
    path = folder(
        config={"model_type": "custom", "auto_map": {"AutoConfig": "c.Config", "AutoModel": "m/n.Model"}}
    )
    own.Model(own.Config()).save_pretrained(path / "w")
    (path / "w" / "model.safetensors").rename(path / "model.safetensors")
    model = AutoModel.from_pretrained(path, trust_remote_code=True, code_revision="v1")
    assert type(model) is model_class
    granted = LoadContext(trust_remote_code=True, code_revision="v1")
    assert asked == [("AutoConfig", "c.Config", granted), ("AutoModel", "m/n.Model", granted)]
    assert not {"trust_remote_code", "code_revision"} & set(vars(model.config))


def test_a_repository_that_asks_for_trust_is_logged(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "zoo_core"):
        AutoConfig.from_pretrained(folder(config={"model_type": "bert", "trust_remote_code": True}))
    assert "Ignored 'trust_remote_code' in a config file" in caplog.text
