"""Special tokens, added tokens, ids and decoding."""

from __future__ import annotations

import copy
import pickle

import numpy
import pytest
import torch
from tokenizers import Tokenizer

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import AddedToken, PreTrainedTokenizerFast


def test_special_tokens_by_role(bert) -> None:
    assert (bert.pad_token, bert.pad_token_id, bert.bos_token, bert.bos_token_id) == ("[PAD]", 0, None, None)
    assert bert.special_tokens_map["cls_token"] == "[CLS]"
    assert bert.all_special_ids == [1, 3, 0, 2, 4]
    bert.bos_token = "hello"
    assert bert.bos_token_id == 15
    bert.eos_token_id = 16
    assert bert.eos_token == "world"
    bert.additional_special_tokens = ["a", AddedToken("b")]
    assert bert.additional_special_tokens_ids == [5, 6]


def test_adding_tokens(bert) -> None:
    before = len(bert)
    assert bert.add_tokens(["transformerization", "hello"]) == 1
    assert bert.add_special_tokens({"additional_special_tokens": ["<a>", "<b>"], "bos_token": "<s>"}) == 3
    assert len(bert) == before + 4
    assert bert.vocab_size == before
    assert bert.tokenize("a transformerization<a>b") == ["a", "transformerization", "<a>", "b"]
    assert bert.bos_token_id == before + 3
    assert bert.added_tokens_encoder["<a>"] == before + 1
    assert bert.get_added_vocab()["transformerization"] == before
    assert bert.decode(bert("<a> a")["input_ids"], skip_special_tokens=True) == "a"
    with pytest.raises(TokenizerError, match="mask_token"):
        bert.add_special_tokens({"msk_token": "<m>"})


def test_extra_roles_become_attributes(vocab_folder) -> None:
    from zoo_text.tokenizers.wordpiece import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(vocab_folder, extra_special_tokens={"image_token": "<image>"})
    assert tokenizer.image_token == "<image>"
    assert tokenizer.image_token_id == len(tokenizer) - 1
    with pytest.raises(AttributeError, match="video_token"):
        tokenizer.video_token


@pytest.mark.parametrize(
    "ids",
    [
        [2, 15, 16, 17, 3],
        (2, 15, 16, 17, 3),
        numpy.array([2, 15, 16, 17, 3]),
        torch.tensor([2, 15, 16, 17, 3]),
    ],
)
def test_decode_takes_any_row_of_ids(bert, ids) -> None:
    assert bert.decode(ids) == "[CLS] hello worlds [SEP]"
    assert bert.decode(ids, skip_special_tokens=True) == "hello worlds"
    assert bert.batch_decode([ids, ids], skip_special_tokens=True) == ["hello worlds"] * 2


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([-100], "-100"),
        ([1.5], "1.5"),
        (["a"], "position 0"),
        ("12", "'12'"),
        ([[1]], "batch_decode"),
        (None, "None"),
    ],
)
def test_decode_refuses_what_is_no_id(bert, ids, words) -> None:
    with pytest.raises(TokenizerError, match=words):
        bert.decode(ids)


def test_ids_beyond_the_vocabulary(bert, caplog) -> None:
    assert bert.decode([15, 10**12]) == "hello"
    assert "beyond the vocabulary" in caplog.text
    with pytest.raises(TokenizerError, match="999"):
        bert.convert_ids_to_tokens([15, 999])


def test_tokens_and_ids(bert) -> None:
    assert bert.convert_tokens_to_ids(["hello", "nonsense"]) == [15, 1]
    assert bert.convert_ids_to_tokens(15) == "hello"
    assert bert.convert_ids_to_tokens([2, 15], skip_special_tokens=True) == ["hello"]
    assert bert.convert_tokens_to_string(["hello", "world", "##s"]) == "hello worlds"
    assert bert.get_vocab()["fox"] == bert.vocab["fox"] == 19
    assert bert.clean_up_tokenization("it 's , so .") == "it's, so."


@pytest.mark.parametrize("remake", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_and_pickles_are_whole(bert, remake) -> None:
    bert.add_tokens(["zoo"])
    bert("a b c", truncation=True, max_length=3)
    twin = remake(bert)
    assert twin("a zoo", truncation=True, max_length=4)["input_ids"] == [2, 5, 21, 3]
    twin.add_tokens(["other"])
    assert len(twin) == len(bert) + 1


def test_a_changed_backend_is_honoured_everywhere(byte_level) -> None:
    from tokenizers.processors import TemplateProcessing

    assert byte_level("a")["input_ids"] == byte_level("a", truncation=True, max_length=4)["input_ids"]
    byte_level.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", pair="$A $B", special_tokens=[("<|endoftext|>", 0)]
    )
    assert byte_level("a")["input_ids"][0] == 0
    assert byte_level("a", truncation=True, max_length=4)["input_ids"][0] == 0
    assert byte_level.num_special_tokens_to_add() == 1


def test_wrapping_a_tokenizer_leaves_it_alone(split_json) -> None:
    original = Tokenizer.from_file(str(split_json))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=original, pad_token="[PAD]")
    assert wrapped.pad_token_id == original.get_vocab_size()
    assert original.token_to_id("[PAD]") is None


def test_training_a_vocabulary_of_the_same_kind(bert, byte_level) -> None:
    texts = ["gamma delta epsilon gamma delta"] * 30
    learned = byte_level.train_new_from_iterator(texts, 300, new_special_tokens=["<new>"])
    assert learned.tokenize("gamma")[-1] == "gamma"
    assert learned.eos_token_id == learned.convert_tokens_to_ids("<|endoftext|>")
    assert learned.convert_tokens_to_ids("<new>") is not None
    words = bert.train_new_from_iterator(texts, 60, special_tokens_map={"[CLS]": "<cls>"})
    assert type(words) is type(bert)
    assert words.tokenize("gamma delta", add_special_tokens=True) == ["<cls>", "gamma", "delta", "[SEP]"]
