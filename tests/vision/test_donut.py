"""What Donut's processor makes of generated text; expected values are the reference's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from zoo_core import registry


@pytest.fixture
def processor() -> Any:
    tokenizer = SimpleNamespace(get_added_vocab=lambda: {"<advert/>": 5})
    kind = registry.component("DonutProcessor")
    return kind(registry.component("DonutImageProcessor")(), tokenizer)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "<s_menu><s_nm>Tea (L)</s_nm><s_cnt>1</s_cnt></s_menu><s_total>5</s_total>",
            {"menu": {"nm": "Tea (L)", "cnt": "1"}, "total": "5"},
        ),
        ("<s_menu><s_nm>A</s_nm><sep/><s_nm>B</s_nm></s_menu>", {"menu": [{"nm": "A"}, {"nm": "B"}]}),
        ("<s_a> 1 <sep/> 2 </s_a>", {"a": ["1", "2"]}),
        ("<s_class><advert/></s_class>", {"class": "advert"}),
        ("<s_class><other/></s_class>", {"class": "<other/>"}),
        ("<s_a>1</s_a><sep/><s_b>2</s_b>", [{"a": "1"}, {"b": "2"}]),
        ("<s_task><s_text>unclosed task</s_text>", {"text": "unclosed task"}),
        ("<s_a>1</s_A>rest", {"a": "1"}),
        ("<s_a>open only", {"text_sequence": "open only"}),
        ("plain text", {"text_sequence": "plain text"}),
        ("", {"text_sequence": ""}),
    ],
)
def test_fields_of_a_text(processor: Any, text: str, fields: Any) -> None:
    assert processor.token2json(text) == fields


def test_a_single_group_as_a_list(processor: Any) -> None:
    assert processor.token2json("<s_a>1</s_a>", is_inner_value=True) == [{"a": "1"}]
    assert processor.token2json("no fields", is_inner_value=True) == []
