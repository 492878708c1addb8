"""Random content of config.json: a config that saves and loads as itself, or one clear error."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from zoo_core.errors import ConfigError, RegistryError

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 40),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(["plain", "pair", "plain_vision", "gelu", "rotary", "torch.float16"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
NAMES = [
    "vocab_size",
    "hidden_size",
    "n_embd",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "depths",
    "image_size",
    "rope_scaling",
    "layer_types",
    "id2label",
    "label2id",
    "num_labels",
    "dtype",
    "torch_dtype",
    "architectures",
    "pruned_heads",
    "eos_token_id",
    "auto_map",
    "model_type",
    "attribute_map",
    "to_dict",
    "__config_fields__",
    "_attn",
    "_unreachable",
    "text_config",
    "vision_config",
    "extra_config",
]
FILES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), VALUES, max_size=6)


@pytest.mark.parametrize("name", ["plain", "pair"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=FILES)
def test_any_object_is_a_config_or_an_error(name: str, plain: Any, pair: Any, values: dict[str, Any]) -> None:
    cls = {"plain": plain, "pair": pair}[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = cls.from_dict(values)
    except (ConfigError, RegistryError) as error:
        assert str(error)
        return
    text = config.to_json_string()
    again = cls.from_dict(json.loads(text))
    assert again == config
    assert again.to_json_string() == text
    config.validate()
