"""What is found, when it is read, and what is imported for it."""

from __future__ import annotations

import json
import multiprocessing
import sys
import threading
from importlib import metadata

import pytest

from zoo_core.errors import ArchitectureConflict
from zoo_core.registry import scan

RECORD = """
from zoo_core.architecture import Architecture
ARCHITECTURE = Architecture(model_type={name!r}, config="{module}:Config",
                            models={{"AutoModel": "{module}:Model"}})
class Config: model_type = {name!r}
class Model: config_class = Config
"""


def record(name: str, module: str) -> dict[str, str]:
    return {module: RECORD.format(name=name, module=module)}


def test_names_and_provenance_of_a_really_installed_plugin(registry, use):
    use("good")
    assert {"bag_of_words", "silent"} <= set(registry.names())
    found = registry.get("bag_of_words")
    assert (found.distribution, found.version) == ("zoo-test-good", "1.2.0")
    assert found.architecture.models["AutoModelForRanking"].endswith(":BagOfWordsForRanking")
    assert registry.distributions()["zoo-test-good"] == "1.2.0"
    assert registry.providers()["bag_of_words"] == [
        ("zoo-test-good", "1.2.0", "zoo_test_good.bag_of_words:ARCHITECTURE")
    ]


def test_nothing_is_imported_until_asked_for(use, python):
    source = """
import sys, json
import zoo_core.registry as registry
seen = {}
ours = ("zoo_test", "zoo_text", "torch")
def snap(label): seen[label] = sorted(name for name in sys.modules if name.startswith(ours))
registry.names(); registry.providers(); registry.component_names(); snap("listed")
registry.get("bag_of_words").candidates("AutoModel"); snap("resolved")
registry.get("bag_of_words").candidates("AutoConfig")[0].load(); snap("config")
print(json.dumps(seen))
"""
    seen = json.loads(python(source, *use("good", "broken", "future", "conflicting", "head")))
    assert seen["listed"] == []
    assert seen["resolved"] == ["zoo_test_good", "zoo_test_good.bag_of_words"]
    assert seen["config"] == [*seen["resolved"], "zoo_test_good.bag_of_words.config"]


def test_one_of_fifty_plugins_is_imported(registry, distribution):
    for number in range(50):
        distribution(
            f"plug-{number}",
            architectures={f"arch{number}": f"plug_{number}:ARCHITECTURE"},
            modules=record(f"arch{number}", f"plug_{number}"),
        )
    assert registry.get("arch31").distribution == "plug-31"
    assert [name for name in sys.modules if name.startswith("plug_")] == ["plug_31"]


def test_entry_points_are_read_once(registry, distribution, monkeypatch):
    distribution("plug-a", architectures={"a": "plug_a:ARCHITECTURE"}, modules=record("a", "plug_a"))
    calls = []
    monkeypatch.setattr(scan, "distributions", lambda: calls.append(1) or metadata.distributions())
    workers = [threading.Thread(target=registry.get, args=("a",)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    registry.names(), registry.providers(), registry.get("a")
    assert calls == [1]
    registry.clear_cache()
    registry.names()
    assert calls == [1, 1]


def test_a_plugin_installed_later_is_seen_after_clear_cache(registry, distribution):
    assert "a" not in registry.names()
    distribution("plug-a", architectures={"a": "plug_a:ARCHITECTURE"}, modules=record("a", "plug_a"))
    assert "a" in registry.names()


def test_spawned_workers_see_the_same(registry, use):
    use("good")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        names = pool.apply(registry.names)
        found = pool.apply(registry.get, ("bag_of_words",))
    assert names == registry.names()
    assert found == registry.get("bag_of_words")


def test_errors_cross_process_boundaries_whole(registry, use):
    use("future")
    with multiprocessing.get_context("spawn").Pool(1) as pool, pytest.raises(ImportError) as raised:
        pool.apply(registry.get, ("foo",))
    assert (raised.value.distribution, raised.value.version) == ("zoo-test-future", "3.0")


def test_the_first_of_one_distribution_on_the_path_shadows_the_rest(registry, distribution):
    distribution("plug-a", "1.0", architectures={"a": "plug_old:ARCHITECTURE"}, folder="old")
    distribution(
        "plug-a",
        "2.0",
        architectures={"a": "plug_a:ARCHITECTURE"},
        modules=record("a", "plug_a"),
        folder="new",
    )
    assert registry.get("a").version == "2.0"
    distribution("Plug_A", "3.0", folder="newest")  # another spelling, and no longer any architecture
    assert "a" not in registry.names()


def test_a_damaged_distribution_hides_nothing(registry, distribution):
    distribution("plug-bad", entry_points=b"[zoo_core.architectures.v1]\n\xff\xfe = \x00")
    distribution("plug-a", architectures={"a": "plug_a:ARCHITECTURE"}, modules=record("a", "plug_a"))
    assert registry.get("a").distribution == "plug-a"
    assert any("plug-bad" in problem.message for problem in registry.problems())


@pytest.mark.parametrize(
    "text",
    [
        "[zoo_core.architectures.v1]\r\na = plug_a:ARCHITECTURE\r\n",
        "# comment\n[other]\nx = y:z\n[ zoo_core.architectures.v1 ]\n; note\n\n  a=plug_a:ARCHITECTURE  \n",
        "[zoo_core.architectures.v1]\na = plug_a:ARCHITECTURE\n[zoo_core.unheard_of.v7]\nb = plug_b:B\n",
    ],
)
def test_entry_points_files_as_tools_write_them(registry, distribution, text):
    distribution("plug-a", entry_points=text, modules=record("a", "plug_a"))
    assert registry.get("a").distribution == "plug-a"


def test_reading_agrees_with_importlib_metadata(registry, use):
    use("good", "conflicting", "broken", "head")
    groups = {kind: f"zoo_core.{kind}.v1" for kind in (scan.ARCHITECTURES, scan.COMPONENTS, scan.EXTENSIONS)}
    for kind, group in groups.items():
        expected = {
            (point.name, point.value, point.dist.name) for point in metadata.entry_points(group=group)
        }
        ours = {
            (entry.name, entry.value, entry.provider.name)
            for entries in scan.current().tables.get(kind, {}).values()
            for entry in entries
        }
        assert ours == expected


def test_disable_hides_a_distribution_everywhere(registry, use, monkeypatch):
    use("good", "conflicting")
    monkeypatch.setenv("ZOO_DISABLE", "Zoo_Test.Good, zoo-test-conflicting")
    assert "bag_of_words" not in registry.names()
    assert "zoo-test-good" not in registry.distributions()
    assert "BagOfWordsTokenizer" not in registry.providers("components")
    with pytest.raises(
        ValueError, match=r"zoo-test-good 1\.2\.0 provides 'bag_of_words' but is hidden by ZOO_DISABLE"
    ):
        registry.get("bag_of_words")
    with pytest.raises(ValueError, match="hidden by ZOO_DISABLE"):
        registry.component("BagOfWordsTokenizerFast")
    monkeypatch.setenv("ZOO_DISABLE", "no-such-thing")
    assert any(problem.kind == "setting" for problem in registry.problems())
    assert registry.get("bag_of_words").distribution == "zoo-test-good"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("me/my-alpha-large-finetuned", "alpha-large"),
        ("me/my-alpha-small", "alpha"),
        ("/runs/beta/alpha", "alpha"),
        ("me/nothing", None),
        ("", None),
    ],
)
def test_longest_name_in_a_path(registry, distribution, path, expected, recwarn):
    distribution(
        "plug-a", architectures=dict.fromkeys(("alpha", "alpha-large", "beta"), "plug_a:ARCHITECTURE")
    )
    assert registry.match_name(path) == expected
    assert [expected in str(warning.message) for warning in recwarn] == ([True] if expected else [])


def test_closest(registry, distribution):
    distribution("plug-a", architectures=dict.fromkeys(("gpt_neox", "GPT2x", "bark"), "plug_a:ARCHITECTURE"))
    assert registry.closest("gpt-neox")[0] == "gpt_neox"
    assert registry.closest("gpt2x")[0] == "GPT2x"
    assert registry.closest("x" * 10**6) == []


def test_a_conflict_is_raised_for_that_name_alone(registry, distribution):
    for number in (1, 2):
        distribution(
            f"plug-{number}",
            f"{number}.0",
            architectures={
                "same": f"plug_{number}:ARCHITECTURE",
                f"own{number}": f"plug_own{number}:ARCHITECTURE",
            },
            modules=record("same", f"plug_{number}") | record(f"own{number}", f"plug_own{number}"),
        )
    assert registry.get("own1").distribution == "plug-1"
    assert "same" in registry.names()
    with pytest.raises(ArchitectureConflict):
        registry.get("same")
    assert not {"plug_1", "plug_2"} & set(sys.modules)
