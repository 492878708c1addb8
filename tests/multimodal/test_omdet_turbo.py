"""OmDet-Turbo: classes for each image, what is remembered of them, and boxes that do not overlap."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoProcessor
from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.omdet_turbo.config import OmDetTurboConfig
from zoo_multimodal.omdet_turbo.model import OmDetTurboForObjectDetection
from zoo_multimodal.omdet_turbo.processor import OmDetTurboProcessor
from zoo_vision.processing.detection import DetrImageProcessor

TEXT = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES: dict[str, Any] = {
    "text_config": {"model_type": "clip_text_model", "vocab_size": 20, **TEXT},
    "backbone_config": {
        "model_type": "swin",
        "embed_dim": 4,
        "depths": [1, 1, 1],
        "num_heads": [1, 1, 2],
        "window_size": 4,
        "out_features": ["stage1", "stage2", "stage3"],
    },
    "use_timm_backbone": False,
    "apply_layernorm_after_vision_backbone": True,
    "encoder_in_channels": [4, 8, 16],
    "vision_features_channels": [16, 16, 16],
    "d_model": 16,
    "decoder_hidden_dim": 16,
    "encoder_attention_heads": 2,
    "encoder_dim_feedforward": 8,
    "decoder_num_heads": 2,
    "decoder_dim_feedforward": 8,
    "decoder_num_layers": 1,
    "text_projection_in_dim": 8,
    "text_projection_out_dim": 8,
    "class_embed_dim": 8,
    "task_encoder_hidden_dim": 8,
    "num_queries": 5,
}
IMAGES = [np.zeros((20, 30, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)]


def detector(**changes: Any) -> OmDetTurboForObjectDetection:
    torch.manual_seed(0)
    return OmDetTurboForObjectDetection(OmDetTurboConfig(**{**SIZES, **changes})).eval()


def inputs(count: int = 1) -> dict[str, torch.Tensor]:
    """Two classes for each of `count` images."""
    torch.manual_seed(1)
    return {
        "pixel_values": torch.rand(count, 3, 64, 64),
        "classes_input_ids": torch.tensor([[18, 3, 19], [18, 4, 19]]).repeat(count, 1),
        "classes_attention_mask": torch.ones(2 * count, 3, dtype=torch.long),
        "tasks_input_ids": torch.tensor([[18, 5, 6, 19]]).repeat(count, 1),
        "tasks_attention_mask": torch.ones(count, 4, dtype=torch.long),
        "classes_structure": torch.full((count,), 2),
    }


@pytest.fixture
def processor(words: PreTrainedTokenizerFast) -> OmDetTurboProcessor:
    return OmDetTurboProcessor(DetrImageProcessor(size={"height": 16, "width": 8}), words)


def test_texts_are_read_once() -> None:
    model, batch = detector(cache_size=3), inputs()
    language = model.language_backbone
    read: list[int] = []
    language.model.register_forward_pre_hook(lambda _, args: read.append(len(args[0])))
    with torch.no_grad():
        first = model(**batch).decoder_class_logits
        assert read == [2, 1] and len(language.remembered) == 3
        assert model(**batch).decoder_class_logits.equal(first) and read == [2, 1]
        batch["classes_input_ids"] = torch.tensor([[18, 4, 19], [18, 7, 19]])
        swapped = model(**batch).decoder_class_logits
        assert read == [2, 1, 1] and len(language.remembered) == 3
        assert swapped.shape == first.shape and not swapped.equal(first)
        language.text_projection.mul_(2.0)
        model(**batch)
        assert read[3:] == [2, 1]
    model(**batch).decoder_class_logits.sum().backward()
    assert read[5:] == [2, 1] and language.text_projection.grad is not None


def test_images_may_have_different_numbers_of_classes() -> None:
    model, batch = detector(), inputs(2)
    batch["classes_input_ids"] = batch["classes_input_ids"][:3]
    batch["classes_structure"] = torch.tensor([1, 2])
    assert model(**batch).decoder_class_logits.shape == (2, 5, 2)
    with pytest.raises(ValueError, match="names 4 classes and there are 3"):
        model(**{**batch, "classes_structure": torch.tensor([2, 2])})
    with pytest.raises(ValueError, match="2 images came with 1 tasks"):
        model(**{**batch, "tasks_input_ids": batch["tasks_input_ids"][:1]})


def test_half_precision() -> None:
    batch = inputs()
    found = detector().bfloat16()(**{**batch, "pixel_values": batch["pixel_values"].bfloat16()})
    assert found.decoder_coord_logits.dtype is found.decoder_class_logits.dtype is torch.bfloat16


def test_processor_lays_classes_in_a_row(processor: OmDetTurboProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    detector().config.save_pretrained(tmp_path)
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert type(loaded) is OmDetTurboProcessor
    found = loaded(images=IMAGES, text=[["what", "why why"], ["why"]], max_length=4, return_tensors="pt")
    assert found["classes_input_ids"].tolist() == [[2, 1, 0, 0], [3, 3, 1, 0], [3, 1, 0, 0]]
    assert found["classes_structure"].tolist() == [2, 1]
    assert found["tasks_input_ids"].shape == (2, 4) and found["pixel_values"].shape == (2, 3, 16, 8)
    found = loaded(images=IMAGES, text=[["what"], ["why"]], task="why what", return_tensors="pt")
    assert found["tasks_input_ids"].tolist() == [[3, 2, 1, *[0] * 74]] * 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": IMAGES}, "both images and text"),
        ({"images": IMAGES, "text": ["what", "why"]}, "2 images, 1 lists of classes, 1 tasks"),
        ({"images": IMAGES[:1], "text": ["what"], "task": ["a", "b"]}, "1 lists of classes, 2 tasks"),
        ({"images": IMAGES[:1], "text": [[]]}, "at least one class"),
    ],
)
def test_processor_says_what_it_takes(processor: OmDetTurboProcessor, given, message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        processor(**given)


def test_a_box_overlaps_none_better_of_its_class(processor: OmDetTurboProcessor) -> None:
    boxes = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.6], [0.9, 0.9, 0.4, 0.4]])
    logits = torch.tensor([[3.0, -9.0, 9.0], [2.0, 2.5, 9.0], [-9.0, 1.0, 9.0]])
    outputs = SimpleNamespace(
        decoder_coord_logits=boxes[None],
        decoder_class_logits=logits[None],
        classes_structure=torch.tensor([2]),  # the third column is padding
    )
    (found,) = processor.post_process_grounded_object_detection(outputs, ["cat", "dog"])
    assert found["text_labels"] == ["cat", "dog"] and found["labels"].tolist() == [0, 1]
    assert found["boxes"].flatten().tolist() == pytest.approx([2.0, 4.0, 6.0, 12.0, 2.0, 3.2, 6.0, 12.8])
    (found,) = processor.post_process_grounded_object_detection(
        outputs, nms_threshold=0.95, target_sizes=[(10, 100)], max_num_det=9
    )
    assert found["labels"].tolist() == [0, 1, 0, 1] and found["text_labels"] is None
    assert found["boxes"][3].tolist() == pytest.approx([70.0, 7.0, 100.0, 10.0])
    with pytest.raises(ProcessingError, match=r"name \[1\] classes and images were searched for \[2\]"):
        processor.post_process_grounded_object_detection(outputs, ["cat"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_distance_type": "euclid"}, "'cosine' or 'dot'"),
        ({"class_embed_dim": 16}, "must be the text model's width, 8"),
        ({"decoder_hidden_dim": 8}, "d_model"),
        ({"encoder_projection_indices": [3]}, "must count encoder_in_channels"),
        ({"num_feature_levels": 2}, "num_feature_levels"),
    ],
)
def test_configs_must_make_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        detector(**changes)
