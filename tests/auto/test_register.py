"""``register`` on every Auto class: what it then answers, and what it refuses."""

from __future__ import annotations

import re
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from zoo_core import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoModel,
    AutoProcessor,
    AutoTokenizer,
    AutoVideoProcessor,
)
from zoo_core.errors import ArchitectureConflict, UnknownArchitecture


@pytest.fixture
def bert_config() -> Any:
    return type(AutoConfig.for_model("bert"))


def test_the_documented_steps(own: SimpleNamespace, clean: ModuleType) -> None:
    class NewConfig(own.Config):
        model_type = "new-model"

    class NewModel(own.Model):
        config_class = NewConfig

    AutoConfig.register("new-model", NewConfig)
    AutoModel.register(NewConfig, NewModel)
    assert type(AutoConfig.for_model("new-model")) is NewConfig
    assert type(AutoModel.from_config(NewConfig())) is NewModel
    AutoConfig.register("new-model", NewConfig)  # what register added is replaced without a word
    AutoModel.register(NewConfig, NewModel)


def test_the_config_must_be_of_the_key(own: SimpleNamespace, bert_config: Any) -> None:
    with pytest.raises(ValueError, match=r"has model_type='own', which is not consistent with the key"):
        AutoConfig.register("other", own.Config)
    with pytest.raises(ArchitectureConflict, match=r"'bert' is already used by zoo-text .*exist_ok=True"):
        AutoConfig.register("bert", bert_config)
    with pytest.raises(TypeError, match="takes the config itself"):
        AutoConfig.register("own", own.Config())


def test_the_model_must_be_of_the_config_by_identity(own: SimpleNamespace, bert_config: Any) -> None:
    with pytest.raises(
        ValueError, match=r"has config_class=.*OwnConfig, which is not consistent with .*BertConfig"
    ):
        AutoModel.register(bert_config, own.Model)
    twin = type("OwnConfig", (own.Config,), {})
    with pytest.raises(ValueError, match="not only of the same name"):
        AutoModel.register(twin, own.Model)


def test_a_built_in_is_replaced_only_when_asked(own: SimpleNamespace, bert_config: Any) -> None:
    config = AutoConfig.for_model(
        "bert", hidden_size=8, num_attention_heads=2, num_hidden_layers=1, vocab_size=5
    )
    native = type(AutoModel.from_config(config))
    child = type("BertChild", (native,), {})
    with pytest.raises(ArchitectureConflict, match=r"AutoModel already serves .*BertConfig, from zoo-text"):
        AutoModel.register(bert_config, child)
    assert type(AutoModel.from_config(config)) is native
    AutoModel.register(bert_config, child, exist_ok=True)
    assert type(AutoModel.from_config(config)) is child


def test_a_replaced_config_still_finds_the_models(bert_config: Any, clean: ModuleType) -> None:
    child = type("BertChildConfig", (bert_config,), {})
    AutoConfig.register("bert", child, exist_ok=True)
    config = AutoConfig.for_model(
        "bert", hidden_size=8, num_attention_heads=2, num_hidden_layers=1, vocab_size=5
    )
    assert type(config) is child
    assert type(AutoModel.from_config(config)).__name__ == "BertModel"


def test_a_config_without_a_model(own: SimpleNamespace) -> None:
    with pytest.raises(UnknownArchitecture, match=r"own"):
        AutoModel.from_config(own.Config())


def test_tokenizer_slots(own: SimpleNamespace) -> None:
    slow, fast = own.SlowTokenizer, own.TokenizerFast
    stranger = type("Stranger", (own.SlowTokenizer,), {})
    with pytest.raises(ValueError, match="needs a slow_tokenizer_class or a fast_tokenizer_class"):
        AutoTokenizer.register(own.Config)
    with pytest.raises(ValueError, match="OwnTokenizerFast is a fast tokenizer and was passed as slow"):
        AutoTokenizer.register(own.Config, slow_tokenizer_class=fast)
    with pytest.raises(ValueError, match="OwnSlowTokenizer is a slow tokenizer and was passed as fast"):
        AutoTokenizer.register(own.Config, fast_tokenizer_class=slow)
    with pytest.raises(ValueError, match="names OwnSlowTokenizer as its slow_tokenizer_class, which is not"):
        AutoTokenizer.register(own.Config, slow_tokenizer_class=stranger, fast_tokenizer_class=fast)
    AutoTokenizer.register(own.Config, slow_tokenizer_class=slow, fast_tokenizer_class=fast)


def test_image_processor_slots(own: SimpleNamespace) -> None:
    slow = own.ImageProcessor
    with pytest.raises(ValueError, match="needs slow_image_processor_class or fast_image_processor_class"):
        AutoImageProcessor.register(own.Config)
    with pytest.raises(ValueError, match="image_processor_class and slow_image_processor_class are one"):
        AutoImageProcessor.register(own.Config, slow, slow_image_processor_class=slow)
    with pytest.warns(FutureWarning, match="image_processor_class is deprecated"):
        AutoImageProcessor.register(own.Config, slow)
    AutoImageProcessor.register(own.Config, fast_image_processor_class=own.ImageProcessorFast)


@pytest.mark.parametrize("auto", [AutoFeatureExtractor, AutoVideoProcessor, AutoProcessor])
def test_the_others_take_a_config_and_a_class(auto: Any, own: SimpleNamespace) -> None:
    auto.register(own.Config, own.Extractor)
    auto.register(own.Config, own.Extractor)
    assert re.search(r"own +OwnExtractor \(run-time registration\)", auto.__doc__ or "")
    with pytest.raises(TypeError, match="takes the class itself"):
        auto.register(own.Config, own.Extractor())
