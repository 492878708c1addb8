"""AutoTokenizer: which class, in which order, and what it says when it cannot know."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from zoo_core import AutoConfig, AutoTokenizer
from zoo_core.architecture import Architecture
from zoo_core.config import PretrainedConfig, sub_config
from zoo_core.errors import ConfigError, UnknownArchitecture, UnknownComponent

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

Folder = Callable[..., Path]
VOCABULARY = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n"


@pytest.fixture
def saved(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer.json alone."""
    folder = tmp_path_factory.mktemp("saved")
    AutoTokenizer.from_pretrained(bert).save_pretrained(folder / "all")
    shutil.copy(folder / "all" / "tokenizer.json", folder)
    shutil.rmtree(folder / "all")
    return folder


def name_of(path: Any, *args: Any, **kwargs: Any) -> str:
    return type(AutoTokenizer.from_pretrained(path, *args, **kwargs)).__name__


def test_by_the_models_type(bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(bert)
    assert type(tokenizer).__name__ == "BertTokenizer"
    assert tokenizer("hello world")["input_ids"] == [2, 5, 6, 3]


@pytest.mark.parametrize("name", ["BertTokenizer", "BertTokenizerFast"])
@pytest.mark.parametrize("file", ["tokenizer_config", "config"])
def test_by_the_class_in_a_file(folder: Folder, name: str, file: str) -> None:
    path = folder(vocab_txt=VOCABULARY, **{file: {"tokenizer_class": name}})
    assert name_of(path) == name_of(path, use_fast=False) == "BertTokenizer"


def test_by_a_config_that_is_given(folder: Folder) -> None:
    path = folder(vocab_txt=VOCABULARY)
    assert name_of(path, config=AutoConfig.for_model("bert")) == "BertTokenizer"
    assert (
        name_of(path, config=AutoConfig.for_model("gpt2", tokenizer_class="BertTokenizer")) == "BertTokenizer"
    )


def test_by_an_explicit_type(folder: Folder, clean: ModuleType, own: SimpleNamespace) -> None:
    path = folder(vocab_txt=VOCABULARY, tokenizer_config={"tokenizer_class": "GPT2Tokenizer"})
    assert name_of(path, tokenizer_type="bert") == "BertTokenizer"
    assert name_of(path / "vocab.txt", tokenizer_type="bert") == "BertTokenizer"
    with pytest.raises(ValueError, match="tokenizer_type='bertt' does not exist") as caught:
        AutoTokenizer.from_pretrained(path, tokenizer_type="bertt")
    assert "'bert'" in str(caught.value)


def test_the_first_of_two_classes_counts(folder: Folder, own: SimpleNamespace) -> None:
    AutoTokenizer.register(own.Config, fast_tokenizer_class=own.TokenizerFast)
    path = folder(
        vocab_txt=VOCABULARY,
        tokenizer_config={"tokenizer_class": "BertTokenizer"},
        config={"model_type": "own", "tokenizer_class": "OwnTokenizerFast"},
    )
    assert name_of(path) == "BertTokenizer"


def test_a_tokenizer_file_without_a_class(saved: Path) -> None:
    assert name_of(saved) == "PreTrainedTokenizerFast"
    assert name_of(saved / "tokenizer.json") == "PreTrainedTokenizerFast"


def test_a_tokenizer_file_of_a_class_that_nobody_has(saved: Path) -> None:
    (saved / "tokenizer_config.json").write_text('{"tokenizer_class": "NowhereTokenizer"}')
    with pytest.warns(
        UserWarning, match=r"names the tokenizer class NowhereTokenizer, .*is loaded all the same"
    ) as c:
        tokenizer = AutoTokenizer.from_pretrained(saved)
    assert c[0].filename == __file__
    assert tokenizer("hello world")["input_ids"] == [2, 5, 6, 3]


def test_slow_and_fast_classes_registered_at_run_time(own: SimpleNamespace, saved: Path) -> None:
    (saved / "config.json").write_text('{"model_type": "own"}')
    AutoTokenizer.register(own.Config, fast_tokenizer_class=own.TokenizerFast)
    assert name_of(saved) == "OwnTokenizerFast"
    assert name_of(saved, use_fast=False) == "OwnTokenizerFast"  # there is no other
    assert name_of(saved, tokenizer_type="own") == "OwnTokenizerFast"


def test_a_replaced_tokenizer_of_a_built_in_type(clean: ModuleType, bert: Path, own: SimpleNamespace) -> None:
    config = type(AutoConfig.for_model("bert"))
    child = type("ChildTokenizerFast", (type(AutoTokenizer.from_pretrained(bert)),), {})
    AutoTokenizer.register(config, fast_tokenizer_class=child, exist_ok=True)
    assert name_of(bert) == "ChildTokenizerFast"


def test_the_encoders_tokenizer_of_an_encoder_decoder(
    clean: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Folder
) -> None:
    class BothConfig(PretrainedConfig):
        model_type = "both"
        encoder: Any = sub_config("bert")
        decoder: Any = sub_config("bert")

    module = ModuleType("zoo_both")
    module.BothConfig = BothConfig  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "zoo_both", module)
    clean.register(Architecture(model_type="both", config="zoo_both:BothConfig"))
    values = {"model_type": "both", "encoder": {"model_type": "bert"}, "decoder": {"model_type": "gpt2"}}
    path = folder(vocab_txt=VOCABULARY, config=values)
    with pytest.warns(
        UserWarning, match="encoder .* is of type 'bert' and its decoder of type 'gpt2'"
    ) as caught:
        assert name_of(path) == "BertTokenizer"
    assert caught[0].filename == __file__
    assert name_of(path, config=BothConfig()) == "BertTokenizer"


def test_a_path_that_contains_a_type(tmp_path: Path) -> None:
    path = tmp_path / "my-bert-x"
    path.mkdir()
    (path / "vocab.txt").write_text(VOCABULARY)
    with pytest.warns(UserWarning, match="'bert' is assumed"):
        assert name_of(path) == "BertTokenizer"


def test_nothing_says_which(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder(vocab_txt=VOCABULARY)
    (path / "zzz").symlink_to(path)
    monkeypatch.chdir(path)
    with pytest.raises(UnknownComponent, match="zzz does not say which tokenizer it has") as caught:
        AutoTokenizer.from_pretrained("zzz")
    assert 'tokenizer_type="bert"' in str(caught.value)


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        (
            {"tokenizer_config": {"tokenizer_class": "NowhereTokenizer"}},
            UnknownComponent,
            "'NowhereTokenizer'",
        ),
        (
            {"tokenizer_config": {"tokenizer_class": 3}},
            ConfigError,
            "tokenizer_class = 3: must be the name of a class",
        ),
        ({"tokenizer_config": {"tokenizer_class": "os.system"}}, ConfigError, "must be the name of a class"),
        ({"config": {"model_type": "nowhere"}}, UnknownArchitecture, "model type 'nowhere'"),
        ({"tokenizer_config": "[]"}, ConfigError, "holds a JSON array"),
    ],
)
def test_files_that_do_not_help(
    folder: Folder, files: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        AutoTokenizer.from_pretrained(folder(vocab_txt=VOCABULARY, **files))


def test_keywords_reach_the_tokenizer(bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(bert, unk_token="[MASK]", model_max_length=7)
    assert (tokenizer.unk_token, tokenizer.model_max_length) == ("[MASK]", 7)


def test_from_the_hub(bert: Path, hub: LoopbackHub) -> None:
    repository = hub.repository("org/model", {path.name: path for path in bert.iterdir()})
    assert name_of("org/model") == "BertTokenizer"
    hub.forget_requests()
    assert name_of("org/model", revision=repository.head) == "BertTokenizer"
    assert hub.count() == 0
    hub.repository("org/parts", {"tok/vocab.txt": VOCABULARY, "tok/config.json": {"model_type": "bert"}})
    assert name_of("org/parts", subfolder="tok") == "BertTokenizer"
