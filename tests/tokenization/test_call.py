"""Calling a tokenizer: inputs, truncation, padding, tensors. Expected values measured on the reference."""

from __future__ import annotations

import pytest

from zoo_core.errors import TokenizerError


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        (("hello worlds",), {}, {"input_ids": [2, 15, 16, 17, 3]}),
        (("a b", "c"), {}, {"input_ids": [2, 5, 6, 3, 7, 3], "token_type_ids": [0, 0, 0, 0, 1, 1]}),
        ((["a", "b c"],), {"padding": True}, {"attention_mask": [[1, 1, 1, 0], [1, 1, 1, 1]]}),
        ((["a", "b"], ["c", "d"]), {}, {"input_ids": [[2, 5, 3, 7, 3], [2, 6, 3, 8, 3]]}),
        (([("a", "b"), ("c", "d")],), {}, {"input_ids": [[2, 5, 3, 6, 3], [2, 7, 3, 8, 3]]}),
        ((["a", "b"],), {"is_split_into_words": True}, {"input_ids": [2, 5, 6, 3]}),
        (([["a", "b"], ["c"]],), {"is_split_into_words": True}, {"input_ids": [[2, 5, 6, 3], [2, 7, 3]]}),
        (("a b c d e",), {"truncation": True, "max_length": 4}, {"input_ids": [2, 5, 6, 3]}),
        (("a b c d", "e f"), {"truncation": True, "max_length": 7}, {"input_ids": [2, 5, 6, 3, 9, 10, 3]}),
        (
            ("a b c d", "e f"),
            {"truncation": "only_first", "max_length": 6},
            {"input_ids": [2, 5, 3, 9, 10, 3]},
        ),
        (("a b c",), {"max_length": 4}, {"input_ids": [2, 5, 6, 3]}),
        (("a",), {"padding": "max_length", "max_length": 5}, {"input_ids": [2, 5, 3, 0, 0]}),
        (
            ("a",),
            {"padding": "max_length", "max_length": 5, "padding_side": "left"},
            {"input_ids": [0, 0, 2, 5, 3]},
        ),
        (("a",), {"padding": True, "pad_to_multiple_of": 4}, {"input_ids": [2, 5, 3, 0]}),
        (("a",), {"add_special_tokens": False}, {"input_ids": [5]}),
        (
            ("a b",),
            {"return_special_tokens_mask": True, "return_length": True},
            {"special_tokens_mask": [1, 0, 0, 1], "length": [4]},
        ),
        (
            ("hello fox",),
            {"return_offsets_mapping": True},
            {"offset_mapping": [(0, 0), (0, 5), (6, 9), (0, 0)]},
        ),
        (
            ("a b c d e",),
            {"truncation": True, "max_length": 4, "stride": 1, "return_overflowing_tokens": True},
            {
                "input_ids": [[2, 5, 6, 3], [2, 6, 7, 3], [2, 7, 8, 3], [2, 8, 9, 3]],
                "overflow_to_sample_mapping": [0, 0, 0, 0],
            },
        ),
        (("a",), {"text_target": "b c"}, {"input_ids": [2, 5, 3], "labels": [2, 6, 7, 3]}),
        (([],), {}, {"input_ids": []}),
        (("",), {}, {"input_ids": [2, 3]}),
    ],
)
def test_call(bert, args, kwargs, expected) -> None:
    encoded = bert(*args, **kwargs)
    assert {key: encoded[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((None,), {}, "text_target"),
        ((3,), {}, "not int"),
        (([3],), {}, "row 0 holds int"),
        (({"a": 1},), {}, "not dict"),
        (("a", ["b"]), {}, "row 0"),
        ((["a", "b"], ["c"]), {}, "2 texts and 1 second"),
        (("a",), {"padding": "widest"}, "widest"),
        (("a",), {"truncation": "some"}, "some"),
        (("a",), {"max_length": -1}, "negative"),
        (("a",), {"max_length": "8"}, "'8'"),
        (("a",), {"padding_side": "top"}, "top"),
        (("a",), {"return_tensors": "tf"}, "tf"),
        ((["a", "b c"],), {"return_tensors": "np"}, "padding=True"),
        (("a b c d",), {"truncation": True, "max_length": 4, "stride": 2}, "stride"),
        (("a b c d", "e"), {"truncation": "only_second", "max_length": 4}, "too short"),
        (
            ("a",),
            {"truncation": True, "padding": True, "max_length": 7, "pad_to_multiple_of": 4},
            "multiple",
        ),
    ],
)
def test_refusals_say_what_was_wrong(bert, args, kwargs, words) -> None:
    with pytest.raises(TokenizerError, match=words):
        bert(*args, **kwargs)


def test_padding_without_a_pad_token_names_the_way_out(byte_level) -> None:
    byte_level.pad_token = None
    with pytest.raises(TokenizerError, match=r"pad_token = tokenizer\.eos_token"):
        byte_level(["a", "b c"], padding=True)


def test_tensors(bert) -> None:
    numpy = bert(["a", "b c"], padding=True, return_tensors="np")
    assert numpy["input_ids"].tolist() == [[2, 5, 3, 0], [2, 6, 7, 3]]
    torch = bert("a", return_tensors="pt")
    assert torch.input_ids.shape == (1, 3)
    assert str(torch.input_ids.dtype) == "torch.int64"
    assert torch.to("meta")["input_ids"].device.type == "meta"


def test_pad_as_collators_call_it(bert) -> None:
    padded = bert.pad([bert("a"), bert("b c")], return_tensors="np")
    assert padded["input_ids"].tolist() == [[2, 5, 3, 0], [2, 6, 7, 3]]
    assert bert.pad({"input_ids": [1, 2]}, padding="max_length", max_length=4)["attention_mask"] == [
        1,
        1,
        0,
        0,
    ]
    with pytest.raises(TokenizerError, match="labels"):
        bert.pad([{"input_ids": [1], "labels": [1]}, {"input_ids": [1]}])
    with pytest.raises(TokenizerError, match="input_ids"):
        bert.pad({"ids": [[1]]})


def test_prepare_for_model_and_its_parts(bert) -> None:
    assert bert.num_special_tokens_to_add() == 2
    assert bert.num_special_tokens_to_add(pair=True) == 3
    assert bert.build_inputs_with_special_tokens([5], [6]) == [2, 5, 3, 6, 3]
    assert bert.create_token_type_ids_from_sequences([5], [6]) == [0, 0, 0, 1, 1]
    assert bert.get_special_tokens_mask([5], [6]) == [1, 0, 1, 0, 1]
    assert bert.get_special_tokens_mask([2, 5, 3], already_has_special_tokens=True) == [1, 0, 1]
    assert bert.truncate_sequences([5, 6, 7], [8, 9, 10, 11], 3) == ([5, 6], [8, 9], [])
    whole = bert.prepare_for_model([5, 6, 7], truncation=True, max_length=4, return_overflowing_tokens=True)
    assert (whole["input_ids"], whole["overflowing_tokens"], whole["num_truncated_tokens"]) == (
        [2, 5, 6, 3],
        [7],
        1,
    )


def test_positions(bert) -> None:
    encoded = bert("hello worlds", "fox")
    assert encoded.tokens() == ["[CLS]", "hello", "world", "##s", "[SEP]", "fox", "[SEP]"]
    assert encoded.word_ids() == [None, 0, 1, 1, None, 0, None]
    assert encoded.sequence_ids() == [None, 0, 0, 0, None, 1, None]
    assert encoded.char_to_token(7) == 2
    assert encoded.char_to_token(0, 1, sequence_index=1) == 5
    assert encoded.token_to_chars(3) == (11, 12)
    assert encoded.word_to_tokens(1) == (2, 4)
    assert encoded.word_to_chars(1) == (6, 12)
    assert encoded.token_to_word(3) == 1
    assert encoded.char_to_word(7) == 1
    assert encoded[0].ids == encoded["input_ids"]
    with pytest.raises(TokenizerError, match="row 3"):
        encoded.tokens(3)
    with pytest.raises(AttributeError, match="pixel_values"):
        encoded.pixel_values


def test_long_texts_warn_once(bert, caplog) -> None:
    bert.model_max_length = 4
    bert("a b c d")
    bert("a b c d")
    assert [record.message for record in caplog.records] == [
        "6 tokens are more than the model takes (4): indexing errors will follow unless they are truncated."
    ]
