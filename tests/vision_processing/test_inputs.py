"""What callers may pass for a picture, and that it comes out the same however it is passed."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from zoo_vision.processing.classification import CLIPImageProcessor, ViTImageProcessor
from zoo_vision.processing.dense import SegformerImageProcessor
from zoo_vision.processing.tiles_idefics import Idefics2ImageProcessor

VIT = ViTImageProcessor(size=16)


def pixels(images, processor=VIT, **kwargs):
    return processor(images, return_tensors="np", **kwargs)["pixel_values"]


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda a, path: Image.fromarray(a), id="PIL"),
        pytest.param(lambda a, path: a, id="channels last"),
        pytest.param(lambda a, path: a.transpose(2, 0, 1), id="channels first"),
        pytest.param(lambda a, path: torch.from_numpy(a.transpose(2, 0, 1).copy()), id="tensor"),
        pytest.param(lambda a, path: a[None], id="stack"),
        pytest.param(lambda a, path: [a], id="list"),
        pytest.param(lambda a, path: [[a]], id="nested list"),
        pytest.param(lambda a, path: a.astype(np.int64), id="integers"),
        pytest.param(lambda a, path: a.astype(np.float32), id="whole floats"),
        pytest.param(lambda a, path: str(path), id="path"),
        pytest.param(lambda a, path: path, id="Path"),
        pytest.param(lambda a, path: path.read_bytes(), id="bytes"),
    ],
)
def test_every_form_gives_the_same_pixels(photo, png, wrap) -> None:
    assert np.array_equal(pixels(wrap(photo, png)), pixels(Image.fromarray(photo)))


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "F", "YCbCr"])
def test_modes_become_rgb(photo, mode) -> None:
    image = Image.fromarray(photo).convert(mode)
    assert np.array_equal(pixels(image), pixels(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["PIL", "array"])
def test_sixteen_bits_keep_their_range(kind) -> None:
    ramp = np.linspace(0, 65535, 40 * 30).reshape(40, 30).astype(np.uint16)
    grey = (ramp // 257).astype(np.uint8)
    wide = Image.fromarray(ramp) if kind == "PIL" else np.repeat(ramp[:, :, None], 3, axis=2)
    assert np.array_equal(pixels(wide), pixels(Image.fromarray(grey)))


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (1, 40, 30)])
def test_grey_arrays_are_grey_pictures(shape) -> None:
    grey = np.arange(1200, dtype=np.uint8).reshape(40, 30)
    assert np.array_equal(pixels(grey.reshape(shape)), pixels(Image.fromarray(grey)))


def test_exif_orientation_of_files(photo, tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise
    Image.fromarray(photo).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "turned.png"), pixels(np.rot90(photo, 3)))


def test_transparency_is_laid_over_white_where_the_family_does(photo) -> None:
    clear = Image.fromarray(np.dstack([photo, np.zeros_like(photo[:, :, 0])]), "RGBA")
    found = Idefics2ImageProcessor(size={"shortest_edge": 10, "longest_edge": 40})(clear, return_tensors="np")
    assert (found["pixel_values"] == 1).all()


def test_ambiguous_channels_are_decided_by_the_caller() -> None:
    array = np.random.RandomState(0).randint(0, 256, (3, 40, 3)).astype(np.uint8)
    first = pixels(array, do_resize=False)
    last = pixels(array, do_resize=False, input_data_format="channels_last")
    assert first.shape == (1, 3, 40, 3) and last.shape == (1, 3, 3, 40)


def test_output_order_and_kind(photo) -> None:
    first = VIT(photo, return_tensors="pt")["pixel_values"]
    last = VIT(photo, return_tensors="pt", data_format="channels_last")["pixel_values"]
    assert isinstance(first, torch.Tensor) and torch.equal(first.permute(0, 2, 3, 1), last)
    assert isinstance(VIT(photo)["pixel_values"], list)


def test_fractions_pass_through_eight_bits(photo) -> None:
    fractions = pixels(photo.astype(np.float32) / 255, do_rescale=False)
    assert np.abs(fractions - pixels(photo)).max() <= 2 / 255 + 1e-6


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_do_not_change_results(photo, threads) -> None:
    batch = [np.roll(photo, shift, axis=0) for shift in range(9)]
    assert np.array_equal(pixels(batch, threads=threads), pixels(batch))


def test_overrides_last_for_one_call(photo) -> None:
    assert pixels(photo, size={"height": 8, "width": 12}).shape == (1, 3, 8, 12)
    assert pixels(photo, size=9).shape == (1, 3, 9, 9)
    assert pixels(photo).shape == (1, 3, 16, 16)


def test_unknown_keyword_is_named_with_the_nearest(photo) -> None:
    with pytest.warns(UserWarning, match=r"ignores the keyword 'do_resise'; did you mean 'do_resize'"):
        pixels(photo, do_resise=False)


def test_label_maps_follow_their_pictures(photo) -> None:
    labels = np.arange(40 * 30).reshape(40, 30) % 7
    processor = SegformerImageProcessor(size=20, do_reduce_labels=True)
    out = processor([photo], [labels], return_tensors="pt")
    assert out["labels"].shape == (1, 20, 20) and out["labels"].dtype == torch.int64
    assert set(out["labels"].unique().tolist()) == {0, 1, 2, 3, 4, 5, 255}


def test_crop_larger_than_the_picture_is_padded(photo) -> None:
    processor = CLIPImageProcessor(do_resize=False, crop_size=50, do_normalize=False, do_rescale=False)
    found = pixels(photo, processor)[0].transpose(1, 2, 0)
    assert np.array_equal(found[5:45, 10:40], photo) and found.sum() == photo.sum()


def test_arrays_need_no_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from zoo_vision.processing.classification import ViTImageProcessor\n"
        "ViTImageProcessor()(np.zeros((9, 9, 3), np.uint8), return_tensors='np')\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
