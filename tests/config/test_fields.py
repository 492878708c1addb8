"""Fields, aliases, labels and what a config offers as attributes."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_core.errors import ConfigError


def test_fields_have_defaults_of_their_own(plain: Any) -> None:
    first, second = plain(), plain()
    first.depths.append(3)
    assert (second.depths, second.hidden_size, second.layer_types) == ([1, 2], 8, ["full", "full"])
    assert plain.hidden_size == 8


CONVENTIONAL = {
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "sep_token_id": None,
    "decoder_start_token_id": None,
    "output_attentions": False,
    "output_hidden_states": False,
    "return_dict": True,
    "use_return_dict": True,
    "tie_word_embeddings": True,
    "is_encoder_decoder": False,
    "is_decoder": False,
    "add_cross_attention": False,
    "architectures": None,
    "dtype": None,
    "torch_dtype": None,
    "problem_type": None,
    "num_labels": 2,
    "id2label": {0: "LABEL_0", 1: "LABEL_1"},
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "chunk_size_feed_forward": 0,
    "max_length": 20,
    "num_beams": 1,
    "temperature": 1.0,
    "forced_eos_token_id": None,
    "name_or_path": "",
    "_attn_implementation": None,
    "transformers_version": None,
}


@pytest.mark.parametrize(("name", "value"), CONVENTIONAL.items())
def test_conventional_attributes_always_exist(name: str, value: Any) -> None:
    assert getattr(PretrainedConfig(), name) == value


def test_the_signature_shows_the_fields() -> None:
    class Shown(PretrainedConfig):
        model_type = "shown"
        text: PretrainedConfig = sub_config(None)
        sizes: list[int] = field([2, 3])
        pad_token_id: int | None = 7

        def __init__(self, text: Any = None, **kwargs: Any) -> None:
            super().__init__(text=text, **kwargs)

    parameters = inspect.signature(Shown).parameters.values()
    defaults = {one.name: one.default for one in parameters if one.kind is not one.VAR_KEYWORD}
    assert defaults == {"text": None, "sizes": [2, 3], "pad_token_id": 7}


def test_an_alias_works_for_get_set_keywords_and_files(plain: Any) -> None:
    config = plain(num_blocks=3)
    config.n_embd = 16
    assert (config.num_hidden_layers, config.num_blocks, config.hidden_size) == (3, 3, 16)
    assert plain.from_dict({"n_embd": 4}).hidden_size == 4
    assert "n_embd" not in config.to_dict()
    with pytest.raises(AttributeError):
        del config.num_blocks, config.num_blocks


def test_labels_and_their_number_go_together(plain: Any) -> None:
    config = plain(num_labels=3)
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    config.num_labels = 1
    assert (config.id2label, config.label2id) == ({0: "LABEL_0"}, {"LABEL_0": 0})
    named = plain(id2label={"0": "cat", "1": "dog"})
    assert (named.num_labels, named.id2label, named.label2id) == (
        2,
        {0: "cat", 1: "dog"},
        {"cat": 0, "dog": 1},
    )
    with pytest.warns(UserWarning, match="num_labels=3 does not fit id2label, which has 2 entries"):
        assert plain(id2label={0: "cat", 1: "dog"}, num_labels=3).num_labels == 2
    with pytest.raises(ValueError, match="must be an integer from 0 to 1048576"):
        config.num_labels = 10**12


def test_a_class_may_have_another_number_of_labels(plain: Any) -> None:
    class Three(plain):
        model_type = "three"
        num_labels: int = 3

    assert Three().num_labels == 3
    assert "id2label" in Three().to_diff_dict()  # a reader with other defaults needs it
    assert "id2label" in Three(num_labels=2).to_diff_dict()
    assert "id2label" not in plain().to_diff_dict()


def test_dtype_is_a_string_under_both_names(plain: Any) -> None:
    class Like:
        def __str__(self) -> str:
            return "torch.bfloat16"

    config = plain(torch_dtype="float16")
    assert (config.dtype, config.torch_dtype) == ("float16", "float16")
    config.torch_dtype = Like()
    assert config.dtype == "bfloat16"
    assert plain(dtype=Like()).to_dict()["dtype"] == "bfloat16"
    assert plain(dtype={"text_config": Like()}).dtype == {"text_config": "bfloat16"}


def test_unknown_keywords_become_attributes(plain: Any) -> None:
    config = plain(gradient_checkpointing=False, auto_map={"AutoModel": "m.C"})
    assert config.gradient_checkpointing is False
    assert config.to_diff_dict()["auto_map"] == {"AutoModel": "m.C"}


def test_a_keyword_never_hides_a_method(plain: Any) -> None:
    config = plain(save_pretrained="x", to_dict=1, sub_configs=2, check=3)
    assert callable(config.save_pretrained)
    assert config.sub_configs == {}
    written = config.to_diff_dict()
    assert (written["save_pretrained"], written["to_dict"], written["sub_configs"]) == ("x", 1, 2)


def test_copies_pickles_and_equality(plain: Any) -> None:
    config = plain(id2label={0: "a"}, foo=[1], dtype="float16", rope_scaling={"type": "linear"})
    for other in (
        copy.deepcopy(config),
        pickle.loads(pickle.dumps(config)),
        plain.from_dict(config.to_dict()),
    ):
        assert other == config
        assert other.foo is not config.foo
    assert config != plain()
    assert config != 3
    assert repr(config).startswith("PlainConfig {\n")


def test_subclasses_change_defaults_add_and_remove_fields(plain: Any) -> None:
    class Child(plain):
        hidden_size = 16  # no annotation: another default
        n_embd: int = 5  # was an alias
        colour: str = field("red")

        @property
        def use_cache(self) -> bool:
            return False

    child = Child()
    assert (child.hidden_size, child.n_embd, child.colour, child.use_cache) == (16, 5, "red", False)
    assert child.num_blocks == 2
    with pytest.raises(ConfigError, match="hidden_size = 'x': must be an integer"):
        Child(hidden_size="x")
    with pytest.raises(TypeError, match="both a field and an alias"):
        type(
            "Bad", (plain,), {"__annotations__": {"width": "int"}, "attribute_map": {"width": "hidden_size"}}
        )


def test_a_config_written_with_an_init_of_its_own() -> None:
    class Classic(PretrainedConfig):
        model_type = "classic"
        keys_to_ignore_at_inference = ["past_key_values"]

        def __init__(self, width: int = 3, is_decoder: bool = True, **kwargs: Any) -> None:
            self.width = width
            self.is_decoder = is_decoder
            super().__init__(is_decoder=is_decoder, **kwargs)

    config = Classic.from_dict({"width": 5, "extra": 1}, eos_token_id=7)
    assert (config.width, config.is_decoder, config.extra, config.eos_token_id) == (5, True, 1, 7)
    assert config.to_diff_dict() == {
        "width": 5,
        "is_decoder": True,
        "extra": 1,
        "eos_token_id": 7,
        "model_type": "classic",
    }


def test_attn_implementation_is_the_callers_and_reaches_the_parts(pair: Any) -> None:
    config = pair(attn_implementation="eager")
    assert config._attn_implementation == config.text_config._attn_implementation == "eager"
    assert "attn" not in config.to_json_string(use_diff=False)
    by_part = pair(attn_implementation={"": "sdpa", "text_config": "eager"})
    assert [by_part._attn_implementation, by_part.text_config._attn_implementation] == ["sdpa", "eager"]
    assert by_part.vision_config._attn_implementation is None


def test_generation_parameters_are_those_that_differ(plain: Any) -> None:
    config = plain.from_dict({"max_length": 5, "num_beams": 1, "suppress_tokens": [1]})
    assert config.generation_parameters() == {"max_length": 5, "suppress_tokens": [1]}
    assert config.to_diff_dict()["max_length"] == 5
    assert "num_beams" not in config.to_diff_dict()


def test_update_sets_all_or_nothing(plain: Any) -> None:
    config = plain()
    config.update({"num_blocks": 1, "foo": 2, "num_labels": 4})
    assert (config.num_hidden_layers, config.foo, config.num_labels) == (1, 2, 4)
    with pytest.raises(ConfigError, match="drop_rate = 'high': must be a number"):
        config.update({"hidden_size": 64, "drop_rate": "high"})
    assert config.hidden_size == 8


def test_update_from_string(plain: Any) -> None:
    config = plain()
    config.update_from_string("n_embd=10,drop_rate=0.2,use_cache=false,hidden_act=relu")
    assert (config.hidden_size, config.drop_rate, config.use_cache, config.hidden_act) == (
        10,
        0.2,
        False,
        "relu",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nope=1", "has no attribute 'nope'"),
        ("hidden_size", "must be name=value"),
        ("hidden_size=big", "must be int, as it is now"),
        ("use_cache=perhaps", "must be true or false"),
        ("depths=1", "only int, float, bool and str values"),
    ],
)
def test_update_from_string_refuses(plain: Any, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain().update_from_string(text)


def test_register_for_auto_class_is_accepted(plain: Any) -> None:
    class Own(plain):
        pass

    Own.register_for_auto_class()
    assert Own._auto_class == "AutoConfig"
    assert plain._auto_class is None
