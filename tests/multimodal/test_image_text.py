"""Language models that read images: placeholders, features, and what happens when they do not agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from zoo_core import AutoModelForImageTextToText, AutoProcessor
from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.llava.config import LlavaConfig
from zoo_multimodal.llava.processor import LlavaProcessor
from zoo_vision.processing.classification import CLIPImageProcessor

VISION = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
TEXT = {
    "model_type": "llama",
    "vocab_size": 32,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
}


@pytest.fixture
def processor() -> LlavaProcessor:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    words = ["<pad>", "<image>", "a", "cat", "what", "?"]
    backend = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
    backend.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        additional_special_tokens=["<image>"],
        model_input_names=["input_ids", "attention_mask"],
    )
    images = CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    return LlavaProcessor(
        images,
        tokenizer,
        patch_size=14,
        num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
    )


def picture(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.RandomState(seed).randint(0, 255, (40, 50, 3), dtype="uint8"))


def test_a_mark_becomes_as_many_placeholders_as_features(processor: LlavaProcessor) -> None:
    batch = processor([picture()], "what <image> ?", return_tensors="pt")
    assert batch["input_ids"].tolist() == [[4, 1, 1, 1, 1, 5]]
    config = LlavaConfig(vision_config=VISION, text_config=TEXT, image_token_index=1, vision_feature_layer=-1)
    model = AutoModelForImageTextToText.from_config(config).eval()
    output = model(**batch)
    assert output.logits.shape == (1, 6, 32) and output.image_hidden_states.shape == (4, 16)


def test_the_processor_saves_and_loads(processor: LlavaProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert type(again) is LlavaProcessor and again.patch_size == 14
    want, got = (p([picture()], "a <image>", return_tensors="np") for p in (processor, again))
    assert (want["input_ids"] == got["input_ids"]).all() and (
        want["pixel_values"] == got["pixel_values"]
    ).all()


@pytest.mark.parametrize(("texts", "images"), [(["a cat"], 1), (["a <image> <image>"], 1), (["<image>"], 2)])
def test_marks_and_images_must_agree(processor: LlavaProcessor, texts: list[str], images: int) -> None:
    with pytest.raises(ProcessingError, match="the numbers must agree"):
        processor([picture(i) for i in range(images)], texts)


def test_the_text_at_fault_is_named(processor: LlavaProcessor) -> None:
    with pytest.raises(ProcessingError, match="text 1 has 1 '<image>' and 2 images"):
        processor([[picture()], [picture(), picture()]], ["a <image>", "b <image>"])
    with pytest.raises(ProcessingError, match="text 1 must be a str, got int"):
        processor(picture(), ["a <image>", 5])


def test_the_head_is_tied_to_whatever_embeds_the_text() -> None:
    text = {"model_type": "bert", "vocab_size": 32, "is_decoder": True, "hidden_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}  # fmt: skip
    config = LlavaConfig(vision_config=VISION, text_config=text, image_token_index=1)
    model = AutoModelForImageTextToText.from_config(config)
    assert model.lm_head.weight is model.get_input_embeddings().weight


def test_placeholders_and_features_must_agree() -> None:
    config = LlavaConfig(vision_config=VISION, text_config=TEXT, image_token_index=1)
    model = AutoModelForImageTextToText.from_config(config).eval()
    with pytest.raises(ValueError, match="2 image placeholder tokens for 4 image features"):
        model(input_ids=torch.tensor([[1, 1, 2]]), pixel_values=torch.zeros(1, 3, 28, 28))


def test_a_processor_that_cannot_count_says_what_is_missing(processor: LlavaProcessor) -> None:
    processor.patch_size = None
    with pytest.raises(ProcessingError, match=r"patch_size is None.*vision_config\.patch_size"):
        processor([picture()], "<image>")


def test_generation_reads_the_image_once(processor: LlavaProcessor) -> None:
    config = LlavaConfig(vision_config=VISION, text_config=TEXT, image_token_index=1, vision_feature_layer=-1)
    model = AutoModelForImageTextToText.from_config(config).eval()
    seen: list[int] = []
    model.model.vision_tower.register_forward_hook(lambda *args: seen.append(1))
    batch = processor([picture()], "what <image> ?", return_tensors="pt")
    ids = model.generate(**batch, max_new_tokens=4, min_new_tokens=4, do_sample=False, pad_token_id=0)
    assert ids.shape == (1, 10) and len(seen) == 1


def test_beams_without_a_cache_keep_each_rows_images(processor: LlavaProcessor) -> None:
    config = LlavaConfig(vision_config=VISION, text_config=TEXT, image_token_index=1, vision_feature_layer=-1)
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    images = [picture(0), picture(1), picture(2)]
    batch = processor(images, ["<image> a <image>", "cat <image>"], padding=True, return_tensors="pt")
    settings = {"num_beams": 3, "max_new_tokens": 4, "do_sample": False, "pad_token_id": 0}
    runs = [model.generate(**batch, use_cache=use_cache, **settings) for use_cache in (True, False)]
    assert torch.equal(*runs)


def test_files_with_a_level_more_load(tmp_path: Path) -> None:
    config = LlavaConfig(vision_config=VISION, text_config=TEXT, image_token_index=1)
    model = AutoModelForImageTextToText.from_config(config)
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    newer = {
        f"model.{name}".replace("model.language_model.model", "model.language_model")
        .replace("model.language_model.lm_head", "lm_head"): value
        for name, value in weights.items()
    }  # fmt: skip
    assert "lm_head.weight" in newer and "model.language_model.norm.weight" in newer
    save_file(newer, tmp_path / "model.safetensors", metadata={"format": "pt"})
    again, info = AutoModelForImageTextToText.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
