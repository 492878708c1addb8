"""Conflicts: two distributions for one name, and the ways out of it."""

from __future__ import annotations

import json

import pytest

from zoo_core.errors import ArchitectureConflict

RECORD = """
from zoo_core.architecture import Architecture
ARCHITECTURE = Architecture(model_type="same", config="{module}:Config", tokenizer="{module}:Tok",
                            models={{"AutoModel": "{module}:Model"}})
class Config: model_type = "same"
class Tok: pass
class Model: config_class = Config
"""


@pytest.fixture
def two(distribution):
    """Two distributions that both provide 'same' and SameTokenizer."""
    for name, version, component in (
        ("plug-a", "1.5", "SameTokenizer"),
        ("plug-b", "2.0", "SameTokenizerFast"),
    ):
        module = name.replace("-", "_")
        distribution(
            name,
            version,
            architectures={"same": f"{module}:ARCHITECTURE"},
            components={component: f"{module}:Tok"},
            modules={module: RECORD.format(module=module)},
        )


def test_the_message_names_both_and_the_way_out(registry, two):
    with pytest.raises(ArchitectureConflict) as raised:
        registry.get("same")
    message = str(raised.value)
    for part in (
        "'same'",
        "plug-a 1.5",
        "plug-b 2.0",
        'zoo_core.prefer("same", "plug-',
        "ZOO_PREFER=same=plug-",
    ):
        assert part in message


@pytest.mark.parametrize("chosen", ["plug-a", "plug-b", "Plug_B"])
def test_everything_comes_from_the_preferred_distribution(registry, two, chosen):
    registry.prefer("same", chosen)
    found = registry.get("same")
    parts = [item for name in ("AutoConfig", "AutoModel", "AutoTokenizer") for item in found.candidates(name)]
    expected = chosen.lower().replace("_", "-")
    assert {found.distribution, *(item.distribution for item in parts)} == {expected}
    assert {item.load().__module__ for item in parts} == {expected.replace("-", "_")}
    tokenizer = registry.component("SameTokenizerFast", package=found.distribution)
    assert tokenizer is parts[-1].load()


def test_environment(registry, two, monkeypatch):
    monkeypatch.setenv("ZOO_PREFER", "other=plug-x, same = PLUG_A ")
    assert registry.get("same").distribution == "plug-a"
    registry.prefer("same", "plug-b")  # said in code: outranks the environment
    assert registry.get("same").distribution == "plug-b"
    registry.prefer("same", None)
    assert registry.get("same").distribution == "plug-a"
    monkeypatch.delenv("ZOO_PREFER")
    with pytest.raises(ArchitectureConflict):
        registry.get("same")


def test_environment_reaches_a_new_process(use, python):
    source = (
        "import json; from zoo_core import registry; print(json.dumps(registry.get('bert').distribution))"
    )
    found = python(source, *use("conflicting"), ZOO_PREFER="bert=zoo-test-conflicting")
    assert json.loads(found) == "zoo-test-conflicting"


def test_disabling_one_settles_it(registry, two, monkeypatch):
    monkeypatch.setenv("ZOO_DISABLE", "plug-a")
    assert registry.get("same").distribution == "plug-b"


@pytest.mark.parametrize("value", ["same", "same=", "=plug-a", "same:plug-a"])
def test_malformed_environment(registry, two, monkeypatch, value):
    monkeypatch.setenv("ZOO_PREFER", value)
    with pytest.raises(ArchitectureConflict, match="each item is NAME=DISTRIBUTION"):
        registry.get("same")


def test_a_preference_that_cannot_be_met_is_not_ignored(registry, two, monkeypatch):
    with pytest.raises(ArchitectureConflict, match=r"plug-c does not provide 'same'. Provided by: plug-. \d"):
        registry.prefer("same", "plug-c")
    monkeypatch.setenv("ZOO_PREFER", "same=plug-c")
    with pytest.raises(
        ArchitectureConflict, match=r"ZOO_PREFER=same=plug-c is set, but plug-c does not provide"
    ):
        registry.get("same")


def test_components(registry, two):
    with pytest.raises(ArchitectureConflict, match=r'prefer\("SameTokenizer", "plug-'):
        registry.component("SameTokenizer")
    assert registry.component("SameTokenizer", package="plug-b").__module__ == "plug_b"
    for spelling in ("SameTokenizer", "SameTokenizerFast"):
        registry.prefer(spelling, "plug-a")
        assert registry.component("SameTokenizer").__module__ == "plug_a"
        assert registry.component("SameTokenizerFast").__module__ == "plug_a"
        registry.prefer(spelling, None)


def test_the_real_bert_against_a_really_installed_rival(registry, use):
    use("conflicting")
    with pytest.raises(
        ArchitectureConflict,
        match=r"zoo-text \d.*zoo-test-conflicting 2\.0\.0|conflicting 2\.0\.0.*zoo-text \d",
    ):
        registry.get("bert")
    registry.prefer("bert", "zoo-test-conflicting")
    assert registry.get("bert").distribution == "zoo-test-conflicting"
    assert (
        registry.get("bert").candidates("AutoConfig")[0].load().__module__.startswith("zoo_test_conflicting")
    )
    registry.prefer("bert", "zoo-text")
    assert registry.get("bert").architecture.config == "zoo_text.bert.config:BertConfig"
