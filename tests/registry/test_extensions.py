"""One more head for a model type that another distribution provides."""

from __future__ import annotations

import sys
from dataclasses import astuple

import pytest

from zoo_core.errors import ArchitectureConflict, PluginLoadError

BASE = """
from zoo_core.architecture import Architecture
R = Architecture(model_type="a", config="plug_a:Config", models={"AutoModel": "plug_a:Model"})
class Config: model_type = "a"
class Model: config_class = Config
"""
HEAD = "from plug_a import Config\nclass Head: config_class = Config"


@pytest.fixture
def base(distribution):
    """A distribution that provides 'a'."""
    distribution("plug-a", architectures={"a": "plug_a:R"}, modules={"plug_a": BASE})


def test_a_head_for_the_real_bert(registry, use):
    use("head")
    found = registry.get("bert")
    assert found.distribution == "zoo-text"
    (candidate,) = found.candidates("AutoModelForSentenceEmbedding")
    assert astuple(candidate) == ("zoo_test_head.model:BertForSentenceEmbedding", "zoo-test-head", "1.0.0")
    assert "AutoModelForSentenceEmbedding" in registry.auto_classes()
    assert registry.table("AutoModelForSentenceEmbedding")["bert"].distribution == "zoo-test-head"
    assert not any(name.startswith("zoo_test_head") for name in sys.modules)
    assert found.candidates("AutoModel")[0].distribution == "zoo-text"


def test_an_added_pair(registry, base, distribution):
    extension = {"a.AutoModelForX": "plug_x:Head"}
    distribution("plug-x", "3.0", extensions=extension, modules={"plug_x": HEAD})
    found = registry.get("a")
    (candidate,) = found.candidates("AutoModelForX")
    assert candidate.load().config_class is found.candidates("AutoConfig")[0].load()
    assert found.auto_classes() == ("AutoConfig", "AutoModel", "AutoModelForX")
    assert registry.providers("extensions") == {"a.AutoModelForX": [("plug-x", "3.0", "plug_x:Head")]}


def test_two_extensions_of_one_pair(registry, base, distribution):
    for name in ("plug-x", "plug-y"):
        distribution(name, extensions={"a.AutoModelForX": f"{name.replace('-', '_')}:Head"})
    with pytest.raises(ArchitectureConflict, match=r"'a\.AutoModelForX' is provided by 2"):
        registry.get("a").candidates("AutoModelForX")
    assert registry.get("a").candidates("AutoModel")
    registry.prefer("a.AutoModelForX", "plug-x")
    assert registry.get("a").candidates("AutoModelForX")[0].distribution == "plug-x"


@pytest.mark.parametrize("chosen", ["plug-a", "plug-x"])
def test_what_the_base_has_is_not_replaced_silently(registry, base, distribution, monkeypatch, chosen):
    distribution("plug-x", extensions={"a.AutoModel": "plug_x:Head"}, modules={"plug_x": HEAD})
    with pytest.raises(ArchitectureConflict, match=r'prefer\("a\.AutoModel", "plug-x"\)'):
        registry.get("a").candidates("AutoModel")
    assert [problem.kind for problem in registry.problems() if problem.name == "a.AutoModel"] == ["conflict"]
    registry.prefer("a.AutoModel", chosen)
    assert registry.get("a").candidates("AutoModel")[0].distribution == chosen
    registry.prefer("a.AutoModel", None)
    monkeypatch.setenv("ZOO_PREFER", f"a.AutoModel={chosen}")
    assert registry.get("a").candidates("AutoModel")[0].distribution == chosen


def test_a_broken_extension_harms_nothing_else(registry, base, distribution):
    distribution("plug-x", extensions={"a.AutoModelForX": "plug_nowhere:Head"})
    found = registry.get("a")
    assert found.candidates("AutoModel")[0].load()
    with pytest.raises(PluginLoadError, match=r"plug-x 1\.0 advertises 'plug_nowhere:Head'"):
        found.candidates("AutoModelForX")[0].load()


def test_configs_and_tokenizers_cannot_be_extended(registry, base, distribution):
    distribution("plug-x", extensions={"a.AutoTokenizer": "plug_x:Head", "AutoModel": "plug_x:Head"})
    assert registry.get("a").candidates("AutoTokenizer") == ()
    found = {
        problem.name: problem.message for problem in registry.problems() if problem.distribution == "plug-x"
    }
    assert set(found) == {"a.AutoTokenizer", "AutoModel"}
    assert all("must be 'model_type.AutoClass'" in message for message in found.values())
