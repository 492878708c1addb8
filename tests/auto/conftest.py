"""A tiny BERT checkpoint, and classes of a third party that register at run time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from zoo_core import AutoModelForSequenceClassification, registry
from zoo_core.config import PretrainedConfig
from zoo_core.modeling import PreTrainedModel
from zoo_core.processing import (
    BatchFeature,
    FeatureExtractionMixin,
    ImageProcessingMixin,
    ProcessorMixin,
    VideoProcessingMixin,
)
from zoo_core.tokenization import PreTrainedTokenizer, PreTrainedTokenizerFast

TINY = {
    "model_type": "bert",
    "vocab_size": 12,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 16,
    "pad_token_id": 0,
}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s"]


class OwnConfig(PretrainedConfig):
    model_type = "own"
    width: int = 4


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config: OwnConfig, scale: float = 1.0) -> None:
        super().__init__(config)
        self.scale = scale
        self.proj = torch.nn.Linear(config.width, config.width)
        self.post_init()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.proj(x) * self.scale


class OwnOther(OwnModel):
    pass


class OwnSlowTokenizer(PreTrainedTokenizer):
    pass


class OwnTokenizerFast(PreTrainedTokenizerFast):
    slow_tokenizer_class = OwnSlowTokenizer


class OwnExtractor(FeatureExtractionMixin):
    sampling_rate: int = 16000


class OwnImageProcessor(ImageProcessingMixin):
    size: int = 4

    def __call__(self, images: Any, **kwargs: Any) -> BatchFeature:
        return BatchFeature({"pixel_values": images})


class OwnImageProcessorFast(OwnImageProcessor):
    pass


class OwnVideoProcessor(VideoProcessingMixin):
    frames: int = 8


class OwnProcessor(ProcessorMixin):
    attributes = ("image_processor",)
    patch_size: int | None = None


OWN = SimpleNamespace(
    **{name.removeprefix("Own"): value for name, value in globals().items() if name.startswith("Own")}
)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny BERT for sequence classification: config, weights, vocabulary."""
    from zoo_core import AutoConfig

    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(**TINY, num_labels=3))
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    return folder


@pytest.fixture
def clean() -> Iterator[ModuleType]:
    """The registry; what the test registers is taken back."""
    with registry.isolated():
        yield registry


@pytest.fixture
def own(clean: ModuleType) -> SimpleNamespace:
    """The third party's classes, the config registered."""
    clean.register_config("own", OwnConfig)
    return OWN


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write JSON (or text) files into a folder: ``folder(config={...})`` writes config.json."""

    def folder(**files: Any) -> Path:
        for name, content in files.items():
            path = tmp_path / (f"{name}.json" if "_txt" not in name else name.replace("_txt", ".txt"))
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return tmp_path

    return folder
