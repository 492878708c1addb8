"""Pictures and settings that cannot be taken: an error that says which one, and what is wrong."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from zoo_core.errors import ConfigError, ProcessingError
from zoo_vision.processing.classification import CLIPImageProcessor, ViTImageProcessor
from zoo_vision.processing.dense import SegformerImageProcessor
from zoo_vision.processing.detection import DetrImageProcessor
from zoo_vision.processing.keypoints import SuperGlueImageProcessor, VitPoseImageProcessor
from zoo_vision.processing.patches import Pix2StructImageProcessor, Qwen2VLImageProcessor
from zoo_vision.processing.prompted import VitMatteImageProcessor
from zoo_vision.processing.sam import SamImageProcessor
from zoo_vision.processing.segmentation import MaskFormerImageProcessor

GOOD = np.zeros((20, 20, 3), np.uint8)
VIT = ViTImageProcessor(size=8)


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that claims this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def with_nan() -> np.ndarray:
    array = np.zeros((20, 20, 3), np.float32)
    array[3, 4, 1] = np.nan
    return array


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"not an image", r"image 1: the 12 bytes is no image that Pillow can read"),
        (b"", r"image 1: the 0 bytes is no image"),
        ("/nowhere/x.png", r"image 1: there is no file /nowhere/x\.png"),
        ("https://example.org/x.png", r"image 1: https://example.org/x.png is an address; download it"),
        (bomb(40_000, 30_000), r"image 1: .*1200000000 pixels\) exceeds limit of 178956970"),
        (bomb(20, 20), r"image 1: the \d+ bytes is damaged or cut off"),
        (with_nan(), r"image 1: the pixels hold NaN or infinity"),
        (
            np.full((20, 20, 3), 2.5),
            r"image 1: fractional pixels must be within 0..1 to be resized, got 2.5..2.5",
        ),
        (np.full((20, 20, 3), 300), r"image 1: whole-numbered pixels must be within 0..255, got 300..300"),
        (
            np.zeros((20, 20, 7)),
            r"image 1: an array of shape \(20, 20, 7\) has no axis of 1, 3 or 4 channels",
        ),
        (np.zeros((0, 20, 3)), r"image 1: the image is 20x0 pixels"),
        (np.zeros(5), r"image 1: an image has 2 or 3 dimensions"),
        (np.asarray([["a"]]), r"image 1: pixels must be numbers"),
        (
            np.zeros((20, 20, 2), np.uint8),
            r"image 1: an array of shape \(20, 20, 2\) has no axis of 1, 3 or 4",
        ),
        (7, r"image 1 must be a PIL image, .* got int"),
        (None, r"image 1 must be a PIL image, .* got NoneType"),
    ],
)
def test_the_message_names_the_item(bad, message) -> None:
    with pytest.raises(ProcessingError, match=message):
        VIT([GOOD, bad], return_tensors="np")


def test_truncated_jpeg(jpeg) -> None:
    with pytest.raises(ProcessingError, match=r"image 2: the \d+ bytes is damaged or cut off"):
        VIT([GOOD, jpeg, jpeg[: len(jpeg) // 2]])


def test_truncated_pil_image(jpeg) -> None:
    with pytest.raises(ProcessingError, match="image 0: the image is damaged or cut off"):
        VIT(Image.open(io.BytesIO(jpeg[: len(jpeg) // 2])))


@pytest.mark.parametrize("given", [None, 7, [], [[]], {"a": 1}, object()])
def test_no_images(given) -> None:
    with pytest.raises(ProcessingError, match=r"no image was given|images must be"):
        VIT(given)


def test_one_pixel_is_enough() -> None:
    assert VIT(np.zeros((1, 1, 3), np.uint8), return_tensors="np")["pixel_values"].shape == (1, 3, 8, 8)


@pytest.mark.parametrize(
    "processor", [CLIPImageProcessor(), DetrImageProcessor(), SamImageProcessor(), Pix2StructImageProcessor()]
)
def test_long_and_narrow_stays_bounded(processor) -> None:
    narrow = np.zeros((1, 3_000_000, 3), np.uint8)
    try:
        processor(narrow, return_tensors="np")
    except ProcessingError as error:
        assert str(error).startswith("image 0: the resized image is")


def test_aspect_ratio_limit() -> None:
    with pytest.raises(ProcessingError, match="image 0: the aspect ratio of 9000x20 exceeds 200"):
        Qwen2VLImageProcessor()(np.zeros((20, 9000, 3), np.uint8))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": {"hight": 3}}, r"size has the key 'hight'; known are height"),
        (
            {"size": {"height": -1, "width": 3}},
            r"size\['height'\] must be a number of pixels from 1 up, got -1",
        ),
        ({"size": "large"}, r"size='large' is no size"),
        ({"image_mean": ["a"]}, r"image_mean=\['a'\] must be one finite number per channel"),
        ({"image_std": [0.5, float("nan"), 0.5]}, "image_std=.* must be one finite number per channel"),
    ],
)
def test_settings_of_a_file(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        ViTImageProcessor.from_dict(settings)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"image_std": [0.5, 0.0, 0.5]}, ConfigError, "has a zero; the values are divided by it"),
        ({"resample": 9}, ProcessingError, r"image 0: resample=9 is none of Pillow's filters 0..5"),
        ({"image_mean": [0.5] * 4}, ProcessingError, "image_mean has 4 values and the image 3 channels"),
        (
            {"return_tensors": "tf"},
            ProcessingError,
            "return_tensors='tf' is not known; use 'np', 'pt' or None",
        ),
        ({"data_format": "sideways"}, ConfigError, "data_format must be 'channels_first' or 'channels_last'"),
        (
            {"size": {"height": 100_000, "width": 100_000}},
            ProcessingError,
            "the resized image is 100000x100000",
        ),
    ],
)
def test_settings_of_a_call(call, error, message) -> None:
    with pytest.raises(error, match=message):
        VIT(GOOD, **{"return_tensors": "np", **call})


def test_shapes_that_differ_are_explained() -> None:
    with pytest.raises(ProcessingError, match=r"pixel_values cannot become one array: its items differ"):
        VIT([GOOD, GOOD[:10]], do_resize=False, return_tensors="np")


def annotation(box, **more):
    return {"image_id": 1, "annotations": [{"bbox": box, "category_id": 3, **more}]}


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        (
            [annotation([30, 2, 5, 5])] * 2,
            r"image 0: the box of object 0, .* lies outside the picture of 20x20",
        ),
        ([annotation([2, 2, 5, 5]), annotation([2, -9, 5, 5])], r"image 1: the box of object 0"),
        ([annotation([2, 2, 5, 5])], r"2 images came with 1 annotations; give one per image"),
        ([{"annotations": []}] * 2, r"image 0: an annotation lacks image_id"),
        ([annotation([2, 2, 5])] * 2, r"image 0: object 0 has bbox=\[2, 2, 5\], not"),
        ([annotation([2, 2, "5", 5])] * 2, r"image 0: object 0 has bbox=\[2, 2, '5', 5\], not"),
        ([annotation([2, 2, float("nan"), 5])] * 2, r"image 0: a bounding box holds NaN"),
    ],
)
def test_annotations(notes, message) -> None:
    with pytest.raises(ProcessingError, match=message):
        DetrImageProcessor()([GOOD, GOOD], notes)


def test_panoptic_files_stay_in_their_folder(tmp_path) -> None:
    note = {"image_id": 1, "file_name": "../secret.png", "segments_info": []}
    with pytest.raises(ProcessingError, match=r"image 0: file_name '\.\./secret\.png' leaves masks_path"):
        DetrImageProcessor(format="coco_panoptic")(GOOD, note, masks_path=tmp_path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: SegformerImageProcessor()([GOOD] * 2, [GOOD[:, :, 0]]),
            "2 images came with 1 segmentation maps",
        ),
        (
            lambda: SegformerImageProcessor()([GOOD], [GOOD]),
            "a segmentation map holds one class number per pixel",
        ),
        (
            lambda: MaskFormerImageProcessor()([GOOD] * 2, [GOOD[:, :, 0]]),
            "2 images came with 1 segmentation",
        ),
        (
            lambda: SuperGlueImageProcessor()([GOOD] * 3),
            "pair 0 has 3 images; pass two images, or a list of pairs",
        ),
        (lambda: SuperGlueImageProcessor()([[GOOD] * 2, [GOOD]]), "pair 1 has 1 image; pass two"),
        (lambda: VitPoseImageProcessor()(GOOD), "ViTPose needs boxes"),
        (lambda: VitPoseImageProcessor()([GOOD] * 2, [[]]), "2 images came with boxes for 1"),
        (
            lambda: VitPoseImageProcessor()(GOOD, [[[50, 1, 3, 3]]]),
            r"image 0: box 0 .* lies outside the picture",
        ),
        (lambda: VitMatteImageProcessor()(GOOD, np.zeros((9, 9))), "trimap 0 has shape"),
    ],
)
def test_inputs_that_do_not_fit_together(call, message) -> None:
    with pytest.raises(ProcessingError, match=message):
        call()
