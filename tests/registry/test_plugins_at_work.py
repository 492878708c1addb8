"""Third-party plugins, really installed, behind the Auto classes."""

from __future__ import annotations

import json

import pytest

WORDS = ["[PAD]", "[UNK]", "the", "cat", "sleeps"]


@pytest.fixture
def checkpoint(tmp_path, use):
    """A folder with the plugin's config and vocabulary, and a model saved into it."""
    use("good")
    import torch
    from zoo_test_good.bag_of_words.config import BagOfWordsConfig
    from zoo_test_good.bag_of_words.model import BagOfWordsForRanking

    torch.manual_seed(0)
    BagOfWordsForRanking(BagOfWordsConfig(vocab_size=len(WORDS))).save_pretrained(tmp_path)
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    return tmp_path


def test_config_tokenizer_and_model(checkpoint):
    import torch

    from zoo_core import AutoConfig, AutoModel, AutoTokenizer

    config = AutoConfig.from_pretrained(checkpoint)
    assert type(config).__module__ == "zoo_test_good.bag_of_words.config" and config.vocab_size == 5
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    batch = tokenizer(["The cat", "the dog sleeps"], padding=True, return_tensors="pt")
    assert batch["input_ids"].tolist() == [[2, 3, 0], [2, 1, 4]]
    model = AutoModel.from_pretrained(checkpoint)
    with torch.no_grad():
        output = model(**batch)
    expected = model.embed_tokens.weight[[2, 3]].mean(0)
    torch.testing.assert_close(output.pooler_output[0], expected.detach())


def test_an_auto_class_of_its_own(checkpoint):
    from zoo_test_good.auto import AutoModelForRanking

    model = AutoModelForRanking.from_pretrained(checkpoint)
    assert type(model).__name__ == "BagOfWordsForRanking" and not model.training
    assert "bag_of_words" in AutoModelForRanking.__doc__


def test_the_tokenizer_is_found_by_the_name_in_its_file(checkpoint, tmp_path):
    from zoo_core import AutoTokenizer

    (checkpoint / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BagOfWordsTokenizerFast"})
    )
    (checkpoint / "config.json").unlink()
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    assert type(tokenizer).__name__ == "BagOfWordsTokenizer"
    tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert type(again) is type(tokenizer) and again("the cat")["input_ids"] == [2, 3]


def test_a_head_for_bert(use):
    use("head")
    import torch
    from zoo_test_head.model import BertForSentenceEmbedding

    from zoo_core.auto import auto_model_class
    from zoo_text.bert.config import BertConfig

    auto = auto_model_class("AutoModelForSentenceEmbedding", head="sentence embedding")
    sizes = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = auto.from_config(BertConfig(**sizes, intermediate_size=16)).eval()
    assert type(model) is BertForSentenceEmbedding
    with torch.no_grad():
        output = model(torch.tensor([[1, 2, 3]]))
    torch.testing.assert_close(output.pooler_output.norm(dim=-1), torch.ones(1))


def test_the_rival_serves_config_and_model_together(use, registry, tmp_path):
    use("conflicting")
    from zoo_core import AutoConfig, AutoModel

    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match=r"zoo_core\.prefer"):
        AutoConfig.from_pretrained(tmp_path)
    registry.prefer("bert", "zoo-test-conflicting")
    config = AutoConfig.from_pretrained(tmp_path)
    assert {type(config).__module__, type(AutoModel.from_config(config)).__module__} == {
        "zoo_test_conflicting.bert.config",
        "zoo_test_conflicting.bert.model",
    }
