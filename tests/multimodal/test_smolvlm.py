"""SmolVLM's videos: which frames, how they look, and what stands for them in a text."""

import json
from pathlib import Path

import numpy as np
import pytest

from zoo_core import AutoProcessor
from zoo_core.errors import ProcessingError
from zoo_multimodal.smolvlm.processor import spelled
from zoo_multimodal.smolvlm.video_processor import SmolVLMVideoProcessor
from zoo_vision.processing.frames import VideoMetadata

RECORDED = Path(__file__).parents[1] / "parity/processors/joint/SmolVLMProcessor.json"
SMALL = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
CLIP = (np.arange(3 * 40 * 60 * 3) * 37 % 251).astype(np.uint8).reshape(3, 40, 60, 3)
SECONDS = {"total_num_frames": 3, "fps": 1.0, "duration": 3.0}
VALUES = [-0.239216, -0.168627, 0.341176, 0.121569, -0.105882, 0.427451, -0.176471]  # the reference's
SAMPLED = {"do_sample_frames": True, "num_frames": 2, "fps": 1}


@pytest.fixture
def processor(tmp_path):
    for name, text in json.loads(RECORDED.read_text())["files"].items():
        (tmp_path / name).write_text(text)
    settings = {"video_processor_type": "SmolVLMVideoProcessor", **SMALL}
    (tmp_path / "video_preprocessor_config.json").write_text(json.dumps(settings))
    return AutoProcessor.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "total, rate, duration, options, count, first, last",
    [
        (100, 10.0, 10.0, {"num_frames": 64, "fps": 1}, 10, [0, 11, 22], 99),
        (100, 25.0, 4.0, {"num_frames": 8, "fps": 2}, 8, [0, 14, 28], 99),
        (1000, 25.0, 40.0, {"num_frames": 8, "fps": 1}, 8, [25, 160, 296], 975),
        (10000, 30.0, 333.0, {"num_frames": 64, "fps": 2}, 64, [30, 187, 345], 9970),
        (10000, 30.0, 333.0, {"num_frames": 64, "fps": 2, "skip_secs": 0}, 64, [0, 158, 317], 9999),
        (10, 10.0, 1.0, {"num_frames": 64, "fps": 1}, 1, [0], 0),
    ],
)
def test_sampled_frames(total, rate, duration, options, count, first, last):
    metadata = VideoMetadata(total_num_frames=total, fps=rate, duration=duration)
    frames = SmolVLMVideoProcessor().sample_frames(metadata, **options)
    assert (len(frames), frames[: len(first)].tolist(), frames[-1]) == (count, first, last)


def test_settings_that_stand_apart_for_videos():
    chosen = {"fps": 1, "max_frames": 64, "video_size": {"longest_edge": 512}}
    processor = SmolVLMVideoProcessor(video_sampling=chosen)
    assert (processor.fps, processor.num_frames, processor.size) == (1, 64, {"longest_edge": 512})


def test_frames(processor):
    out = processor.video_processor(CLIP, return_tensors="pt")
    assert out["pixel_attention_mask"].shape == (1, 3, 32, 32) and out["pixel_attention_mask"].all()
    assert out["pixel_values"].flatten()[::1500].tolist() == pytest.approx(VALUES, abs=1e-5)


def test_a_video_becomes_frames_with_their_times(processor):
    out = processor(text="see <video> ok", videos=[CLIP], video_metadata=[SECONDS], **SAMPLED)
    text = processor.decode(out["input_ids"][0]).replace(" ", "")
    frame = "<fake_token_around_image><global-img><image><image><fake_token_around_image>"
    said = "see You are provided the following series of two frames from a 0:00:03 [H:MM:SS] video.\n"
    assert text == f"<s>{said}\nFrame from 00:00:{frame}\nFrame from 00:02:{frame}\n\nok".replace(" ", "")
    assert out["pixel_values"][0].shape == (2, 3, 32, 32)


def test_several_videos_of_a_text_and_of_several(processor):
    videos, known = [CLIP, CLIP], [SECONDS, SECONDS]
    one = processor(
        text="<video><video>", videos=[videos], video_metadata=known, return_tensors="pt", **SAMPLED
    )
    two = processor(text=["<video>"] * 2, videos=videos, video_metadata=known, return_tensors="pt", **SAMPLED)
    assert one["pixel_values"].equal(two["pixel_values"])
    assert len(two["input_ids"]) == 2 and two["input_ids"][0].equal(two["input_ids"][1])


def test_conversations_with_videos_have_a_template_of_their_own(processor):
    talk = [
        {"role": "system", "content": [{"type": "text", "text": "sys"}]},
        {"role": "user", "content": [{"type": "image"}, {"type": "video"}, {"type": "text", "text": "q"}]},
    ]
    written = processor.apply_chat_template(talk, add_generation_prompt=True)
    expected = "<|im_start|>System: sys<end_of_utterance>\nUser:<image><video>q<end_of_utterance>\nAssistant:"
    assert written == expected
    assert processor.apply_chat_template(talk, "{{ messages | length }}") == "2"


@pytest.mark.parametrize(
    "call, message",
    [
        ({"text": "see", "videos": [CLIP]}, "the texts have 0 '<video>'"),
        ({"text": "<video>", "videos": [CLIP], "images": [CLIP[0]]}, "images or videos in a call, not both"),
        ({"text": "<video>", "videos": [CLIP], "do_sample_frames": True}, "pass both"),
    ],
)
def test_refusals(processor, call, message):
    with pytest.raises(ProcessingError, match=message):
        processor(**call)


@pytest.mark.parametrize(
    "number, words",
    [
        (0, "zero"),
        (15, "fifteen"),
        (20, "twenty"),
        (64, "sixty-four"),
        (100, "one hundred"),
        (999, "nine hundred and ninety-nine"),
        (1001, "one thousand and one"),
        (1234, "one thousand, two hundred and thirty-four"),
        (12000, "twelve thousand"),
    ],
)
def test_numbers_in_words(number, words):
    assert spelled(number) == words
