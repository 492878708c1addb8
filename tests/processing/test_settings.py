"""Settings files: typed fields, kept keys, nothing in a file obeyed."""

import json
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
import torch

from zoo_core.errors import ConfigError, FileNotInRepository, ProcessingError
from zoo_core.processing import BatchFeature, FeatureExtractionMixin, ImageProcessingMixin


class Toy(FeatureExtractionMixin):
    computed: ClassVar[frozenset[str]] = frozenset({"table"})
    renamed: ClassVar[dict[str, str]] = {"rate": "sampling_rate"}
    sampling_rate: int = 16000
    window: list[float] = [1.0, 2.0]

    def __init__(self, **values):
        super().__init__(**values)
        self.table = np.arange(3)


def test_fields_defaults_and_unknown_keys() -> None:
    toy, unused = Toy.from_dict({"new_key": 1}, sampling_rate=8000, nothing=2, return_unused_kwargs=True)
    assert (toy.sampling_rate, toy.new_key, unused) == (8000, 1, {"nothing": 2})
    assert json.loads(toy.to_json_string()) == {
        "feature_extractor_type": "Toy",
        "new_key": 1,
        "sampling_rate": 8000,
        "window": [1.0, 2.0],
    }


def test_defaults_are_not_shared() -> None:
    Toy().window.append(3.0)
    assert Toy().window == [1.0, 2.0]


def test_older_spellings() -> None:
    assert Toy.from_dict({"rate": 8000}).sampling_rate == 8000


@pytest.mark.parametrize(
    "key", ["to_dict", "save_pretrained", "__call__", "__class__", "fields", "file_names"]
)
def test_a_file_cannot_replace_what_the_class_does(key, tmp_path) -> None:
    settings = {"feature_extractor_type": "Toy", key: "evil", "sampling_rate": 1, "window": []}
    toy = Toy.from_dict(settings)
    assert getattr(toy, key) != "evil" and toy.to_dict() == settings


def test_save_load_save(tmp_path) -> None:
    Toy.from_dict({"processor_class": "ToyProcessor", "z": None, "a": {"b": [1]}}).save_pretrained(tmp_path)
    first = (tmp_path / "preprocessor_config.json").read_bytes()
    Toy.from_pretrained(tmp_path).save_pretrained(tmp_path)
    Toy.from_pretrained(tmp_path / "preprocessor_config.json").save_pretrained(tmp_path)
    assert (tmp_path / "preprocessor_config.json").read_bytes() == first


def test_section_of_a_processor_file(tmp_path) -> None:
    (tmp_path / "processor_config.json").write_text(json.dumps({"feature_extractor": {"sampling_rate": 5}}))
    assert Toy.from_pretrained(tmp_path).sampling_rate == 5


@pytest.mark.parametrize(
    ("text", "error"), [("[1]", ConfigError), ("{", ConfigError), (None, FileNotInRepository)]
)
def test_files_that_cannot_be_read(text, error, tmp_path) -> None:
    if text is not None:
        (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(error, match=r"preprocessor_config\.json"):
        Toy.from_pretrained(tmp_path)


def test_a_file_where_a_folder_belongs(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="must be a folder"):
        Toy().save_pretrained(tmp_path / "file")


def test_batches() -> None:
    batch = BatchFeature({"x": [[1.0, 2.0]], "n": [3]}, "pt")
    assert batch.x.dtype == torch.float64 and batch["n"].tolist() == [3] and set(batch) == {"x", "n"}
    moved = batch.to("cpu", torch.float16)
    assert moved.x.dtype == torch.float16 and moved.n.dtype == torch.int64
    with pytest.raises(AttributeError, match="this batch has no 'y'; it holds x, n"):
        batch.y


def test_batches_that_are_ragged() -> None:
    with pytest.raises(
        ProcessingError, match=r"x cannot become one array: its items differ \(\(2,\), \(3,\)\)"
    ):
        BatchFeature({"x": [np.zeros(2), np.zeros(3)]}, "np")
    kept = BatchFeature({"x": [[1], [2, 3]]}, "np", skip_tensor_conversion=["x"])
    assert kept.x == [[1], [2, 3]]


def test_imports_nothing_heavy() -> None:
    code = (
        "import sys, zoo_core.processing as p\n"
        "assert not {'torch', 'numpy', 'huggingface_hub', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_class_withdraws_a_field() -> None:
    class Wide(ImageProcessingMixin):
        size: int = 3
        crop: bool = True

    class Narrow(Wide):
        crop: ClassVar[bool] = False

    assert set(Narrow.fields()) == {"size"} and Narrow().crop is False
