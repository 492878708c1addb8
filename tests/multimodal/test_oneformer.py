"""OneFormer's processors: tasks and classes in words, masks by task, segments as the reference makes them."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zoo_core.errors import ProcessingError
from zoo_multimodal.oneformer.config import OneFormerConfig
from zoo_multimodal.oneformer.image_processor import OneFormerImageProcessor
from zoo_multimodal.oneformer.model import OneFormerForUniversalSegmentation

NAMES = ["wall", "cat", "sky", "dog"]
METADATA = {**{str(i): name for i, name in enumerate(NAMES)}, "class_names": NAMES, "thing_ids": [0, 2]}
INSTANCES = {i: (5 * i + 3) % 4 for i in range(7)}


@pytest.fixture
def processor():
    return OneFormerImageProcessor(metadata=METADATA, num_text=6, do_resize=False, ignore_index=255)


def prepared(processor, task, count=1):
    maps = [np.arange(42).reshape(6, 7) % 7 for _ in range(count)]
    images = [np.zeros((6, 7, 3), dtype=np.uint8)] * count
    return processor(images, [task] * count, maps, instance_id_to_semantic_id=INSTANCES, return_tensors="pt")


@pytest.mark.parametrize(
    "task, classes, texts",
    [
        ("panoptic", [3, 0, 1, 2, 3, 0, 1], ["wall", "wall", "cat", "cat", "sky", "dog"]),
        ("semantic", [3, 0, 1, 2], ["wall", "cat", "sky", "dog", "a semantic photo", "a semantic photo"]),
        ("instance", [0, 2, 0], ["wall", "wall", "sky", *["an instance photo"] * 3]),
    ],
)
def test_masks_and_texts_of_a_task(processor, task, classes, texts):
    out = prepared(processor, task)
    assert out["class_labels"][0].tolist() == classes
    assert out["mask_labels"][0].shape == (len(classes), 6, 7)
    assert out["text_inputs"] == [[t if "photo" in t else f"a photo with a {t}" for t in texts]]
    assert out["task_inputs"] == [f"the task is {task}"]
    if task == "semantic":
        assert torch.equal(out["mask_labels"][0].sum(0), torch.ones(6, 7))


def test_a_later_image_also_tells_of_those_before(processor):
    texts = prepared(processor, "instance", 2)["text_inputs"]
    assert texts[1] == [f"a photo with a {name}" for name in ("wall",) * 4 + ("sky",) * 2]


@pytest.mark.parametrize(
    "options, segments",
    [
        ({}, [(1, 0, 0.652037)]),
        ({"threshold": 0.2}, []),
        ({"task_type": "panoptic", "threshold": 0.3}, [(1, 0, 0.652037)]),
    ],
)
def test_instances(processor, options, segments):
    draw = torch.Generator().manual_seed(0)
    classes = torch.randn(2, 10, 5, generator=draw) * 1.5
    masks = torch.nn.functional.interpolate(
        torch.randn(2, 10, 4, 5, generator=draw) * 6, size=(16, 20), mode="bilinear"
    )
    outputs = SimpleNamespace(class_queries_logits=classes, masks_queries_logits=masks)
    found = processor.post_process_instance_segmentation(outputs, **options)[0]["segments_info"]
    assert [(s["id"], s["label_id"], s["score"]) for s in found] == segments


def test_classes_are_read_where_the_caller_names_their_file_alone(tmp_path):
    file = {str(i): {"name": name, "isthing": 1 - i % 2} for i, name in enumerate(NAMES)}
    (tmp_path / "info.json").write_text(json.dumps(file))
    settings = {"class_info_file": "info.json", "repo_path": str(tmp_path), "num_text": 6}
    assert OneFormerImageProcessor(**settings).metadata == METADATA
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    silent = OneFormerImageProcessor.from_pretrained(tmp_path)
    with pytest.raises(ProcessingError, match="the classes are not known"):
        prepared(silent, "instance")
    assert OneFormerImageProcessor.from_pretrained(tmp_path, class_info_file="info.json").metadata == METADATA


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda p: prepared(p, "segments"), "the task is 'segments', but must be one of"),
        (
            lambda p: p(
                [np.zeros((6, 7, 3), dtype=np.uint8)] * 2, ["semantic"], [np.ones((6, 7), dtype=np.uint8)] * 2
            ),
            "2 images came with 1 task_inputs",
        ),
        (
            lambda p: p(np.zeros((6, 7, 3), dtype=np.uint8), ["instance"], [np.ones((6, 7), dtype=np.uint8)]),
            "holds nothing that the task 'instance' asks for",
        ),
    ],
)
def test_refusals(processor, call, message):
    with pytest.raises(ProcessingError, match=message):
        call(processor)


def test_labels_need_texts_and_a_model_that_reads_them():
    sizes = dict.fromkeys(("conv_dim", "mask_dim", "hidden_dim", "dim_feedforward"), 32)
    backbone = {
        "model_type": "resnet",
        "embedding_size": 8,
        "hidden_sizes": [8, 8, 8, 8],
        "depths": [1, 1, 1, 1],
        "layer_type": "basic",
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    }
    config = OneFormerConfig(
        backbone_config=backbone,
        num_queries=4,
        encoder_layers=1,
        decoder_layers=2,
        query_dec_layers=1,
        **sizes,
    )
    model = OneFormerForUniversalSegmentation(config).eval()
    pixels, task = torch.rand(1, 3, 64, 64), torch.zeros(1, 77, dtype=torch.long)
    labels = {"mask_labels": [torch.ones(1, 64, 64)], "class_labels": [torch.tensor([0])]}
    with pytest.raises(ValueError, match="load it with is_training=True"):
        model(pixels, task, **labels)
    with pytest.raises(ValueError, match=r"must be \(images, task_seq_len\), \(1, 77\)"):
        model(pixels, task[:, :5])
