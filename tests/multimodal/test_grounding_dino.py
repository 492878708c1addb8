"""Grounding DINO: phrases of a prompt, what the processor makes of names, and which files load."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoModelForZeroShotObjectDetection, AutoProcessor
from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.grounding_dino.config import GroundingDinoConfig
from zoo_multimodal.grounding_dino.model import GroundingDinoForObjectDetection
from zoo_multimodal.grounding_dino.phrases import phrase_attention, phrase_tokens
from zoo_multimodal.grounding_dino.processor import GroundingDinoProcessor, prompts
from zoo_vision.processing.detection import GroundingDinoImageProcessor

CLS, SEP, STOP, ASK = 101, 102, 1012, 1029
SIZES: dict[str, Any] = {
    "backbone_config": {
        "model_type": "swin",
        "embed_dim": 8,
        "depths": [1, 1],
        "num_heads": [1, 2],
        "window_size": 4,
        "out_features": ["stage1", "stage2"],
    },
    "text_config": {
        "model_type": "bert",
        "vocab_size": 1100,
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    },
    "d_model": 32,
    "num_feature_levels": 2,
    "encoder_layers": 1,
    "decoder_layers": 3,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "num_queries": 5,
    "max_text_len": 9,
}
PROMPT = torch.tensor([[CLS, 5, 6, STOP, 7, STOP, SEP]])


def detector(**changes: Any) -> GroundingDinoForObjectDetection:
    torch.manual_seed(0)
    return GroundingDinoForObjectDetection(GroundingDinoConfig(**{**SIZES, **changes})).eval()


@pytest.mark.parametrize(
    ("ids", "groups", "positions", "phrases"),
    [
        (
            [CLS, 5, 6, STOP, 7, STOP, SEP, 0],
            [0, 1, 1, 1, 2, 2, 3, 4],
            [0, 0, 1, 2, 0, 1, 0, 0],
            [[1, 2], [4]],
        ),
        ([CLS, 5, STOP, 7, 8, SEP], [0, 1, 1, 2, 3, 4], [0, 0, 1, 0, 0, 0], [[1], [3, 4]]),
        ([CLS, 5, STOP, 7, SEP, 0], [0, 1, 1, 2, 2, 3], [0, 0, 1, 0, 1, 0], [[1], [3]]),
        ([CLS, 5, ASK, STOP, SEP], [0, 1, 1, 2, 3], [0, 0, 1, 0, 0], [[1]]),
        ([5, STOP, 7, 8], [0, 1, 2, 3], [0, 0, 0, 0], []),
    ],
)
def test_tokens_of_a_phrase_see_each_other(ids, groups, positions, phrases) -> None:
    visible, places = phrase_attention(torch.tensor([ids]))
    group = torch.tensor(groups)
    assert visible[0].equal(group[:, None] == group[None])
    assert places[0].tolist() == positions
    (rows,) = phrase_tokens(torch.tensor([ids]), 9)
    assert [row.nonzero()[:, 0].tolist() for row in rows] == phrases and rows.shape[1] == 9


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("A cat", "A cat"),
        (["a cat.", "A dog"], ["a cat.", "A dog"]),
        ([" A cat", "a dog "], "a cat. a dog."),
        ([["a cat", "A dog"], ("bird",)], ["a cat. a dog.", "bird."]),
    ],
)
def test_names_become_prompts(text, made) -> None:
    assert prompts(text) == made


@pytest.mark.parametrize(
    ("text", "message"), [([["a. b"]], "'a. b' has a full stop"), (["a", ["b"]], "mixes prompts and lists")]
)
def test_names_must_be_names(text, message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        prompts(text)


def test_boxes_carry_the_words_that_fit(words: PreTrainedTokenizerFast) -> None:
    processor = GroundingDinoProcessor(GroundingDinoImageProcessor(), words)
    logits = torch.full((1, 3, 6), -torch.inf)
    logits[0, 0, [0, 1, 5]] = 4.0  # the first and the last name nothing
    logits[0, 1, 1:3] = torch.tensor([0.1, 0.2])
    outputs = SimpleNamespace(
        logits=logits, pred_boxes=torch.full((1, 3, 4), 0.5), input_ids=torch.tensor([[2, 3, 2, 1]])
    )
    (found,) = processor.post_process_grounded_object_detection(outputs, target_sizes=[(20, 40)])
    assert found["text_labels"] == found["labels"] == ["why", "why what"]
    assert found["scores"].tolist() == pytest.approx([0.982, 0.5498], abs=1e-3)
    assert found["boxes"].tolist() == [[10.0, 5.0, 30.0, 15.0]] * 2
    (found,) = processor.post_process_grounded_object_detection(outputs, threshold=0.9, text_threshold=0.99)
    assert found["text_labels"] == [""]
    with pytest.raises(ProcessingError, match="2 entries and the outputs are of 1 images"):
        processor.post_process_grounded_object_detection(outputs, target_sizes=[(1, 1)] * 2)


def test_processor_is_found_by_its_name(words: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    GroundingDinoProcessor(
        GroundingDinoImageProcessor(size={"height": 16, "width": 16}), words
    ).save_pretrained(tmp_path)
    detector().config.save_pretrained(tmp_path)
    processor = AutoProcessor.from_pretrained(tmp_path)
    assert type(processor) is GroundingDinoProcessor
    found = processor(images=np.zeros((8, 8, 3), np.uint8), text="what why", return_tensors="pt")
    assert found["pixel_values"].shape == (1, 3, 16, 16) and found["input_ids"].tolist() == [[2, 3, 1]]


@pytest.mark.parametrize("shared", [True, False])
def test_heads_load_under_either_name(tmp_path: Path, shared: bool) -> None:
    model = detector(decoder_bbox_embed_share=shared)
    model.save_pretrained(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    heads = {name: value for name, value in saved.items() if ".layers.2.bias" in name and "bbox" in name}
    first = {"bbox_embed.0.layers.2.bias", "model.encoder_output_bbox_embed.layers.2.bias"}
    own = set() if shared else {f"model.decoder.bbox_embed.{i}.layers.2.bias" for i in (1, 2)}
    assert set(heads) == first | own
    for name, value in model.state_dict().items():
        if "bbox_embed" in name:
            saved[name] = value.clone()
    save_file(saved, tmp_path / "model.safetensors", metadata={"format": "pt"})
    again, info = AutoModelForZeroShotObjectDetection.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    pixels = torch.rand(1, 3, 32, 32)
    assert again(pixels, PROMPT).pred_boxes.equal(model(pixels, PROMPT).pred_boxes)
    assert (again.bbox_embed[1] is again.bbox_embed[0]) is shared


def test_prompts_are_cut_at_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    model = detector(max_text_len=4)
    pixels = torch.rand(1, 3, 32, 32)
    found, short = model(pixels, PROMPT), model(pixels, PROMPT[:, :4])
    assert found.logits.equal(short.logits) and found.input_ids.equal(PROMPT[:, :4])
    mask = torch.tensor([[1, 1, 1, 0]])
    assert model(pixels, PROMPT[:, :4], attention_mask=mask).logits.isinf().any((0, 1)).tolist() == [
        False,
        False,
        False,
        True,
    ]


def test_half_precision_and_a_step_of_training() -> None:
    model = detector().bfloat16()
    found = model(torch.rand(1, 3, 32, 32).bfloat16(), PROMPT)
    assert found.logits.dtype is found.pred_boxes.dtype is torch.bfloat16
    model = detector().train()
    labels = [{"class_labels": torch.tensor([1]), "boxes": torch.full((1, 4), 0.4)}]
    model(torch.rand(1, 3, 32, 32), PROMPT, labels=labels).loss.backward()
    assert model.model.text_projection.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("ids", "size", "labels", "message"),
    [
        (PROMPT.repeat(2, 1), 32, None, "1 images came with 2 prompts"),
        (PROMPT, 12, None, "give 13 cells, fewer than the 20 queries"),
        (PROMPT, 32, [2], "names class 2 and its prompt has 2 phrases"),
    ],
)
def test_inputs_must_fit(ids, size: int, labels, message: str) -> None:
    targets = None
    if labels is not None:
        targets = [{"class_labels": torch.tensor(labels), "boxes": torch.full((len(labels), 4), 0.5)}]
    with pytest.raises(ValueError, match=message):
        detector(num_queries=20)(torch.rand(1, 3, size, size), ids, labels=targets)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"two_stage": False}, "two_stage"),
        ({"query_dim": 2}, "query_dim"),
        ({"decoder_bbox_embed_share": False, "two_stage_bbox_embed_share": True}, "needs decoder_bbox"),
        ({"num_feature_levels": 1, "position_embedding_type": "none"}, "'sine' or 'learned'"),
    ],
)
def test_configs_must_make_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        detector(**changes)
