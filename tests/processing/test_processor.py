"""A processor joins its components: one call, one folder."""

from typing import ClassVar

import numpy as np
import pytest

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin, expand_placeholders, share_out
from zoo_vision.processing.classification import CLIPImageProcessor

IMAGE = np.zeros((20, 30, 3), np.uint8)
TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: "
    "{% for part in message.content %}{{ part.text if part.type == 'text' else '[IMG]' }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %} assistant:{% endif %}"
)


class PictureTextProcessor(ProcessorMixin):
    attributes = ("image_processor", "tokenizer")
    defaults: ClassVar = {"text_kwargs": {"padding": False}}
    image_token: str = "<image>"
    patch_size: int | None = None


@pytest.fixture
def processor(tokenizer) -> PictureTextProcessor:
    return PictureTextProcessor(CLIPImageProcessor(size=16, crop_size=16), tokenizer, patch_size=8)


def test_one_call(processor) -> None:
    batch = processor(
        images=[IMAGE] * 2, text=["a cat", "dogs everywhere"], padding=True, return_tensors="pt"
    )
    assert isinstance(batch, BatchFeature) and batch.pixel_values.shape == (2, 3, 16, 16)
    assert batch.input_ids.shape == batch.attention_mask.shape and len(batch.input_ids) == 2
    assert set(processor(text="a cat")) >= {"input_ids", "attention_mask"}
    assert processor.decode(batch.input_ids[0], skip_special_tokens=True) == "a cat"


def test_keywords_go_where_they_are_known(processor) -> None:
    batch = processor(images=IMAGE, text="a cat on a mat", crop_size=8, max_length=4, truncation=True)
    assert batch["pixel_values"][0].shape == (3, 8, 8) and len(batch["input_ids"]) == 4
    batch = processor(
        images=IMAGE,
        text="a cat",
        images_kwargs={"return_tensors": "np", "do_center_crop": False},
        text_kwargs={"add_special_tokens": False},
    )
    assert batch["pixel_values"].shape == (1, 3, 16, 24) and len(batch["input_ids"]) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({}, ProcessingError, "PictureTextProcessor was called without images or text"),
        ({"audio": [0.1]}, ProcessingError, "PictureTextProcessor takes no audio; it takes images or text"),
        ({"text": "a", "truncaton": True}, TypeError, "no keyword 'truncaton'; did you mean 'truncation'?"),
    ],
)
def test_calls_that_cannot_be_served(processor, call, error, message) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")):
        processor(**call)


def test_components_are_required(tokenizer) -> None:
    with pytest.raises(ProcessingError, match="PictureTextProcessor needs image_processor"):
        PictureTextProcessor(tokenizer=tokenizer)
    with pytest.raises(TypeError, match="takes image_processor, tokenizer; got 3"):
        PictureTextProcessor(1, 2, 3)


def test_save_load_save(processor, tmp_path) -> None:
    processor.chat_template = TEMPLATE
    processor.save_pretrained(tmp_path / "one")
    loaded = PictureTextProcessor.from_pretrained(tmp_path / "one")
    loaded.save_pretrained(tmp_path / "two")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert first == second and {
        "preprocessor_config.json",
        "processor_config.json",
        "chat_template.jinja",
    } <= set(first)
    assert loaded.patch_size == 8 and loaded.image_processor.crop_size == {"height": 16, "width": 16}
    assert b'"processor_class": "PictureTextProcessor"' in first["preprocessor_config.json"]


def test_overrides_and_what_is_left(processor, tmp_path) -> None:
    processor.save_pretrained(tmp_path)
    loaded, unused = PictureTextProcessor.from_pretrained(
        tmp_path, patch_size=4, do_center_crop=False, return_unused_kwargs=True
    )
    assert loaded.patch_size == 4 and loaded.image_processor.do_center_crop is False and unused == {}


def test_a_file_cannot_name_components(processor, tmp_path) -> None:
    processor.save_pretrained(tmp_path)
    path = tmp_path / "processor_config.json"
    path.write_text('{"tokenizer": {"evil": 1}, "image_processor": 3, "patch_size": 2, "image_token": "<i>"}')
    loaded = PictureTextProcessor.from_pretrained(tmp_path)
    assert isinstance(loaded.image_processor, CLIPImageProcessor) and loaded.image_token == "<i>"


def talk(*parts):
    return [{"role": "user", "content": list(parts)}]


def test_chat_with_pictures(processor) -> None:
    processor.chat_template = TEMPLATE
    conversation = talk({"type": "image", "image": IMAGE}, {"type": "text", "text": " what is it"})
    text = processor.apply_chat_template(conversation, add_generation_prompt=True)
    assert text == "user: [IMG] what is it assistant:"
    batch = processor.apply_chat_template(
        [conversation], tokenize=True, return_dict=True, return_tensors="pt"
    )
    assert batch.pixel_values.shape == (1, 3, 16, 16) and batch.input_ids.shape[0] == 1


def test_chat_without_template(processor) -> None:
    with pytest.raises(ProcessingError, match="has no chat template; pass chat_template="):
        processor.apply_chat_template(talk({"type": "text", "text": "hi"}))


def test_placeholders() -> None:
    assert expand_placeholders(["a <i> b <i>", "c"], "<i>", [[2, "(x)"], []]) == ["a <i><i> b (x)", "c"]
    assert share_out([1, 2, 3], ["<i>", "<i><i>"], "<i>") == [[1], [2, 3]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: expand_placeholders(["<i>", "<i>"], "<i>", [[1], [1, 1]]),
            "text 1 has 1 '<i>' and 2 images",
        ),
        (lambda: expand_placeholders(["<i>"], "<i>", []), "1 texts came with images for 0"),
        (lambda: share_out([1], ["<i>", "<i>"], "<i>"), r"the texts have 2 '<i>' \(1, 1\) for 1 image;"),
    ],
)
def test_placeholders_that_do_not_match(call, message) -> None:
    with pytest.raises(ProcessingError, match=message):
        call()
