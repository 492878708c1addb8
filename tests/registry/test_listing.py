"""What ``zoo list``, ``zoo doctor`` and the live docs are made of."""

from __future__ import annotations

import pytest


def test_tables_hold_plugins_and_show_what_is_broken(registry, use):
    use("good", "broken")
    assert registry.table("AutoModelForRanking")["bag_of_words"] == (
        ("zoo_test_good.bag_of_words.model:BagOfWordsForRanking",),
        "zoo-test-good",
        "1.2.0",
        "",
    )
    rows = registry.table("AutoConfig")
    assert rows["silent"].references == ("zoo_test_good.silent.config:SilentConfig",)
    assert rows["broken_syntax"].references == () and "SyntaxError" in rows["broken_syntax"].error
    assert rows["broken_syntax"].distribution == "zoo-test-broken"
    assert {"AutoConfig", "AutoModel", "AutoModelForRanking", "AutoTokenizer"} <= set(registry.auto_classes())


def test_tables_hold_what_was_registered(registry):
    mine = type("NewConfig", (), {"model_type": "new", "__module__": "mine"})
    registry.register_config("new", mine)
    registry.register_class(
        "AutoModel", mine, type("NewModel", (), {"config_class": mine, "__module__": "mine"})
    )
    registry.register_class("AutoModelForMine", mine, type("Mine", (), {"config_class": mine}))
    assert registry.table("AutoConfig")["new"][:2] == (("mine:NewConfig",), "run-time registration")
    assert registry.table("AutoModel")["new"].references == ("mine:NewModel",)
    assert "AutoModelForMine" in registry.auto_classes()


def test_a_disputed_type_is_a_row(registry, use):
    use("conflicting")
    row = registry.table("AutoModel")["bert"]
    assert "zoo_core.prefer" in row.error
    assert set(row.distribution.split(" or ")) == {"zoo-text", "zoo-test-conflicting"}


@pytest.mark.parametrize(
    ("plugin", "kind", "name", "text"),
    [
        ("conflicting", "conflict", "bert", "zoo-test-conflicting 2.0.0"),
        ("broken", "broken", "broken_import", "a_package_that_nobody_has"),
        ("broken", "broken", "broken_exit", "wants to go home"),
        ("future", "version", "foo", "this zoo-core speaks 1"),
    ],
)
def test_problems(registry, use, plugin, kind, name, text):
    use(plugin)
    found = [problem for problem in registry.problems() if (problem.kind, problem.name) == (kind, name)]
    assert len(found) == 1 and text in found[0].message and f"zoo-test-{plugin}" in found[0].distribution


def test_a_healthy_plugin_is_no_problem(registry, use):
    use("good", "head")
    assert [problem for problem in registry.problems() if "zoo-test" in problem.distribution] == []


def test_incompatible_versions_are_reported_once(registry, distribution):
    distribution("plug-a", architectures={"a": "plug_a:R", "b": "plug_a:S"}, requires=("zoo-core>=9",))
    found = [problem for problem in registry.problems() if problem.distribution == "plug-a"]
    assert [(problem.kind, "requires zoo-core>=9" in problem.message) for problem in found] == [
        ("version", True)
    ]
