"""RAG: passages found in memory, sums over them, and generation that agrees with its own definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoTokenizer
from zoo_core.errors import MissingDependency
from zoo_text.bart.config import BartConfig
from zoo_text.dpr.config import DPRConfig
from zoo_text.dpr.model import DPRContextEncoder
from zoo_text.rag.config import RagConfig
from zoo_text.rag.model import RagModel, RagSequenceForGeneration, RagTokenForGeneration
from zoo_text.rag.retrieval import PassageIndex, RagRetriever
from zoo_text.rag.tokenizer import RagTokenizer
from zoo_text.tokenizers.wordpiece import BertTokenizer

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "who",
    "is",
    "a",
    "cat",
    "dog",
    "the",
    "/",
    "an",
    "animal",
    "?",
    "it",
    "likes",
]
PASSAGES: dict[str, Any] = {
    "title": ['"cat"', "dog", "it"],
    "text": ["a cat likes  the dog", "the dog is an animal", "it is"],
    "embeddings": np.eye(3, 16, dtype=np.float32),
}


def make(kind: type[Any], **kwargs: Any) -> Any:
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    question = DPRConfig(vocab_size=20, **small)
    generator = BartConfig(
        vocab_size=20, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, init_std=0.7, pad_token_id=0,
        tie_word_embeddings=False,
    )  # fmt: skip
    config = RagConfig.from_question_encoder_generator_configs(
        question, generator, n_docs=2, retrieval_vector_size=16, max_combined_length=20, pad_token_id=0,
        bos_token_id=2, eos_token_id=3, decoder_start_token_id=3,
    )  # fmt: skip
    return kind(config, **kwargs).eval()


@pytest.fixture
def tokenizer(tmp_path: Path) -> RagTokenizer:
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    return RagTokenizer(BertTokenizer(tmp_path / "vocab.txt"), BertTokenizer(tmp_path / "vocab.txt"))


@pytest.fixture
def retriever(tokenizer: RagTokenizer) -> RagRetriever:
    index = PassageIndex(PASSAGES, vector_size=16)
    return RagRetriever(make(RagModel).config, tokenizer.question_encoder, tokenizer.generator, index=index)


def test_passages_precede_the_question(retriever: RagRetriever, tokenizer: RagTokenizer) -> None:
    ids = tokenizer("who is a cat ?")["input_ids"]
    vectors = np.zeros((1, 16), np.float32)
    vectors[0, :3] = 0.1, 2, 1
    found = retriever([ids], vectors)
    assert found["doc_ids"].tolist() == [[1, 2]]
    texts = tokenizer.batch_decode(found["context_input_ids"], skip_special_tokens=True)
    assert texts == ["dog / the dog is an animal / / who is a cat?", "it / it is / / who is a cat?"]
    joined = tokenizer.batch_decode(
        retriever([ids], -vectors)["context_input_ids"][:1], skip_special_tokens=True
    )
    assert joined == ["cat / a cat likes the dog / / who is a cat?"]


def contexts() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(4, 20, (4, 6))
    ids[1, 4:] = 0
    return {
        "context_input_ids": ids,
        "context_attention_mask": (ids != 0).long(),
        "doc_scores": torch.randn(2, 2),
    }


def test_losses_sum_over_passages() -> None:
    given, labels = contexts(), torch.tensor([[3, 5, 6, 7], [3, 8, 9, 0]])
    model = make(RagSequenceForGeneration)
    logits = model(decoder_input_ids=labels, **given).logits.view(2, 2, 4, 20).log_softmax(-1)
    target = torch.tensor([[5, 6, 7, 0], [8, 9, 0, 0]])[:, None, :, None].expand(-1, 2, -1, -1)
    tokens = logits.gather(-1, target).squeeze(-1) * (target[..., 0] != 0)
    documents = given["doc_scores"].log_softmax(1)
    loss = model(labels=labels, **given).loss
    torch.testing.assert_close(loss, -(tokens.sum(-1) + documents).logsumexp(1))
    by_token = make(RagTokenForGeneration)
    by_token.load_state_dict(model.state_dict())
    summed = (tokens + documents[..., None] * (target[..., 0] != 0)).logsumexp(1)
    expected = -torch.where(target[:, 0, :, 0] != 0, summed, 0.0).sum(-1)
    torch.testing.assert_close(by_token(labels=labels, **given).loss, expected)
    torch.testing.assert_close(by_token(labels=labels, reduce_loss=True, **given).loss, expected.sum())


@pytest.mark.parametrize("num_beams", [1, 3])
def test_tokens_are_generated_alike_without_a_cache(num_beams: int) -> None:
    model = make(RagTokenForGeneration)
    options = {"num_beams": num_beams, "num_return_sequences": num_beams, "max_length": 8, **contexts()}
    found = model.generate(**options)
    assert torch.equal(found, model.generate(use_cache=False, **options))
    if num_beams == 1:
        first = model(decoder_input_ids=found[:, :-1], do_marginalize=True, **contexts()).logits
        assert torch.equal(first[:, 0].argmax(-1), found[:, 1])


def test_sequences_are_ranked_by_all_passages() -> None:
    model = make(RagSequenceForGeneration)
    found = model.generate(num_beams=3, num_return_sequences=2, max_length=8, **contexts())
    assert found.shape[0] == 4 and found.shape[1] <= 8
    given = {name: value[:2] if name != "doc_scores" else value[:1] for name, value in contexts().items()}
    losses = [model(labels=row[None], **given).loss for row in found[:2]]
    assert losses[0] <= losses[1]
    with pytest.raises(ValueError, match="num_beams"):
        model.generate(num_beams=1, num_return_sequences=9, max_length=8, **contexts())


def test_questions_are_answered(retriever: RagRetriever, tokenizer: RagTokenizer, tmp_path: Path) -> None:
    model = make(RagTokenForGeneration, retriever=retriever)
    model.save_pretrained(tmp_path / "rag")
    tokenizer.save_pretrained(tmp_path / "rag")
    loaded = RagTokenForGeneration.from_pretrained(tmp_path / "rag", retriever=retriever)
    again = AutoTokenizer.from_pretrained(tmp_path / "rag")
    assert isinstance(again, RagTokenizer)
    inputs = again(["who is a cat ?", "the dog"], padding=True, return_tensors="pt")
    answers = loaded.generate(inputs["input_ids"], attention_mask=inputs["attention_mask"], max_length=8)
    assert torch.equal(
        answers, model.generate(inputs["input_ids"], attention_mask=inputs["attention_mask"], max_length=8)
    )
    found = model(
        inputs["input_ids"], inputs["attention_mask"], decoder_input_ids=answers, output_retrieved=True
    )
    assert found.retrieved_doc_ids.shape == (2, 2) and found.context_input_ids.shape == (4, 20)
    torch.testing.assert_close(
        found.doc_scores, found.question_encoder_last_hidden_state[:, :3].topk(2).values, atol=1e-5, rtol=1e-4
    )


def test_passages_may_be_encoded_in_training(retriever: RagRetriever, tokenizer: RagTokenizer) -> None:
    model = make(RagSequenceForGeneration, retriever=retriever).train()
    passages = DPRContextEncoder(model.config.question_encoder)
    retriever.set_ctx_encoder_tokenizer(tokenizer.question_encoder)
    model.set_context_encoder_for_training(passages)
    inputs = tokenizer(["who is", "the dog"], text_target=["a cat", "dog"], padding=True, return_tensors="pt")
    model(
        inputs["input_ids"], inputs["attention_mask"], labels=inputs["labels"], reduce_loss=True
    ).loss.backward()
    for encoder in (passages, model.question_encoder):
        assert float(encoder.get_input_embeddings().weight.grad.abs().sum()) > 0


def test_what_is_missing_is_named(tokenizer: RagTokenizer) -> None:
    model = make(RagModel)
    with pytest.raises(ValueError, match="set_retriever"):
        model(torch.ones(1, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="doc_scores"):
        model(context_input_ids=torch.ones(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="retrieval_vector_size is 8"):
        PassageIndex(PASSAGES, vector_size=8)
    with pytest.raises(ValueError, match="'text' is missing"):
        PassageIndex([{"title": "a", "embeddings": [0.0]}])
    with pytest.raises(ValueError, match="holds 3 passages"):
        PassageIndex(PASSAGES).get_top_docs(np.zeros((1, 16), np.float32), 5)
    try:
        import datasets  # noqa: F401
    except ImportError:
        with pytest.raises(MissingDependency, match="pip install datasets"):
            RagRetriever(model.config, tokenizer.question_encoder, tokenizer.generator)
