"""The Auto classes of models: from_pretrained, from_config, and which class they build."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from zoo_core import (
    AutoBackbone,
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForCTC,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)
from zoo_core.architecture import Architecture
from zoo_core.config import PretrainedConfig, sub_config
from zoo_core.errors import ConfigError, UnknownArchitecture

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub


def test_from_pretrained_is_in_evaluation_mode_and_from_config_is_not(bert: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(bert)
    assert (type(model).__name__, model.training, model.config.num_labels) == (
        "BertForSequenceClassification",
        False,
        3,
    )
    fresh = AutoModelForSequenceClassification.from_config(model.config)
    assert fresh.training
    name = next(iter(model.state_dict()))
    assert not torch.equal(fresh.state_dict()[name], model.state_dict()[name])


def test_keywords_go_to_the_config_first_then_to_the_constructor(
    own: SimpleNamespace, tmp_path: Path
) -> None:
    AutoModel.register(own.Config, own.Model)
    own.Model(own.Config()).save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, output_attentions=True, scale=2.0)
    assert (model.config.output_attentions, model.scale) == (True, 2.0)
    assert AutoModel.from_pretrained(tmp_path, 3.0).scale == 3.0
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'"):
        AutoModel.from_pretrained(tmp_path, foo=1)


def test_with_a_config_all_keywords_go_to_the_constructor(own: SimpleNamespace, tmp_path: Path) -> None:
    AutoModel.register(own.Config, own.Model)
    config = own.Config(width=4, output_hidden_states=True)
    own.Model(config).save_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, config=config, scale=2.0)
    assert (model.config.output_hidden_states, model.scale) == (True, 2.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'output_attentions'"):
        AutoModel.from_pretrained(tmp_path, config=config, output_attentions=True)
    assert AutoModel.from_pretrained(tmp_path, config=tmp_path).config.width == 4


def test_dtype_and_attention_are_the_models(bert: Path) -> None:
    model = AutoModel.from_pretrained(bert, dtype=torch.float16, attn_implementation="eager")
    assert (model.dtype, model.config._attn_implementation) == (torch.float16, "eager")
    assert AutoModel.from_pretrained(bert).dtype == torch.float32
    built = AutoModel.from_config(
        AutoConfig.from_pretrained(bert), dtype="bfloat16", attn_implementation="eager"
    )
    assert (built.dtype, built.config._attn_implementation) == (torch.bfloat16, "eager")


def test_loading_info(bert: Path) -> None:
    model, info = AutoModelForMaskedLM.from_pretrained(bert, output_loading_info=True)
    assert type(model).__name__ == "BertForMaskedLM"
    assert set(info) == {"missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"}
    assert any("cls.predictions" in key for key in info["missing_keys"])
    assert any(key.startswith("classifier") for key in info["unexpected_keys"])


def test_weights_of_the_callers(bert: Path) -> None:
    model = AutoModel.from_pretrained(bert)
    state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    empty = AutoModel.from_pretrained(None, config=model.config, state_dict=state)
    assert all(not parameter.any() for parameter in empty.parameters())
    assert not empty.training
    with pytest.raises(ValueError, match="state_dict and a name or path exclude each other"):
        AutoModel.from_pretrained(bert, state_dict=state)
    with pytest.raises(ValueError, match=r"AutoModel.from_pretrained\(None\) has nothing to load"):
        AutoModel.from_pretrained(None, config=model.config)


# Which class


@pytest.fixture
def module(clean: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An importable module for the classes of records that are registered here."""
    module = ModuleType("zoo_registered_here")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def two_heads(clean: ModuleType, own: SimpleNamespace, module: Any) -> Any:
    """The config of a model type with two classes for one Auto class."""
    module.TwoConfig = type("TwoConfig", (own.Config,), {"model_type": "two"})
    module.One = type("One", (own.Model,), {"config_class": module.TwoConfig})
    module.Other = type("Other", (own.Model,), {"config_class": module.TwoConfig})
    models = {"AutoModel": (f"{module.__name__}:One", f"{module.__name__}:Other")}
    clean.register(Architecture(model_type="two", config=f"{module.__name__}:TwoConfig", models=models))
    return module.TwoConfig


@pytest.mark.parametrize(
    ("architectures", "chosen"),
    [
        (None, "One"),
        ([], "One"),
        (["Other"], "Other"),
        (["TFOther"], "Other"),
        (["FlaxOther"], "Other"),
        (["Nowhere", "Other"], "Other"),
        (["Nowhere"], "One"),
        (["One", "Other"], "One"),
    ],
)
def test_architectures_decide_between_candidates(
    two_heads: Any, architectures: list[str] | None, chosen: str
) -> None:
    model = AutoModel.from_config(two_heads(architectures=architectures))
    assert type(model).__name__ == chosen


def test_a_type_that_this_class_does_not_serve(bert: Path) -> None:
    with pytest.raises(UnknownArchitecture, match="Unrecognized configuration class BertConfig") as caught:
        AutoModelForCTC.from_pretrained(bert)
    message = str(caught.value)
    assert "for this kind of AutoModel: AutoModelForCTC" in message
    assert "AutoModelForMaskedLM" in message
    assert len(message) < 1000


def test_a_class_of_config_that_only_has_the_same_name(own: SimpleNamespace) -> None:
    impostor = type("BertConfig", (PretrainedConfig,), {"model_type": "bert"})
    with pytest.raises(
        UnknownArchitecture, match=r"whose configuration class is zoo_text\.bert\.config\.BertConfig"
    ):
        AutoModel.from_config(impostor())
    with pytest.raises(UnknownArchitecture, match=r"Unrecognized configuration class builtins\.dict"):
        AutoModel.from_config({})  # type: ignore[arg-type]
    with pytest.raises(UnknownArchitecture, match="own"):
        AutoModel.from_config(own.Config())


def test_a_subclass_of_a_known_config_is_served(bert: Path) -> None:
    known = type(AutoConfig.from_pretrained(bert))
    child = type("ChildConfig", (known,), {})
    assert type(AutoModel.from_config(child.from_pretrained(bert))).__name__ == "BertModel"


def test_a_text_model_takes_the_text_part_of_a_composite(
    own: SimpleNamespace, clean: ModuleType, module: Any
) -> None:
    class WholeConfig(PretrainedConfig):
        model_type = "whole"
        text_config: Any = sub_config(own.Config)

    module.WholeConfig, module.TextOfWhole = WholeConfig, own.Model
    clean.register(
        Architecture(
            model_type="whole",
            config=f"{module.__name__}:WholeConfig",
            models={"AutoModelForCausalLM": f"{module.__name__}:TextOfWhole"},
        )
    )
    model = AutoModelForCausalLM.from_config(WholeConfig(text_config={"width": 6}))
    assert (type(model.config), model.config.width) == (own.Config, 6)


def test_a_timm_backbone_by_name(bert: Path) -> None:
    made = AutoBackbone.from_pretrained(
        "resnet18", use_timm_backbone=True, use_pretrained_backbone=False, out_indices=(1, 4)
    )
    assert made.channels == [64, 512]
    with pytest.raises(ConfigError, match=r"'vgg16' is not among timm's networks .* resnet50"):
        AutoBackbone.from_pretrained("vgg16", use_timm_backbone=True, use_pretrained_backbone=False)
    with pytest.raises(ValueError, match="config cannot be given together with use_timm_backbone=True"):
        AutoBackbone.from_pretrained(
            "resnet18", use_timm_backbone=True, config=AutoConfig.from_pretrained(bert)
        )
    with pytest.raises(UnknownArchitecture, match="for this kind of AutoModel: AutoBackbone"):
        AutoBackbone.from_pretrained(bert)


# The hub


def test_one_load_asks_for_the_revision_once(bert: Path, hub: LoopbackHub) -> None:
    files = {path.name: path for path in bert.iterdir()}
    repository = hub.repository("org/model", files)
    model = AutoModelForSequenceClassification.from_pretrained("org/model", token=False)
    assert hub.count(containing="/api/models/") == 1
    assert (model.config._commit_hash, model.name_or_path) == (repository.head, "org/model")
    hub.forget_requests()
    AutoModelForSequenceClassification.from_pretrained("org/model", revision=repository.head)
    assert hub.count() == 0


def test_config_and_weights_are_of_one_commit(
    bert: Path, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = hub.repository("org/model", {path.name: path for path in bert.iterdir()})
    original = type(AutoConfig.from_pretrained(bert)).__init__

    def push_meanwhile(self: Any, **kwargs: Any) -> None:
        original(self, **kwargs)
        if repository.head == first:
            repository.commit({"model.safetensors": b"garbage"})

    first = repository.head
    monkeypatch.setattr(type(AutoConfig.from_pretrained(bert)), "__init__", push_meanwhile)
    model = AutoModelForSequenceClassification.from_pretrained("org/model")
    assert repository.head != first
    assert model.config._commit_hash == first


def test_a_checkpoint_without_model_type(bert: Path, tmp_path: Path) -> None:
    path = tmp_path / "some-bert"
    shutil.copytree(bert, path)
    values = json.loads((path / "config.json").read_text())
    del values["model_type"]
    (path / "config.json").write_text(json.dumps(values))
    with pytest.warns(UserWarning, match="'bert' is assumed"):
        assert type(AutoModel.from_pretrained(path)).__name__ == "BertModel"
