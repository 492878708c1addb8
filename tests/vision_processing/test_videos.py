"""Frames sampled from videos and prepared as pictures."""

import builtins

import numpy as np
import pytest

import zoo_core
from zoo_core.errors import MissingDependency, ProcessingError
from zoo_vision.processing.clips import VideoMAEImageProcessor, VivitImageProcessor
from zoo_vision.processing.videos import (
    InstructBlipVideoVideoProcessor,
    InternVLVideoProcessor,
    LlavaNextVideoVideoProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLVideoProcessor,
    VideoMetadata,
)

CLIP = np.random.RandomState(0).randint(0, 256, (9, 60, 90, 3)).astype(np.uint8)
LONG = VideoMetadata(total_num_frames=100, fps=25.0)


@pytest.mark.parametrize(
    ("processor", "asked", "kept"),
    [
        (LlavaNextVideoVideoProcessor, {"num_frames": 8}, [0, 12, 25, 37, 50, 62, 75, 87]),
        (LlavaNextVideoVideoProcessor, {"fps": 1}, [0, 25, 50, 75]),
        (InternVLVideoProcessor, {"num_frames": 3}, [16, 50, 83]),
        (Qwen2VLVideoProcessor, {"num_frames": 7}, [0, 12, 25, 37, 50, 62, 75, 87]),
        (Qwen2VLVideoProcessor, {"fps": 0.01}, [0, 25, 50, 75]),
        (Qwen3VLVideoProcessor, {"num_frames": 3}, [0, 50, 99]),
    ],
)
def test_sampling(processor, asked, kept) -> None:
    assert processor().sample_frames(LONG, **asked).tolist() == kept


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"num_frames": 10}, "video 0: 10 frames are asked for and the video has 9"),
        ({"num_frames": 2, "fps": 2}, "video 0: num_frames and fps exclude each other"),
        ({"fps": 2}, "video 0: sampling by fps needs video_metadata"),
    ],
)
def test_impossible_sampling(asked, message) -> None:
    with pytest.raises(ProcessingError, match=message):
        LlavaNextVideoVideoProcessor()(CLIP, do_sample_frames=True, **asked)


@pytest.mark.parametrize(
    "wrap",
    [lambda v: v, lambda v: [v], lambda v: list(v), lambda v: v[None], lambda v: v.transpose(0, 3, 1, 2)],
)
def test_every_form_gives_the_same_frames(wrap) -> None:
    processor = InstructBlipVideoVideoProcessor(size=20)
    out = processor(wrap(CLIP), return_tensors="pt", do_sample_frames=True, num_frames=4)
    expected = processor([list(CLIP[[0, 2, 4, 6]])], return_tensors="pt")
    assert out["pixel_values"].shape == (1, 4, 3, 20, 20)
    assert bool((out["pixel_values"] == expected["pixel_values"]).all())


def test_patches_of_two_frames() -> None:
    processor = Qwen2VLVideoProcessor()
    out = processor([CLIP], return_tensors="pt", return_metadata=True)
    assert out["video_grid_thw"].tolist() == [[5, 20, 28]] and out["pixel_values_videos"].shape == (
        2800,
        1176,
    )
    assert processor.get_num_of_video_patches(9, 60, 90) == 2800
    assert out["video_metadata"][0].frames_indices == list(range(9))


def test_files_need_a_decoder_that_is_named(tmp_path, monkeypatch) -> None:
    real = builtins.__import__

    def without_av(name, *args, **kwargs):
        if name == "av":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr("importlib.import_module", without_av)
    with pytest.raises(MissingDependency, match=r"pip install 'zoo-vision\[video\]'"):
        LlavaNextVideoVideoProcessor()(str(tmp_path / "clip.mp4"))


def test_a_bad_frame_is_named() -> None:
    frames = [CLIP[0], np.zeros((4, 4), np.float32) + np.nan]
    with pytest.raises(ProcessingError, match="image 1: the pixels hold NaN"):
        LlavaNextVideoVideoProcessor()([frames])


@pytest.mark.parametrize(
    ("processor", "low"), [(VideoMAEImageProcessor(), -1.0), (VivitImageProcessor(), -3.0)]
)
def test_clips_of_image_processors(processor, low) -> None:
    frames = [np.zeros((60, 90, 3), np.uint8)] * 3
    values = processor([frames, frames], return_tensors="pt")["pixel_values"]
    assert values.shape == (2, 3, 3, 224, 224) and values.min().item() == pytest.approx(low)


def test_files_survive(tmp_path) -> None:
    Qwen2VLVideoProcessor(max_frames=20).save_pretrained(tmp_path)
    loaded = zoo_core.AutoVideoProcessor.from_pretrained(tmp_path)
    assert type(loaded) is Qwen2VLVideoProcessor and loaded.max_frames == 20
    loaded.save_pretrained(tmp_path / "again")
    name = "video_preprocessor_config.json"
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
