"""``zoo list``: what is installed, with what is broken or disputed in its place."""

from __future__ import annotations

import json

import pytest

RECORD = """
from zoo_core.architecture import Architecture
ARCHITECTURE = Architecture(
    model_type="{name}", config="plug_{name}:Config", models={{"AutoModel": "plug_{name}:{name}Model"}}
)
"""


@pytest.fixture
def plugins(distribution):
    """A plugin with two model types, one that disputes one of them, and one that cannot be imported."""
    modules = {f"plug_{name}": RECORD.format(name=name) for name in ("moss", "fern")}
    both = {name: f"plug_{name}:ARCHITECTURE" for name in ("moss", "fern")}
    distribution(
        "garden", "1.2", architectures=both, components={"MossTokenizer": "plug_moss:T"}, modules=modules
    )
    distribution("rival", "3.0", architectures={"moss": "plug_moss:ARCHITECTURE"})
    distribution(
        "ruin", "0.1", architectures={"rust": "plug_rust:ARCHITECTURE"}, modules={"plug_rust": "1/0"}
    )


def rows(zoo, *words: str) -> dict[str, dict]:
    return {row["name"]: row for row in json.loads(zoo("list", *words, "--json"))}


def test_models_with_their_distribution_and_auto_classes(plugins, zoo) -> None:
    found = rows(zoo)
    assert found["fern"] == {
        "name": "fern",
        "distribution": "garden",
        "version": "1.2",
        "classes": ["AutoConfig", "AutoModel"],
    }


def test_broken_and_disputed_types_say_why(plugins, zoo) -> None:
    found = rows(zoo)
    assert found["moss"]["distribution"] == "garden or rival"
    assert "ZOO_PREFER=moss=" in found["moss"]["error"]
    assert "ZeroDivisionError" in found["rust"]["error"]


def test_an_auto_class_lists_its_classes(plugins, zoo) -> None:
    found = rows(zoo, "--auto", "AutoModel")
    assert found["fern"]["classes"] == ["fernModel"]


@pytest.mark.parametrize("words", [["fe*"], ["models", "fe*"], ["FERN"]])
def test_a_pattern_filters_by_name(plugins, zoo, words: list[str]) -> None:
    assert set(rows(zoo, *words)) == {"fern"}


def test_from_filters_by_distribution(plugins, zoo) -> None:
    assert set(rows(zoo, "--from", "rival")) == {"moss"}
    assert set(rows(zoo, "--from", "garden")) == {"moss", "fern"}


def test_auto_counts_model_types(plugins, zoo) -> None:
    assert rows(zoo, "auto")["AutoModel"]["model_types"] >= 1


def test_distributions_and_components(plugins, zoo) -> None:
    found = rows(zoo, "distributions")
    assert found["garden"] == {
        "name": "garden",
        "distribution": "garden",
        "version": "1.2",
        "architectures": 2,
        "components": 1,
        "extensions": 0,
    }
    assert rows(zoo, "components")["MossTokenizer"]["distribution"] == "garden"


def test_the_table_for_people(plugins, zoo) -> None:
    shown = zoo("list", "--from", "garden")
    assert shown.splitlines()[0].split() == ["name", "distribution", "version", "classes"]
    assert "2 model types, 1 of them cannot be used: zoo doctor" in shown
    assert "\x1b" not in shown


def test_nothing_found_is_said(plugins, zoo) -> None:
    assert "0 model types" in zoo("list", "nothing-like-it")
