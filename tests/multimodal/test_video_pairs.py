"""Processors of video with text (TVP) and of video with sound (TVLT)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo_core.registry import component


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    draw = np.random.RandomState(0)
    return [draw.randint(0, 255, (3, 40, 50), dtype=np.uint8) for _ in range(4)]


def test_tvp_joins_frames_and_a_sentence_and_tells_seconds(frames, tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nperson\nsits\n")
    tokenizer = component("BertTokenizer")(vocab_file=str(tmp_path / "vocab.txt"))
    processor = component("TvpProcessor")(component("TvpImageProcessor")(), tokenizer)
    out = processor(text="person sits", images=[[f.transpose(1, 2, 0) for f in frames]], return_tensors="pt")
    assert out["input_ids"].tolist() == [[2, 5, 6, 3]]
    assert out["pixel_values"].shape == (1, 4, 3, 448, 448)
    assert processor.post_process_video_grounding(torch.tensor([[0.123, 0.777]]), 12.34) == (1.5, 9.6)


def test_tvlt_joins_frames_and_sound(frames):
    processor = component("TvltProcessor")(
        component("TvltImageProcessor")(), component("TvltFeatureExtractor")()
    )
    sound = np.random.RandomState(0).randn(20000).astype(np.float32)
    out = processor(images=frames, audio=sound, images_mixed=frames, sampling_rate=44100, return_tensors="pt")
    shapes = {name: tuple(value.shape) for name, value in out.items()}
    assert shapes == {
        "audio_values": (1, 1, 48, 128),
        "audio_mask": (1, 24),
        "pixel_values": (1, 4, 3, 224, 224),
        "pixel_mask": (1, 4 * 196),
        "pixel_values_mixed": (1, 4, 3, 224, 224),
        "pixel_mask_mixed": (1, 4 * 196),
    }
    with pytest.raises(ValueError, match="pass images, audio or both"):
        processor()
