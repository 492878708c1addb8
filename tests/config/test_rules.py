"""What a config refuses, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError

ACCEPTED = [
    ("hidden_size", 8.0, 8),
    ("drop_rate", 0, 0),
    ("use_cache", 1, True),
    ("image_size", [4, 6], (4, 6)),
    ("image_size", 4, 4),
    ("depths", (3, 4), [3, 4]),
    ("num_key_value_heads", None, None),
    ("rope_scaling", {"factor": 2.0}, {"factor": 2.0}),
    ("position", "rotary", "rotary"),
    ("max_window", -1, -1),
    ("eos_token_id", [1, 2], [1, 2]),
    ("pruned_heads", {"1": [0]}, {1: [0]}),
    ("drop_rate", float("inf"), float("inf")),
]


@pytest.mark.parametrize(("name", "given", "kept"), ACCEPTED)
def test_values_that_fit(plain: Any, name: str, given: Any, kept: Any) -> None:
    found = getattr(plain(**{name: given}), name)
    assert found == kept
    assert type(found) is type(kept)


REFUSED = [
    ("hidden_size", "768", "must be an integer"),
    ("hidden_size", 8.5, "must be an integer"),
    ("hidden_size", True, "must be an integer"),
    ("hidden_size", None, "must be an integer"),
    ("hidden_size", -8, "must not be negative"),
    ("hidden_size", 2**63, "must be an integer"),
    ("hidden_size", 10**13, "must be at most 1099511627776"),
    ("num_hidden_layers", 10**6, "must be at most 10000"),
    ("num_attention_heads", 10**7, "must be at most 1000000"),
    ("num_attention_heads", 0, "must be at least 1"),
    ("num_attention_heads", 3, "must divide hidden_size, which is 8"),
    ("num_key_value_heads", 3, "must divide num_attention_heads, which is 2"),
    ("vocab_size", 2**40, "with hidden_size = 8 makes a weight of more than 4398046511104 elements"),
    ("drop_rate", "0.1", "must be a number"),
    ("drop_rate", float("nan"), "must be a number"),
    ("drop_rate", False, "must be a number"),
    ("use_cache", 2, "must be true or false"),
    ("use_cache", "yes", "must be true or false"),
    ("hidden_act", 1, "must be a string"),
    ("depths", 3, "must be a list of integers"),
    ("depths", [1, "2"], "must be a list of integers; item 1 must be an integer"),
    ("depths", [1, -2], "must not be negative"),
    ("image_size", [1, 2, 3], "must be an integer or a list of 2 items"),
    ("position", "relative", "must be one of 'absolute', 'rotary'"),
    ("rope_scaling", "linear", "must be an object whose values are each Any or null"),
    ("layer_types", ["full"], "must name every layer"),
    ("layer_types", ["full"], "must have an entry for each layer; num_hidden_layers is 2"),
    ("problem_type", "ranking", "must be one of 'regression', 'single_label_classification'"),
    ("num_labels", 10**9, "must be from 0 to 1048576"),
    ("num_labels", "3", "must be an integer"),
    ("id2label", ["a"], "must be an object"),
    ("id2label", {"x": "a"}, "must have an integer key"),
    ("architectures", "BertModel", "must be a list of strings or null"),
    ("eos_token_id", "</s>", "must be an integer or a list of integers or null"),
]


@pytest.mark.parametrize(("name", "value", "rule"), REFUSED)
def test_values_that_do_not(plain: Any, name: str, value: Any, rule: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(rule)) as caught:
        plain(**{name: value})
    assert caught.value.problems[0].field == name
    assert f"\n  {name} = " in str(caught.value)


def test_one_error_lists_file_fields_values_and_rules(plain: Any, folder: Callable[..., Path]) -> None:
    path = folder({"hidden_size": "big", "drop_rate": [], "vocab_size": -1, "hidden_act": "relu"})
    with pytest.raises(ConfigError) as caught:
        plain.from_pretrained(path)
    assert str(caught.value) == (
        f"PlainConfig from {path}/config.json has 3 problems:\n"
        "  vocab_size = -1: must not be negative\n"
        "  hidden_size = 'big': must be an integer\n"
        "  drop_rate = []: must be a number"
    )
    assert [problem.field for problem in caught.value.problems] == ["vocab_size", "hidden_size", "drop_rate"]


def test_long_values_are_shortened(plain: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        plain(hidden_size="x" * 10**6, depths=["y" * 10**6] * 100)
    assert len(str(caught.value)) < 600


def test_a_part_is_named_by_its_path(pair: Any) -> None:
    with pytest.raises(ConfigError, match=r"text_config\.hidden_size = 'x': must be an integer"):
        pair(text_config={"hidden_size": "x"})


def test_a_head_width_of_its_own_frees_the_number_of_heads(plain: Any) -> None:
    assert plain(num_attention_heads=3, head_dim=4).num_attention_heads == 3
    free = type("Free", (plain,), {"heads_divide_width": False})
    assert free(num_attention_heads=3).num_attention_heads == 3


def test_validate_sees_later_assignments(plain: Any, tmp_path: Path) -> None:
    config = plain()
    config.hidden_size = "wide"
    with pytest.raises(ConfigError, match="hidden_size = 'wide': must be an integer"):
        config.save_pretrained(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_field_without_default_must_be_given() -> None:
    class Needs(PretrainedConfig):
        backbone: str

    with pytest.raises(ConfigError, match="backbone = None: must be given: it has no default"):
        Needs()
    assert Needs(backbone="x").backbone == "x"


def test_derived_values_are_not_made_from_impossible_ones(plain: Any) -> None:
    with pytest.raises(ConfigError, match="num_hidden_layers = 1000000000: must be at most 10000"):
        plain(num_hidden_layers=10**9)
