"""Registration at run time: checks, identity instead of names, threads, taking back."""

from __future__ import annotations

import threading

import pytest

from zoo_core.architecture import Architecture
from zoo_core.errors import ArchitectureConflict, PluginLoadError, UnknownArchitecture

SOURCE = """
from zoo_core.architecture import Architecture
R = Architecture(model_type="a", config="plug_a:Config", models={"AutoModel": "plug_a:Model"},
                 tokenizer="plug_a:Tokenizer")
class Config: model_type = "a"
class Model: config_class = Config
class Tokenizer: pass
"""


def config(model_type: str, name: str = "Config") -> type:
    return type(name, (), {"model_type": model_type})


def model(config_class: type, name: str = "Model") -> type:
    return type(name, (), {"config_class": config_class})


@pytest.fixture
def advertised(registry, distribution):
    """The config class of 'a', which an installed distribution provides."""
    distribution("plug-a", "1.5", architectures={"a": "plug_a:R"}, modules={"plug_a": SOURCE})
    return registry.get("a").candidates("AutoConfig")[0].load()


def test_a_new_type(registry):
    mine = config("new-model")
    registry.register_config("new-model", mine)
    registry.register_class("AutoModel", mine, (built := model(mine)))
    assert "new-model" in registry.names()
    assert registry.registered_config("new-model") is mine
    assert registry.registered_class("AutoModel", mine) is built
    assert registry.registered_class("AutoModelForCausalLM", mine) is None
    with pytest.raises(UnknownArchitecture, match=r"AutoConfig\.register added its config class"):
        registry.get("new-model")


def test_config_checks(registry, advertised):
    with pytest.raises(ValueError, match="model_type='cc', which is not consistent"):
        registry.register_config("dd", config("cc"))
    with pytest.raises(ArchitectureConflict, match=r"'a' is already used by plug-a 1\.5.*exist_ok=True"):
        registry.register_config("a", config("a"))
    with pytest.raises(TypeError, match="takes the config itself"):
        registry.register_config("a", "Config")
    registry.register_config("a", (mine := config("a")), exist_ok=True)
    assert registry.registered_config("a") is mine


def test_what_register_added_is_replaced_silently(registry):
    for _ in range(2):
        registry.register_config("new", (mine := config("new")))
        for _ in range(2):
            registry.register_class("AutoModel", mine, (built := model(mine)))
            registry.register_class("AutoTokenizer", mine, (tokenizer := type("T", (), {})), slot="fast")
    assert registry.registered_config("new") is mine
    assert registry.registered_class("AutoModel", mine) is built
    assert registry.registered_class("AutoTokenizer", mine, slot="fast") is tokenizer
    assert registry.registered_class("AutoTokenizer", mine, slot="slow") is None


@pytest.mark.parametrize("auto_class", ["AutoModel", "AutoTokenizer"])
def test_what_a_distribution_provides_needs_exist_ok(registry, advertised, auto_class):
    added = model(advertised)
    with pytest.raises(ValueError, match=rf"{auto_class} already serves plug_a\.Config, from plug-a 1\.5"):
        registry.register_class(auto_class, advertised, added)
    registry.register_class(auto_class, advertised, added, exist_ok=True)
    assert registry.registered_class(auto_class, advertised) is added


def test_a_pair_that_the_distribution_does_not_provide_is_free(registry, advertised):
    registry.register_class("AutoModelForCausalLM", advertised, (head := model(advertised)))
    assert registry.registered_class("AutoModelForCausalLM", advertised) is head


def test_identity_counts_not_the_name(registry, advertised):
    namesake = config("a")
    assert namesake.__name__ == advertised.__name__
    with pytest.raises(ValueError, match="must be the same class, not only of the same name"):
        registry.register_class("AutoModel", namesake, model(advertised))
    registry.register_class("AutoModel", namesake, (built := model(namesake)))  # not the provided one: free
    assert registry.registered_class("AutoModel", namesake) is built
    assert registry.registered_class("AutoModel", advertised) is None


def test_names_in_files_find_registered_classes(registry):
    first, second = config("x"), config("y")
    mine = type("MyOwnTokenizerFast", (), {"__module__": "mine"})
    registry.register_class("AutoTokenizer", first, mine, slot="fast")
    assert registry.component("MyOwnTokenizer") is mine
    again = type("MyOwnTokenizerFast", (), {"__module__": "mine"})  # the cell was run again
    registry.register_class("AutoTokenizer", second, again, slot="fast")
    assert registry.component("MyOwnTokenizerFast") is again
    registry.register_class("AutoTokenizer", first, type("MyOwnTokenizerFast", (), {"__module__": "other"}))
    with pytest.raises(ArchitectureConflict, match=r"names 2 classes registered in this process: .*mine\."):
        registry.component("MyOwnTokenizerFast")


def test_a_whole_record(registry, advertised):
    record = Architecture(model_type="a", config="plug_a:Config")
    with pytest.raises(ArchitectureConflict, match="exist_ok=True"):
        registry.register(record)
    registry.register(record, exist_ok=True)
    found = registry.get("a")
    assert found.architecture is record and found.distribution == "run-time registration"
    assert found.candidates("AutoModel") == () and found.candidates("AutoConfig")[0].load() is advertised
    with pytest.raises(PluginLoadError, match="'nowhere' is not a reference"):
        registry.register(Architecture(model_type="b", config="nowhere"))
    with pytest.raises(PluginLoadError, match=r"expected a zoo_core\.architecture\.Architecture, found dict"):
        registry.register({"model_type": "b"})


def test_isolated_takes_everything_back(registry, advertised):
    with registry.isolated():
        registry.register_config("new", (mine := config("new")))
        registry.register_class("AutoModel", mine, model(mine))
        registry.prefer("a", "plug-a")
    assert "new" not in registry.names()
    assert registry.registered_class("AutoModel", mine) is None


def test_threads(registry):
    configs = [config(f"plug_{number}") for number in range(200)]
    faults = []

    def work(mine):
        try:
            for item in mine:
                registry.register_config(item.model_type, item)
                registry.register_class("AutoModel", item, model(item))
                registry.names(), registry.table("AutoModel"), registry.auto_classes()
        except Exception as error:
            faults.append(error)

    workers = [threading.Thread(target=work, args=(configs[start::8],)) for start in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not faults
    assert all(registry.registered_class("AutoModel", item).config_class is item for item in configs)
