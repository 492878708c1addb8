from __future__ import annotations

import pytest

from zoo_core.errors import ConfigError
from zoo_core.remote.automap import CodeReference, parse_auto_map, parse_reference, reference_for


@pytest.mark.parametrize(
    ("text", "repo", "filename", "name"),
    [
        ("modeling_x.XModel", None, "modeling_x.py", "XModel"),
        ("sub/modeling_x.XModel", None, "sub/modeling_x.py", "XModel"),
        ("sub.deep.modeling_x.XModel", None, "sub/deep/modeling_x.py", "XModel"),
        ("org/na-me.v1--modeling_x.XModel", "org/na-me.v1", "modeling_x.py", "XModel"),
    ],
)
def test_references(text: str, repo: str | None, filename: str, name: str) -> None:
    reference = parse_reference(text)
    assert (reference.repo, reference.filename, reference.class_name) == (repo, filename, name)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    "text",
    [
        "/etc/mod.Class",
        "/some/dir--mod.Class",
        "../up/mod.Class",
        "sub/../mod.Class",
        "sub\\mod.Class",
        "C:\\x\\mod.Class",
        "./mod.Class",
        "~/mod.Class",
        "dir--mod.Class",
        "a/b/c--mod.Class",
        "org/..--mod.Class",
        ".org/name--mod.Class",
        "org/na--me--mod.Class",
        "mod",
        "mod.",
        ".Class",
        "mod.Class()",
        "mod.Class\n",
        "mod.Class\0",
        "mod .Class",
        "mód.Class",
        "1mod.Class",
        "mod..Class",
        "a." * 300 + "Class",
        "",
        None,
        7,
        ["mod.Class"],
    ],
)
def test_everything_else_is_refused(text: object) -> None:
    with pytest.raises(ConfigError, match="auto_map"):
        parse_reference(text)


def test_tokenizer_pairs() -> None:
    config = {"auto_map": {"AutoTokenizer": ["tok.Slow", None]}}
    assert reference_for("AutoTokenizer", config, source="x") == CodeReference(None, ("tok",), "Slow")
    pair = {"auto_map": {"AutoTokenizer": ["tok.Slow", "tok.Fast"]}}
    assert str(reference_for("AutoTokenizer", pair, source="x")) == "tok.Fast"
    assert str(reference_for("AutoTokenizer", pair, source="x", use_fast=False)) == "tok.Slow"
    assert reference_for("AutoModel", pair, source="x") is None
    assert reference_for("AutoModel", {}, source="x") is None


@pytest.mark.parametrize(
    "value",
    [
        3,
        "m.C",
        {"AutoModel": ["a.B", "a.C"]},
        {"AutoTokenizer": []},
        {"AutoTokenizer": [None, None]},
        {"Auto Model": "a.B"},
        {f"A{i}": "a.B" for i in range(200)},
    ],
)
def test_malformed_maps(value: object) -> None:
    with pytest.raises(ConfigError):
        parse_auto_map(value)
