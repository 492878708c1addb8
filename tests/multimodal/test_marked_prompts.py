"""Processors of KOSMOS-2, Fuyu, Emu3 and IDEFICS; expected values are the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing

from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.emu3.processor import Emu3Processor
from zoo_multimodal.fuyu.processor import FuyuProcessor
from zoo_multimodal.idefics.processor import IdeficsProcessor
from zoo_multimodal.kosmos_2.processor import Kosmos2Processor
from zoo_vision.processing.classification import CLIPImageProcessor, IdeficsImageProcessor
from zoo_vision.processing.emu3 import Emu3ImageProcessor
from zoo_vision.processing.padded import FuyuImageProcessor

BASE = ["<unk>", "<s>", "</s>", "<pad>"]
LETTERS = [" ", *"abcdefghijklmnopqrstuvwxyz", *"0123456789", *"*,<>/"]


def tokenizer(marks: Sequence[str] = (), pieces: Sequence[str] = (), **named: str) -> PreTrainedTokenizerFast:
    """One of single letters; `marks` are special tokens, `pieces` longer ones of the vocabulary."""
    words = [*BASE, *LETTERS, *pieces]
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    pattern = r"\|\w+\||<0x0\d>|[\s\S]"
    made.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    made.add_special_tokens([AddedToken(one, normalized=False) for one in (*BASE, *marks)])
    made.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    ends = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, extra_special_tokens=named, **ends)


def pixels(height: int, width: int) -> np.ndarray:
    return np.random.RandomState(height).randint(0, 255, (height, width, 3)).astype(np.uint8)


def ids_of(processor: Any, text: str) -> list[int]:
    found: list[int] = processor.tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


# KOSMOS-2


@pytest.fixture(scope="module")
def kosmos() -> Any:
    size = {"height": 8, "width": 8}
    return Kosmos2Processor(CLIPImageProcessor(size={"shortest_edge": 8}, crop_size=size), tokenizer())


def test_kosmos_images_come_before_texts(kosmos: Any) -> None:
    image = pixels(10, 12)
    found = kosmos([image, image], ["ab", "abcd"], num_image_tokens=4, return_tensors="pt")
    start, end = kosmos.tokenizer.convert_tokens_to_ids(["<image>", "</image>"])
    page, space, letters = [1, start, 1, 2, 3, 4, end], 4, ids_of(kosmos, "abcd")
    assert found["input_ids"].tolist() == [
        [*page, space, *letters[:2], 3, 3],
        [*page, space, *letters],
    ]
    assert found["attention_mask"].sum(1).tolist() == [10, 12]
    assert found["image_embeds_position_mask"].tolist() == [[0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]] * 2
    left = kosmos([image, image], ["ab", "abcd"], num_image_tokens=4, padding_side="left")
    assert left["image_embeds_position_mask"][0] == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    ended = kosmos(image, "ab", num_image_tokens=4, add_eos_token=True)
    assert ended["input_ids"] == [*page, space, *letters[:2], 2] and len(ended["pixel_values"]) == 1
    assert kosmos(text="ab")["input_ids"] == [1, *letters[:2]]


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([(79, 1016)], "<object> <patch_index_0079> <patch_index_1016> </object>"),
        ([(0.1, 0.2, 0.5, 0.9)], "<object> <patch_index_0195> <patch_index_0911> </object>"),
        (
            [[(79, 1016), (135, 1008)]],
            "<object> <patch_index_0079> <patch_index_1016> </delimiter_of_multi_objects/> "
            "<patch_index_0135> <patch_index_1008> </object>",
        ),
        ([None], ""),
    ],
)
def test_kosmos_boxes_stand_behind_phrases(kosmos: Any, boxes: Any, expected: str) -> None:
    found = kosmos.preprocess_examples("a <phrase>cat</phrase> on", None, boxes)
    assert found == f"a <phrase>cat</phrase>{expected} on"


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ((79, 1016), "must be a list"),
        ([(1, 2), (3, 4)], "2 bboxes came with 1"),
        ([(1, 2, 3)], "2 numbers of patches or 4 parts"),
        ([(0.5, 0.2, 0.1, 0.3)], "x1 < x2"),
        ([(79, 2000)], "numbered below 1024"),
    ],
)
def test_kosmos_bad_boxes(kosmos: Any, boxes: Any, told: str) -> None:
    with pytest.raises(ProcessingError, match=told):
        kosmos(text="a <phrase>cat</phrase>", bboxes=boxes)


@pytest.mark.parametrize(
    ("generated", "text", "entities"),
    [
        (
            "<image>. the</image><grounding> An image of<phrase> a snowman</phrase><object><patch_index_0044>"
            "<patch_index_0863></object> by<phrase> a fire</phrase><object><patch_index_0005>"
            "<patch_index_0007></object>.",
            "An image of a snowman by a fire.",
            [
                ("a snowman", (12, 21), [(0.390625, 0.046875, 0.984375, 0.828125)]),
                ("a fire", (25, 31), [(0.15625, 0.0, 0.25, 0.03125)]),
            ],
        ),
        (
            " Hi<phrase> dogs</phrase><object><patch_index_0001><patch_index_0500>"
            "</delimiter_of_multi_objects/><patch_index_0200><patch_index_1023></object> end ",
            "Hi dogs end",
            [
                (
                    "dogs",
                    (3, 7),
                    [(0.046875, 0.015625, 0.640625, 0.484375), (0.265625, 0.203125, 0.984375, 0.984375)],
                )
            ],
        ),
        (
            "x <object><patch_index_0001><patch_index_0500></object> y",
            "x  y",
            [("<patch_index_1><patch_index_500>", (2, 2), [(0.046875, 0.015625, 0.640625, 0.484375)])],
        ),
        ("<phrase>a</phrase><object><patch_index_0001></object> z", "a z", []),
    ],
)
def test_kosmos_entities(kosmos: Any, generated: str, text: str, entities: Any) -> None:
    assert kosmos.post_process_generation(generated) == (text, entities)


# Fuyu


@pytest.fixture(scope="module")
def fuyu() -> Any:
    pieces = [f"<0x0{i}>" for i in range(5)]
    pieces += ["|SPEAKER|", "|NEWLINE|", *map(str, range(10, 60))]
    size, patch = {"height": 60, "width": 90}, {"height": 30, "width": 30}
    return FuyuProcessor(FuyuImageProcessor(size=size, patch_size=patch), tokenizer(pieces=pieces))


def test_fuyu_patches_stand_before_texts(fuyu: Any) -> None:
    found = fuyu(images=[pixels(50, 80), pixels(20, 25)], text=["ab", "abcd"])
    patch, row, answer = fuyu.tokenizer.convert_tokens_to_ids(["|SPEAKER|", "|NEWLINE|", "<0x04>"])
    letters = ids_of(fuyu, "abcd")
    assert found["input_ids"].tolist() == [
        [patch, patch, patch, row] * 2 + [1, *letters[:2], answer],
        [0] * 4 + [patch, row, 1, *letters, answer],
    ]
    assert found["attention_mask"].sum(1).tolist() == [12, 8]
    assert found["image_patches_indices"].tolist() == [
        [0, 1, 2, -1, 3, 4, 5, -1, *[-1] * 14],
        [-1, -1, -1, -1, 0, *[-1] * 17],
    ]
    assert [one.shape for one in found["image_patches"]] == [(1, 6, 2700), (1, 1, 2700)]


def test_fuyu_patches_hold_pixels_row_by_row(fuyu: Any) -> None:
    image = pixels(60, 90)
    patches = fuyu(images=image, text="a")["image_patches"]
    values = torch.from_numpy(image[30:, 60:].reshape(-1)) / 127.5 - 1
    assert torch.allclose(patches[0, 5], values, atol=1e-5)


@pytest.mark.parametrize(
    ("image", "text", "tokens"),
    [
        ((50, 80), "x<box>10, 20, 30, 40</box>y", ["x", "<0x00>", "5", "10", "15", "20", "<0x01>", "y"]),
        ((100, 200), "x<box>10, 20, 30, 40</box>", ["x", "<0x00>", "2", "4", "7", "9", "<0x01>"]),
        ((100, 200), "<point>11, 21</point>", ["<0x02>", "2", "5", "<0x03>"]),
    ],
)
def test_fuyu_places(fuyu: Any, image: tuple[int, int], text: str, tokens: list[str]) -> None:
    ids = fuyu(images=pixels(*image), text=text)["input_ids"][0].tolist()
    assert fuyu.tokenizer.convert_ids_to_tokens(ids[-len(tokens) - 1 :]) == [*tokens, "<0x04>"]


@pytest.mark.parametrize(
    ("tokens", "size", "written"),
    [
        (["a", "<0x00>", "1", "2", "3", "4", "<0x01>", "b"], (60, 90), "a<box>2, 4, 6, 8</box>b"),
        (["a", "<0x02>", "7", "2", "<0x03>"], (200, 300), "a<point>46, 12</point>"),
        (["a", "<0x02>", "7", "2", "<0x03>"], (30, 45), "a<point>14, 4</point>"),
        (["a", "<0x02>", "7", "2", "b"], (60, 90), "a<0x02>72b"),
    ],
)
def test_fuyu_answers(fuyu: Any, tokens: list[str], size: tuple[int, int], written: str) -> None:
    ids = torch.tensor([fuyu.tokenizer.convert_tokens_to_ids(tokens)])
    (found,) = fuyu.post_process_box_coordinates(ids, target_sizes=torch.tensor([size]))
    assert "".join(fuyu.tokenizer.convert_ids_to_tokens(found.tolist())) == written


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"text": "x<box>1, 2, 3</box>"}, "must hold 4 numbers"),
        ({"text": ["a", "b"]}, "1 images came with 2 texts"),
        ({"text": "a", "return_attention_mask": False}, "attention_mask"),
    ],
)
def test_fuyu_refuses(fuyu: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(ProcessingError, match=told):
        fuyu(images=pixels(20, 20), **given)


# Emu3


@pytest.fixture(scope="module")
def emu() -> Any:
    named = {
        "image_token": "<image>",
        "boi_token": "<|image start|>",
        "eoi_token": "<|image end|>",
        "image_wrapper_token": "<|image token|>",
        "eof_token": "<|extra_201|>",
    }
    images = Emu3ImageProcessor(min_pixels=24 * 24, max_pixels=64 * 64)
    return Emu3Processor(images, tokenizer(list(named.values()), **named))


def test_emu_sizes(emu: Any) -> None:
    first, second, third = pixels(30, 50), pixels(10, 12), pixels(100, 60)
    sizes = emu.image_processor([[first], [second, third], [third]])["image_sizes"]
    assert sizes == [(32, 48), (24, 32), (24, 32), (80, 48)]
    flat = emu.image_processor([first, second], return_tensors="pt")
    assert flat["image_sizes"].tolist() == [[32, 48]] * 2 and flat["pixel_values"].shape == (2, 3, 32, 48)


def test_emu_marks_become_sizes_and_placeholders(emu: Any) -> None:
    found = emu(images=pixels(30, 50), text="ab <image> c", return_tensors="pt")
    code = "<image>" * 28
    text = f"<s>ab <|image start|>4*6<|image token|>{code}<|extra_201|><|image end|> c"
    assert found["input_ids"].tolist() == [[1, *ids_of(emu, text), 2]]
    assert found["image_sizes"].tolist() == [[32, 48]]
    assert emu(text="ab")["input_ids"] == [[1, *ids_of(emu, "ab"), 2]]


@pytest.mark.parametrize(
    ("ratio", "area", "size"), [("1:1", 518400, (90, 90)), ("4:3", 518400, (78, 104)), ("1:3", 4096, (14, 5))]
)
def test_emu_prompts_of_images(emu: Any, ratio: str, area: int, size: tuple[int, int]) -> None:
    found = emu(text="a", return_for_image_generation=True, ratio=ratio, image_area=area)
    text = f"<s>a<|image start|>{size[0]}*{size[1]}<|image token|>"
    assert found["input_ids"] == [[1, *ids_of(emu, text), 2]] and found["image_sizes"] == [list(size)]


def test_emu_pictures_come_back(emu: Any) -> None:
    image = np.full((32, 48, 3), 100, np.uint8)
    values = emu.image_processor(image, return_tensors="pt")["pixel_values"]
    (picture,) = emu.postprocess(values)["pixel_values"]
    assert picture.size == (48, 32) and abs(np.asarray(picture).astype(int) - 100).max() <= 1


def test_emu_refuses(emu: Any) -> None:
    with pytest.raises(ProcessingError, match="1 '<image>'"):
        emu(images=[pixels(9, 9)] * 2, text="<image>")
    with pytest.raises(ProcessingError, match="without images"):
        emu(images=pixels(9, 9), text="a", return_for_image_generation=True)
    with pytest.raises(ProcessingError, match="width:height"):
        emu(text="a", return_for_image_generation=True, ratio="wide")


# IDEFICS


@pytest.fixture(scope="module")
def idefics() -> Any:
    marks = ["<fake_token_around_image>", "<image>", "<end_of_utterance>"]
    return IdeficsProcessor(IdeficsImageProcessor(image_size=8), tokenizer(marks))


A, B = pixels(12, 10), pixels(9, 20)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ([A, "ab"], "<s>#ab"),
        ([" u ", A, "ab", B], "<s>u#ab#"),
        ([A, B, "ab"], "<s><fake_token_around_image><image>#ab"),
        (["ab", "cd", A, "x"], "<s>ab<end_of_utterance>cd#x"),
    ],
)
def test_idefics_prompts(idefics: Any, prompt: list[Any], text: str) -> None:
    text = text.replace("#", "<fake_token_around_image><image><fake_token_around_image>")
    found = idefics(text=[prompt])
    assert found["input_ids"].tolist() == [ids_of(idefics, text)]
    images = sum(not isinstance(part, str) for part in prompt)
    assert found["pixel_values"].shape == (1, images, 3, 8, 8)


def test_idefics_tokens_belong_to_the_latest_image(idefics: Any) -> None:
    found = idefics(text=[["u", A, "ab", B], ["x", B]], add_eos_token=True)
    owners = found["image_attention_mask"]
    assert owners.shape == (2, 11, 2) and found["attention_mask"].sum(1).tolist() == [11, 6]
    assert owners[0].tolist() == [[0, 0]] * 3 + [[1, 0]] * 5 + [[0, 1]] * 3
    assert owners[1].tolist() == [[0, 0]] * 3 + [[1, 0]] * 3 + [[0, 0]] * 5  # none behind the end
    assert not found["pixel_values"][1, 1].any()
    alone = idefics(text=[["ab"]])
    assert not alone["image_attention_mask"].any() and alone["pixel_values"].shape == (1, 1, 3, 8, 8)


def test_idefics_images_beside_texts(idefics: Any) -> None:
    mark = "<fake_token_around_image><image><fake_token_around_image>"
    before = idefics(images=[A, B], text=["ab", "cd"])["input_ids"].tolist()
    assert before == [ids_of(idefics, f"<s>{mark}{one}") for one in ("ab", "cd")]
    behind = idefics(images=[[A], [B]], text=["ab", "cd"])["input_ids"].tolist()
    assert behind == [ids_of(idefics, f"<s>{one}{mark}") for one in ("ab", "cd")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"images": [A]}, "needs text"),
        ({"images": [A, B], "text": ["a"]}, "2 images came with 1 texts"),
        ({"text": [["https://example.invalid/a.png", "b"]]}, "nothing is fetched"),
    ],
)
def test_idefics_refuses(idefics: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(ProcessingError, match=told):
        idefics(**given)
