"""Targets of detection and segmentation, and what post-processing makes of a model's outputs."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from zoo_core.errors import ProcessingError
from zoo_vision.processing.boxes import suppress
from zoo_vision.processing.dense import DepthProImageProcessor, DPTImageProcessor, SegformerImageProcessor
from zoo_vision.processing.detection import (
    ConditionalDetrImageProcessor,
    DetrImageProcessor,
    RTDetrImageProcessor,
)
from zoo_vision.processing.keypoints import SuperPointImageProcessor, VitPoseImageProcessor
from zoo_vision.processing.prompted import VitMatteImageProcessor
from zoo_vision.processing.sam import SamImageProcessor
from zoo_vision.processing.segmentation import Mask2FormerImageProcessor, MaskFormerImageProcessor

LOW, HIGH = -9.0, 9.0


def test_boxes_become_relative_centres() -> None:
    note = {
        "image_id": 7,
        "annotations": [
            {"bbox": [10, 20, 20, 40], "category_id": 3, "area": 800.0},
            {"bbox": [90, 90, 30, 30], "category_id": 5, "area": 100.0},
            {"bbox": [1, 1, 5, 5], "category_id": 9, "iscrowd": 1},
        ],
    }
    processor = DetrImageProcessor(size={"height": 200, "width": 300}, do_pad=False)
    labels = processor(np.zeros((100, 100, 3), np.uint8), note, return_tensors="pt")["labels"][0]
    assert labels["boxes"].tolist() == pytest.approx(
        np.asarray([[0.2, 0.4, 0.2, 0.4], [0.95, 0.95, 0.1, 0.1]])
    )
    assert labels["class_labels"].tolist() == [3, 5] and labels["area"].tolist() == [4800.0, 600.0]
    assert labels["orig_size"].tolist() == [100, 100] and labels["size"].tolist() == [200, 300]


def test_padding_shrinks_relative_boxes() -> None:
    note = {"image_id": 1, "annotations": [{"bbox": [0, 0, 10, 10], "category_id": 0}]}
    images = [np.zeros((10, 10, 3), np.uint8), np.zeros((10, 20, 3), np.uint8)]
    out = DetrImageProcessor(do_resize=False)(images, [note, note], return_tensors="pt")
    assert out["labels"][0]["boxes"].tolist() == [[0.25, 0.5, 0.5, 1.0]]
    assert out["pixel_mask"].sum(dim=(1, 2)).tolist() == [100, 200]


def test_panoptic_masks(tmp_path) -> None:
    colours = np.zeros((8, 6, 3), np.uint8)
    colours[2:5, 1:4, 0] = 9
    colours[6:, :, 1] = 1
    Image.fromarray(colours).save(tmp_path / "panoptic.png")
    segments = [{"id": 9, "category_id": 4, "area": 9}, {"id": 256, "category_id": 2, "area": 12}]
    note = {"image_id": 1, "file_name": "panoptic.png", "segments_info": segments}
    processor = DetrImageProcessor(format="coco_panoptic", do_resize=False, do_convert_annotations=False)
    image = np.zeros((8, 6, 3), np.uint8)
    labels = processor(image, note, masks_path=tmp_path, return_tensors="np")["labels"][0]
    assert labels["boxes"].tolist() == [[1, 2, 3, 4], [0, 6, 5, 7]] and labels["masks"].sum() == 9 + 12


def test_instance_maps_become_masks_of_classes() -> None:
    instances = np.zeros((4, 4), np.uint8)
    instances[:2], instances[2:] = 1, 2
    out = MaskFormerImageProcessor(do_resize=False)(
        np.zeros((4, 4, 3), np.uint8), instances, {1: 5, 2: 5}, return_tensors="pt"
    )
    assert out["mask_labels"][0].sum(dim=(1, 2)).tolist() == [8, 8] and out["class_labels"][0].tolist() == [
        5,
        5,
    ]


def logits(*best: int, classes: int = 4) -> torch.Tensor:
    """One image whose queries are sure of these classes."""
    return torch.nn.functional.one_hot(torch.tensor(best), classes).float()[None] * 20 - 10


def test_prepared_images_are_padded_with_their_masks() -> None:
    images = [np.ones((3, 4, 6), np.float32), np.ones((3, 5, 2), np.float32)]
    maps = [np.full((4, 6), 7), np.full((5, 2), 3)]
    out = MaskFormerImageProcessor().encode_inputs(images, maps, return_tensors="pt")
    assert out["pixel_values"].shape == (2, 3, 5, 6) and out["pixel_mask"].sum((1, 2)).tolist() == [24, 10]
    assert [labels.tolist() for labels in out["class_labels"]] == [[7], [3]]
    assert [int(masks.sum()) for masks in out["mask_labels"]] == [24, 10]


def test_detections_in_pixels() -> None:
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.1, 0.1]]])
    outputs = SimpleNamespace(logits=logits(2, 3), pred_boxes=boxes)
    (found,) = DetrImageProcessor().post_process_object_detection(outputs, target_sizes=[(100, 200)])
    assert found["labels"].tolist() == [2] and found["boxes"][0].tolist() == pytest.approx([80, 30, 120, 70])
    for processor in (ConditionalDetrImageProcessor(), RTDetrImageProcessor()):
        (found,) = processor.post_process_object_detection(outputs)
        assert sorted(found["labels"].tolist()) == [2, 3]


def test_numbers_of_sizes_must_agree() -> None:
    outputs = SimpleNamespace(logits=logits(2), pred_boxes=torch.rand(1, 1, 4))
    with pytest.raises(ProcessingError, match="target_sizes has 2 entries and the outputs are of 1 images"):
        DetrImageProcessor().post_process_object_detection(outputs, target_sizes=[(1, 1), (2, 2)])


def test_suppression_keeps_the_better_of_two() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]])
    assert suppress(boxes, torch.tensor([0.5, 0.9, 0.1]), 0.5).tolist() == [1, 2]


def halves(*, height: int = 8, width: int = 8) -> torch.Tensor:
    """Mask logits of two queries: the left and the right half."""
    masks = torch.full((1, 2, height, width), LOW)
    masks[0, 0, :, : width // 2] = HIGH
    masks[0, 1, :, width // 2 :] = HIGH
    return masks


def test_panoptic_segments_fuse_stuff() -> None:
    outputs = SimpleNamespace(logits=logits(1, 1), pred_masks=halves())
    (found,) = DetrImageProcessor().post_process_panoptic_segmentation(outputs, label_ids_to_fuse={1})
    assert [one["id"] for one in found["segments_info"]] == [1, 1]
    assert found["segments_info"][0]["was_fused"] and (found["segmentation"] == 1).all()
    (found,) = DetrImageProcessor().post_process_panoptic_segmentation(outputs, target_sizes=[(16, 12)])
    assert found["segmentation"].shape == (16, 12) and found["segmentation"].unique().tolist() == [1, 2]


def test_nothing_found() -> None:
    outputs = SimpleNamespace(logits=logits(3, 3), pred_masks=halves())
    (found,) = DetrImageProcessor().post_process_panoptic_segmentation(outputs)
    assert found["segments_info"] == [] and (found["segmentation"] == -1).all()


@pytest.mark.parametrize("processor", [MaskFormerImageProcessor(), Mask2FormerImageProcessor()])
def test_queries_become_maps(processor) -> None:
    outputs = SimpleNamespace(class_queries_logits=logits(0, 2), masks_queries_logits=halves())
    (classes,) = processor.post_process_semantic_segmentation(outputs, target_sizes=[(8, 8)])
    assert classes[0].tolist() == [0, 0, 0, 0, 2, 2, 2, 2]
    (found,) = processor.post_process_instance_segmentation(
        outputs, target_sizes=[(8, 8)], return_binary_maps=True
    )
    assert found["segmentation"].shape == (2, 8, 8)
    assert sorted(one["label_id"] for one in found["segments_info"]) == [0, 2]
    (coded,) = processor.post_process_instance_segmentation(
        outputs, target_sizes=[(2, 4)], return_coco_annotation=True
    )
    assert sorted(coded["segmentation"]) == [[1, 2, 5, 2], [3, 2, 7, 2]]


def test_semantic_and_depth_maps() -> None:
    maps = torch.zeros(1, 3, 4, 4)
    maps[:, 1, :2], maps[:, 2, 2:] = 1, 1
    (classes,) = SegformerImageProcessor().post_process_semantic_segmentation(
        SimpleNamespace(logits=maps), target_sizes=[(8, 2)]
    )
    assert classes[:, 0].tolist() == [1] * 4 + [2] * 4
    depth = SimpleNamespace(predicted_depth=torch.full((1, 4, 4), 2.5))
    (found,) = DPTImageProcessor().post_process_depth_estimation(depth, [(6, 9)])
    assert found["predicted_depth"].shape == (6, 9) and torch.allclose(
        found["predicted_depth"], torch.tensor(2.5)
    )


def test_masks_of_prompts_return_to_their_picture() -> None:
    processor = SamImageProcessor()
    batch = processor(np.zeros((50, 100, 3), np.uint8), return_tensors="pt")
    assert batch["reshaped_input_sizes"].tolist() == [[512, 1024]]
    masks = torch.full((1, 1, 1, 256, 256), LOW)
    masks[..., :64, :128] = HIGH  # the upper left quarter of the part that is picture
    (found,) = processor.post_process_masks(masks, batch["original_sizes"], batch["reshaped_input_sizes"])
    assert found.shape == (1, 1, 50, 100) and found.sum() == 25 * 50


def test_keypoints_in_pixels() -> None:
    outputs = SimpleNamespace(
        keypoints=torch.tensor([[[0.5, 0.25], [0.0, 0.0]]]),
        scores=torch.tensor([[0.9, 0.0]]),
        descriptors=torch.ones(1, 2, 4),
        mask=torch.tensor([[1, 0]]),
    )
    (found,) = SuperPointImageProcessor().post_process_keypoint_detection(outputs, [(40, 80)])
    assert found["keypoints"].tolist() == [[40, 10]] and found["descriptors"].shape == (1, 4)


def test_poses_return_to_their_box() -> None:
    """A peak in the middle of the map is the middle of the box."""
    y, x = np.mgrid[0:65, 0:49]
    peak = np.exp(-((x - 24) ** 2 + (y - 32) ** 2) / 8)
    outputs = SimpleNamespace(heatmaps=torch.tensor(peak, dtype=torch.float32)[None, None])
    ((person,),) = VitPoseImageProcessor().post_process_pose_estimation(outputs, [[[10.0, 20.0, 30.0, 40.0]]])
    assert person["keypoints"][0].tolist() == pytest.approx([25, 40], abs=1e-3)
    assert person["scores"].tolist() == pytest.approx([1.0]) and person["bbox"].tolist() == [10, 20, 40, 60]


def test_people_are_cut_out() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 40:60] = 255
    out = VitPoseImageProcessor(do_normalize=False)(image, [[[40, 40, 20, 20]]], return_tensors="pt")
    assert (
        out["pixel_values"].shape == (1, 3, 256, 192)
        and out["pixel_values"][0, :, 128, 96].tolist() == [1] * 3
    )


def test_trimaps_are_a_fourth_channel() -> None:
    trimap = np.full((20, 30), 128, np.uint8)
    out = VitMatteImageProcessor()(np.zeros((20, 30, 3), np.uint8), trimap, return_tensors="pt")[
        "pixel_values"
    ]
    assert out.shape == (1, 4, 32, 32) and out[0, 3, 5, 5].item() == pytest.approx(128 / 255)


def test_a_wider_view_is_nearer() -> None:
    """Inverse depth for a camera whose focal length is its width, at half a right angle and beyond."""
    outputs = SimpleNamespace(
        predicted_depth=torch.full((2, 4, 4), 0.5), field_of_view=torch.tensor([90.0, 53.13])
    )
    near, far = DepthProImageProcessor().post_process_depth_estimation(outputs, [(8, 10), (6, 10)])
    assert near["focal_length"] == pytest.approx(5) and far["focal_length"] == pytest.approx(10, rel=1e-3)
    assert near["predicted_depth"].shape == (8, 10) and near["predicted_depth"][0, 0] == pytest.approx(1)
    assert far["predicted_depth"][0, 0] == pytest.approx(2, rel=1e-3)


def test_depth_pro_interpolates_levels() -> None:
    """Every second level of a ramp, halved: means of two neighbours, none of them rounded to a level."""
    ramp = np.broadcast_to(np.arange(0, 8, dtype=np.uint8)[None, :, None], (4, 8, 3))
    processor = DepthProImageProcessor(
        size={"height": 2, "width": 4}, image_mean=[0.0] * 3, image_std=[1.0] * 3
    )
    out = processor(ramp, return_tensors="pt")["pixel_values"]
    assert out.shape == (1, 3, 2, 4)
    torch.testing.assert_close(out[0, 0, 0] * 255, torch.tensor([0.5, 2.5, 4.5, 6.5]))
