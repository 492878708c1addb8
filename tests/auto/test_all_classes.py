"""What holds for every Auto class."""

from __future__ import annotations

import inspect
import pydoc
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import zoo_core
from zoo_core import AutoModelForCausalLM, AutoModelForVision2Seq, AutoModelWithLMHead
from zoo_core.auto import AutoModelClass, auto_model_class

OTHERS = (
    "AutoConfig",
    "AutoTokenizer",
    "AutoFeatureExtractor",
    "AutoImageProcessor",
    "AutoVideoProcessor",
    "AutoProcessor",
)
MODELS = (
    "AutoBackbone",
    "AutoModel",
    "AutoModelForAudioClassification",
    "AutoModelForAudioFrameClassification",
    "AutoModelForAudioTokenization",
    "AutoModelForAudioXVector",
    "AutoModelForCTC",
    "AutoModelForCausalLM",
    "AutoModelForDepthEstimation",
    "AutoModelForDocumentQuestionAnswering",
    "AutoModelForImageClassification",
    "AutoModelForImageSegmentation",
    "AutoModelForImageTextToText",
    "AutoModelForImageToImage",
    "AutoModelForInstanceSegmentation",
    "AutoModelForKeypointDetection",
    "AutoModelForKeypointMatching",
    "AutoModelForMaskGeneration",
    "AutoModelForMaskedImageModeling",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForNextSentencePrediction",
    "AutoModelForObjectDetection",
    "AutoModelForPreTraining",
    "AutoModelForQuestionAnswering",
    "AutoModelForSemanticSegmentation",
    "AutoModelForSeq2SeqLM",
    "AutoModelForSequenceClassification",
    "AutoModelForSpeechSeq2Seq",
    "AutoModelForTableQuestionAnswering",
    "AutoModelForTextEncoding",
    "AutoModelForTextToSpectrogram",
    "AutoModelForTextToWaveform",
    "AutoModelForTimeSeriesPrediction",
    "AutoModelForTokenClassification",
    "AutoModelForUniversalSegmentation",
    "AutoModelForVideoClassification",
    "AutoModelForVision2Seq",
    "AutoModelForVisualQuestionAnswering",
    "AutoModelForZeroShotImageClassification",
    "AutoModelForZeroShotObjectDetection",
    "AutoModelWithLMHead",
)


def test_there_are_42_classes_of_models() -> None:
    assert len(MODELS) == 42
    exported = {name for name in dir(zoo_core) if name.startswith("Auto")} - {"AutoModelClass"}
    assert exported == {*MODELS, *OTHERS}


@pytest.mark.parametrize("name", [*MODELS, *OTHERS])
def test_none_can_be_constructed(name: str) -> None:
    auto = getattr(zoo_core, name)
    with pytest.raises(OSError, match=f"{name} is not constructed directly") as caught:
        auto()
    assert f"`{name}.from_pretrained(pretrained_model_name_or_path)`" in str(caught.value)
    assert (f"`{name}.from_config(config)`" in str(caught.value)) == (name in MODELS)
    with pytest.raises(OSError, match=name):
        auto("bert-base-cased", config=None)


@pytest.mark.parametrize("name", [*MODELS, *OTHERS])
def test_each_documents_itself_and_its_methods(name: str) -> None:
    auto = getattr(zoo_core, name)
    summary = auto.__doc__.splitlines()[0]
    assert summary.endswith(".") and "Model types" in auto.__doc__
    assert inspect.getdoc(auto.from_pretrained)
    assert inspect.getdoc(auto.register)
    assert "method" in repr(auto.from_pretrained)


def test_the_documentation_is_live(own: SimpleNamespace, clean: ModuleType) -> None:
    assert "own" not in AutoModelForCausalLM.__doc__
    AutoModelForCausalLM.register(own.Config, own.Model)
    line = next(line for line in AutoModelForCausalLM.__doc__.splitlines() if "OwnModel" in line)
    assert line.split() == ["own", "OwnModel", "(run-time", "registration)"]
    assert "OwnModel (run-time registration)" in pydoc.plain(pydoc.render_doc(AutoModelForCausalLM))
    assert "BertForMaskedLM (zoo-text" in zoo_core.AutoModelForMaskedLM.__doc__


def test_a_class_of_ones_own(own: SimpleNamespace, clean: ModuleType) -> None:
    auto = auto_model_class("AutoModelForCounting", head="counting")
    auto.register(own.Config, own.Model)
    assert auto.__doc__.startswith("Models with a counting head.\n")
    assert isinstance(auto.from_config(own.Config()), own.Model)

    class AutoModelForSorting(AutoModelClass[Any]):
        """Models with a sorting head."""

    with pytest.raises(ValueError, match="Unrecognized configuration class"):
        AutoModelForSorting.from_config(PLAIN)


PLAIN: Any = {"model_type": "bert"}


@pytest.mark.parametrize(
    ("auto", "instead"),
    [(AutoModelForVision2Seq, "AutoModelForImageTextToText"), (AutoModelWithLMHead, "AutoModelForCausalLM")],
)
def test_deprecated_classes_name_what_to_use(
    auto: Any, instead: str, own: SimpleNamespace, tmp_path: Any
) -> None:
    auto.register(own.Config, own.Model)
    with pytest.warns(FutureWarning, match=f"{auto.__name__} is deprecated. Use {instead}") as caught:
        model = auto.from_config(own.Config())
    assert caught[0].filename == __file__
    model.save_pretrained(tmp_path)
    with pytest.warns(FutureWarning, match=f"{auto.__name__} is deprecated. Use {instead}") as caught:
        assert isinstance(auto.from_pretrained(tmp_path), own.Model)
    assert caught[0].filename == __file__
