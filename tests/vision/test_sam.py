"""Segment Anything: prompts in the pixels of pictures, from the processor through the model to masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoModelForMaskGeneration, AutoProcessor
from zoo_core.errors import ProcessingError
from zoo_vision.processing.sam import SamImageProcessor
from zoo_vision.sam.config import SamConfig
from zoo_vision.sam.processor import SamProcessor

WIDE, TALL = np.zeros((40, 60, 3), np.uint8), np.zeros((50, 30, 3), np.uint8)
PROCESSOR = SamProcessor(SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}))


def call(images: Any = WIDE, **prompts: Any) -> Any:
    return PROCESSOR(images, **prompts, return_tensors="pt")


def test_points_and_boxes_move_with_the_picture() -> None:
    found = PROCESSOR(
        WIDE,
        input_points=[[[15, 20]]],
        input_boxes=[[[0, 0, 60, 40]]],
        size={"longest_edge": 120},
        do_pad=False,
    )
    assert found["input_points"].tolist() == [[[[30, 40]]]] and "input_labels" not in found
    assert found["input_boxes"].tolist() == [[[0, 0, 120, 80]]]


def test_fewer_points_are_filled_with_points_that_do_not_count() -> None:
    found = call([WIDE, TALL], input_points=[[[15, 20], [0, 0]], [[15, 25]]])
    assert found["input_points"][1].tolist() == [[[19.0, 32.0], [-10.0, -10.0]]]
    assert found["input_labels"].tolist() == [[[1, 1]], [[1, -10]]]


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({"input_points": [[[1, 1]]]}, "input_points hold 1 entries for 2 pictures"),
        ({"input_points": [[[1, 1]], [[1, 51]]]}, r"picture 1: \[1.0, 51.0\] is no .* 30 x 50 pixels"),
        ({"input_points": [[1, 1], [[1, 1]]]}, r"input_points of picture 0 have shape \(2,\)"),
        ({"input_points": [[[1, 1]], [["a", 1]]]}, "picture 1 are no numbers"),
        ({"input_points": [[[1, 1]]] * 2, "input_labels": [[1], [1, 0]]}, "picture 1 has input_labels"),
        ({"input_points": [[[[1, 1]]] * 2, [[1, 1]]]}, "of 2, 1 objects"),
        ({"input_labels": [[1], [1]]}, "without input_points"),
        ({"input_boxes": [[[1, 1, 9, 9]], [[31, 1, 40, 9]]]}, "input_boxes of picture 1.*30 x 50 pixels"),
        ({"input_boxes": [[[9, 1, 1, 9]], [[1, 1, 9, 9]]]}, "input_boxes of picture 0"),
    ],
)
def test_prompts_that_do_not_fit_are_named(prompts: dict[str, Any], message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        call([WIDE, TALL], **prompts)


def test_from_a_picture_to_its_masks(tmp_path: Path) -> None:
    PROCESSOR.save_pretrained(tmp_path)
    processor = AutoProcessor.from_pretrained(tmp_path)
    assert isinstance(processor, SamProcessor)
    layers = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = SamConfig(
        vision_config={
            **layers,
            "image_size": 64,
            "patch_size": 16,
            "output_channels": 8,
            "window_size": 2,
            "global_attn_indexes": [0],
            "mlp_dim": 16,
            "num_pos_feats": 4,
        },
        prompt_encoder_config={
            "hidden_size": 8,
            "image_size": 64,
            "patch_size": 16,
            "mask_input_channels": 4,
        },
        mask_decoder_config={
            **layers,
            "hidden_size": 8,
            "mlp_dim": 16,
            "iou_head_hidden_dim": 8,
            "iou_head_depth": 2,
        },
    )
    model = AutoModelForMaskGeneration.from_config(config).eval()
    found = processor([WIDE, TALL], input_points=[[[15, 20], [0, 0]], [[15, 25]]], return_tensors="pt")
    with torch.no_grad():
        output = model(**found)
        single = model(**processor(TALL, input_points=[[[15, 25]]], return_tensors="pt"))
    torch.testing.assert_close(output.pred_masks[1], single.pred_masks[0], atol=1e-4, rtol=1e-3)
    masks = processor.post_process_masks(
        output.pred_masks, found["original_sizes"], found["reshaped_input_sizes"]
    )
    assert [tuple(mask.shape) for mask in masks] == [(1, 3, 40, 60), (1, 3, 50, 30)]
