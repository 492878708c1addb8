"""AutoFeatureExtractor, AutoImageProcessor, AutoVideoProcessor and AutoProcessor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoo_core import (
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoProcessor,
    AutoTokenizer,
    AutoVideoProcessor,
)
from zoo_core.errors import ConfigError, FileNotInRepository, UnknownArchitecture, UnknownComponent

Folder = Callable[..., Path]
VOCABULARY = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n"


@pytest.fixture
def own(own: SimpleNamespace) -> SimpleNamespace:
    """All classes of the third party registered."""
    AutoFeatureExtractor.register(own.Config, own.Extractor)
    AutoImageProcessor.register(
        own.Config,
        slow_image_processor_class=own.ImageProcessor,
        fast_image_processor_class=own.ImageProcessorFast,
    )
    AutoVideoProcessor.register(own.Config, own.VideoProcessor)
    return own


FE, IP, VP = "feature_extractor", "image_processor", "video_processor"
AUTO: dict[str, Any] = {FE: AutoFeatureExtractor, IP: AutoImageProcessor, VP: AutoVideoProcessor}
SETTINGS = [
    (FE, "preprocessor_config", {f"{FE}_type": "OwnExtractor"}, "OwnExtractor"),
    (FE, "processor_config", {FE: {f"{FE}_type": "OwnExtractor"}}, "OwnExtractor"),
    (IP, "preprocessor_config", {f"{IP}_type": "OwnImageProcessor"}, "OwnImageProcessor"),
    (IP, "preprocessor_config", {f"{IP}_type": "OwnImageProcessorFast"}, "OwnImageProcessorFast"),
    (IP, "preprocessor_config", {f"{FE}_type": "OwnFeatureExtractor"}, "OwnImageProcessor"),
    (IP, "processor_config", {IP: {f"{IP}_type": "OwnImageProcessor"}}, "OwnImageProcessor"),
    (VP, "video_preprocessor_config", {f"{VP}_type": "OwnVideoProcessor"}, "OwnVideoProcessor"),
    (VP, "preprocessor_config", {f"{IP}_type": "OwnImageProcessor"}, "OwnVideoProcessor"),
    (VP, "processor_config", {VP: {f"{VP}_type": "OwnVideoProcessor"}}, "OwnVideoProcessor"),
]


@pytest.mark.parametrize(("kind", "file", "values", "expected"), SETTINGS)
def test_the_settings_name_the_class(
    own: SimpleNamespace, folder: Folder, kind: str, file: str, values: Any, expected: str
) -> None:
    assert type(AUTO[kind].from_pretrained(folder(**{file: values}))).__name__ == expected


CLASSES = {FE: "OwnExtractor", IP: "OwnImageProcessorFast", VP: "OwnVideoProcessor"}


@pytest.mark.parametrize(("kind", "expected"), CLASSES.items())
def test_the_models_type_decides_where_they_do_not(
    own: SimpleNamespace, folder: Folder, kind: str, expected: str
) -> None:
    auto, path = AUTO[kind], folder(preprocessor_config={"size": 6}, config={"model_type": "own"})
    assert type(auto.from_pretrained(path)).__name__ == expected
    (path / "config.json").unlink()
    assert type(auto.from_pretrained(path, config=own.Config())).__name__ == expected
    assert (
        type(auto.from_pretrained(path / "preprocessor_config.json", config=own.Config())).__name__
        == expected
    )


def test_overrides_and_unused_keywords(own: SimpleNamespace, folder: Folder) -> None:
    path = folder(preprocessor_config={"image_processor_type": "OwnImageProcessor", "size": 6, "kept": 1})
    made, unused = AutoImageProcessor.from_pretrained(path, return_unused_kwargs=True, size=8, foo=2)
    assert (made.size, made.kept, unused) == (8, 1, {"foo": 2})
    assert not hasattr(AutoImageProcessor.from_pretrained(path, foo=2), "foo")
    assert AutoImageProcessor.from_pretrained(path / "preprocessor_config.json").size == 6


@pytest.mark.parametrize("saved", ["OwnImageProcessor", "OwnImageProcessorFast"])
def test_use_fast(own: SimpleNamespace, folder: Folder, saved: str) -> None:
    path = folder(preprocessor_config={"image_processor_type": saved})

    def name(use_fast: bool | None) -> str:
        return type(AutoImageProcessor.from_pretrained(path, use_fast=use_fast)).__name__

    assert (name(None), name(True), name(False)) == (saved, "OwnImageProcessorFast", "OwnImageProcessor")


def test_another_file_name(own: SimpleNamespace, folder: Folder) -> None:
    path = folder(other={"image_processor_type": "OwnImageProcessor", "size": 5})
    assert AutoImageProcessor.from_pretrained(path, image_processor_filename="other.json").size == 5


@pytest.mark.parametrize("section", [FE, IP, VP])
def test_what_they_say_when_they_cannot_know(
    own: SimpleNamespace, folder: Folder, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    auto, kind, key = AUTO[section], section.replace("_", " "), f"{section}_type"
    path = folder()
    (path / "zzz").symlink_to(path)
    monkeypatch.chdir(path)
    with pytest.raises(
        FileNotInRepository, match=f"Can't load a {kind} for zzz: it has no .*preprocessor_config"
    ):
        auto.from_pretrained("zzz")
    folder(config={"model_type": "own"})
    with pytest.raises(
        FileNotInRepository, match=r"which Own\w+ is read from\. Own\w+\(\) makes one with default"
    ):
        auto.from_pretrained("zzz")
    folder(preprocessor_config={"size": 1}, config={"model_type": "bert"})
    with pytest.raises(UnknownArchitecture, match=f"Unrecognized {kind} in zzz: .*has no {key}") as caught:
        auto.from_pretrained("zzz")
    assert "'bert' has no" in str(caught.value)
    folder(preprocessor_config={key: "NowhereProcessor"})
    with pytest.raises(UnknownComponent, match="does not recognize the class 'NowhereProcessor'"):
        auto.from_pretrained("zzz")
    folder(preprocessor_config={key: ["os"]})
    with pytest.raises(ConfigError, match=f"{key} = .*must be the name of a class"):
        auto.from_pretrained("zzz")


def test_an_unknown_class_of_a_known_type(own: SimpleNamespace, folder: Folder) -> None:
    path = folder(preprocessor_config={"image_processor_type": "Nowhere"}, config={"model_type": "own"})
    with pytest.warns(
        UserWarning, match="names the class Nowhere, .*OwnImageProcessorFast is used"
    ) as caught:
        AutoImageProcessor.from_pretrained(path)
    assert caught[0].filename == __file__


# AutoProcessor

IMAGE = {"image_processor_type": "OwnImageProcessor", "size": 6}


@pytest.mark.parametrize(
    "file",
    ["processor_config", "preprocessor_config", "video_preprocessor_config", "tokenizer_config", "config"],
)
def test_any_file_may_name_the_processor(own: SimpleNamespace, folder: Folder, file: str) -> None:
    AutoProcessor.register(own.Config, own.Processor)
    files: dict[str, Any] = {"preprocessor_config": dict(IMAGE), "config": {}}
    files.setdefault(file, {})["processor_class"] = "OwnProcessor"
    processor = AutoProcessor.from_pretrained(folder(**files))
    assert type(processor) is own.Processor
    assert (type(processor.image_processor), processor.image_processor.size) == (own.ImageProcessor, 6)


def test_the_models_type_names_the_processor(own: SimpleNamespace, folder: Folder) -> None:
    AutoProcessor.register(own.Config, own.Processor)
    path = folder(preprocessor_config=IMAGE, config={"model_type": "own"})
    processor, unused = AutoProcessor.from_pretrained(path, patch_size=3, foo=1, return_unused_kwargs=True)
    assert (type(processor), processor.patch_size, unused) == (own.Processor, 3, {"foo": 1})
    (path / "config.json").unlink()
    assert type(AutoProcessor.from_pretrained(path, config=own.Config())) is own.Processor


def test_without_a_processor_its_parts_in_order(own: SimpleNamespace, folder: Folder) -> None:
    extractor = {"feature_extractor_type": "OwnExtractor"}
    path = folder(preprocessor_config=extractor)
    assert type(AutoProcessor.from_pretrained(path)) is own.Extractor
    folder(preprocessor_config=IMAGE)
    made, unused = AutoProcessor.from_pretrained(path, return_unused_kwargs=True, size=9, foo=1)
    assert (type(made), made.size, unused) == (own.ImageProcessor, 9, {"foo": 1})
    folder(vocab_txt=VOCABULARY, config={"model_type": "bert"})
    assert type(AutoProcessor.from_pretrained(path)) is type(AutoTokenizer.from_pretrained(path))


def test_a_processor_class_that_nobody_has(own: SimpleNamespace, folder: Folder) -> None:
    path = folder(preprocessor_config={**IMAGE, "processor_class": "NowhereProcessor"})
    with pytest.warns(
        UserWarning, match="names the processor class NowhereProcessor, .*its OwnImageProcessor is"
    ):
        AutoProcessor.from_pretrained(path)


def test_nothing_to_process_with(
    own: SimpleNamespace, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder(tokenizer_config={"processor_class": "NowhereProcessor"})
    (path / "zzz").symlink_to(path)
    monkeypatch.chdir(path)
    with pytest.raises(UnknownArchitecture, match="Unrecognized processing class in zzz") as caught:
        AutoProcessor.from_pretrained("zzz")
    message = str(caught.value)
    assert "It names NowhereProcessor" in message
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == [
        "AutoTokenizer",
        "AutoImageProcessor",
        "AutoFeatureExtractor",
    ]
