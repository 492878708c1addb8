"""REALM: spans that are read from the blocks found for a question, and where their answers stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zoo_core.errors import CheckpointError
from zoo_text.realm.config import RealmConfig
from zoo_text.realm.model import RealmForOpenQA, RealmKnowledgeAugEncoder, RealmReader, RealmScorer
from zoo_text.realm.retrieval import RealmRetriever
from zoo_text.tokenizers.wordpiece import RealmTokenizer

CONFIG = RealmConfig(
    vocab_size=16,
    hidden_size=16,
    retriever_proj_size=6,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=24,
    max_position_embeddings=40,
    span_hidden_size=5,
    max_span_width=3,
    reader_beam_size=2,
    reader_seq_len=14,
    num_block_records=4,
    searcher_beam_size=3,
    initializer_range=0.5,
)
BLOCKS = ["the cat likes a dog", b"it is a dog", "the animal", "a cat is a cat"]


@pytest.fixture
def tokenizer(tmp_path: Path) -> RealmTokenizer:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "is", "a", "cat", "dog", "the", "it"]
    (tmp_path / "vocab.txt").write_text("\n".join([*words, "animal", "likes"]))
    return RealmTokenizer(tmp_path / "vocab.txt")


def test_answers_are_found_in_blocks_alone(tokenizer: RealmTokenizer) -> None:
    question = tokenizer("is it a dog", return_tensors="pt")["input_ids"]
    answers = [[7, 9], [8]]  # "a dog", "cat"
    found = RealmRetriever(BLOCKS, tokenizer)([0, 3, 2], question, answers)
    assert found.has_answers == [True, True, False]
    assert found.start_pos == [[9, 7], [7, 10], [-1, -1]] and found.end_pos == [[10, 7], [7, 10], [-1, -1]]
    short = RealmRetriever(BLOCKS, tokenizer)([0, 3], question, answers, max_length=9)
    assert short.concat_inputs["input_ids"].shape == (2, 9)


def test_a_question_is_answered_from_its_blocks(tokenizer: RealmTokenizer, tmp_path: Path) -> None:
    torch.manual_seed(0)
    retriever = RealmRetriever(BLOCKS, tokenizer)
    model = RealmForOpenQA(CONFIG, retriever).eval()
    model.block_emb.normal_()
    inputs = tokenizer("who is a cat", return_tensors="pt")
    found = model(**inputs, answer_ids=[[8]])
    reader = found.reader_output
    length = int(reader.end_pos - reader.start_pos) + 1
    assert 1 <= length <= CONFIG.max_span_width and found.predicted_answer_ids.shape == (length,)
    assert reader.retriever_correct.shape == (2,)
    torch.testing.assert_close(reader.loss, reader.retriever_loss + reader.reader_loss)
    assert model.train()(**inputs, answer_ids=[[8]]).reader_output.retriever_correct.shape == (3,)

    model.eval().save_pretrained(tmp_path / "m")
    retriever.save_pretrained(tmp_path / "m")
    again = RealmForOpenQA.from_pretrained(
        tmp_path / "m", retriever=RealmRetriever.from_pretrained(tmp_path / "m")
    )
    assert torch.equal(again(**inputs).predicted_answer_ids, found.predicted_answer_ids)
    with pytest.raises(ValueError, match="one question"):
        model(torch.ones(2, 3, dtype=torch.int64))
    model.retriever = None
    with pytest.raises(ValueError, match="retriever="):
        model(**inputs)


def test_pickled_blocks_stay_closed(tokenizer: RealmTokenizer, tmp_path: Path) -> None:
    np.save(tmp_path / "block_records.npy", np.array(BLOCKS, dtype=object), allow_pickle=True)
    with pytest.raises(CheckpointError, match="not opened"):
        RealmRetriever.from_pretrained(tmp_path)


def test_the_reader_weighs_spans_of_blocks() -> None:
    torch.manual_seed(0)
    model, ids = RealmReader(CONFIG).eval(), torch.randint(5, 16, (2, 8))
    mask = torch.zeros(2, 8, dtype=torch.bool)
    mask[0, 5] = mask[1, 3:5] = True
    inputs = {"block_mask": mask, "relevance_score": torch.tensor([0.0, 50.0, 0.0])}
    found = model(ids, **inputs)
    assert found.block_idx == 1 and 3 <= found.start_pos <= found.end_pos <= 4
    gold = {"start_positions": torch.tensor([[5], [-1]]), "end_positions": torch.tensor([[5], [-1]])}
    right = model(ids, has_answers=torch.tensor([True, False, False]), **gold, **inputs)
    assert right.reader_correct.sum() == 1 and right.reader_loss > 40 and right.retriever_loss > 40
    nowhere = dict.fromkeys(gold, torch.full((2, 1), -1))
    none = model(ids, has_answers=torch.zeros(3).bool(), **nowhere, **inputs)
    assert none.loss == 0
    for missing in inputs:
        with pytest.raises(ValueError, match=missing):
            model(ids, **{name: value for name, value in inputs.items() if name != missing})


def test_candidates_are_scored_and_read_together() -> None:
    torch.manual_seed(0)
    ids, candidates = torch.randint(5, 16, (2, 4)), torch.randint(5, 16, (2, 3, 6))
    scores = RealmScorer(CONFIG).eval()(ids, candidate_input_ids=candidates)
    expected = torch.einsum("bd,bnd->bn", scores.query_score, scores.candidate_score)
    torch.testing.assert_close(scores.relevance_score, expected)
    model, labels = RealmKnowledgeAugEncoder(CONFIG).eval(), torch.randint(5, 16, (2, 6))
    output = model(candidates, relevance_score=scores.relevance_score, labels=labels)
    likely = (
        output.logits.log_softmax(-1)
        .view(2, 3, 6, 16)
        .gather(-1, labels[:, None, :, None].expand(-1, 3, -1, 1))
    )
    joint = likely[..., 0].exp() * scores.relevance_score.softmax(-1)[..., None]
    torch.testing.assert_close(output.loss, -joint.sum(1).log().mean())
    with pytest.raises(ValueError, match="relevance_score"):
        model(candidates, labels=labels)
    with pytest.raises(ValueError, match="candidate_input_ids"):
        RealmScorer(CONFIG)(ids)
