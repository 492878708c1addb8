"""Every checkpoint under cases/ gives the reference's numbers: one test a case.

A case holds a config, the names and shapes of the weights (whose values are made from the names), inputs,
and what the reference implementation answered; nothing of the reference is needed to run it.
"""

from __future__ import annotations

import importlib
import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import zoo_core
from zoo_core import registry

CASES = Path(__file__).parent / "cases"
PATHS = sorted(CASES.glob("*/*.json"))
TOLERANCE = 3e-4  # of the largest expected value


def flat(prefix: str, value: Any, into: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    if torch.is_tensor(value):
        into[prefix or "output"] = value.detach()
    elif isinstance(value, Mapping):
        for key, item in value.items():
            flat(f"{prefix}.{key}" if prefix else key, item, into)
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            flat(f"{prefix}.{i}", item, into)
    return into


def compare(expected: Mapping[str, Any], got: Mapping[str, torch.Tensor], skipped: list[str]) -> None:
    for name, want in expected.items():
        if name in skipped:
            continue
        assert name in got, f"{name} is absent; there are {sorted(got)}"
        assert list(got[name].shape) == want["shape"], name
        if "values" not in want:
            continue
        have = got[name].double().numpy().ravel()
        reference = np.array(want["values"])
        places = np.unique(np.linspace(0, max(have.size - 1, 0), num=len(reference)).round().astype(int))
        have = have[places]
        if want["dtype"].startswith(("int", "bool", "uint")):
            assert (have == reference).all(), name
            continue
        filled = np.abs(reference) > 1e9  # fill values of masked positions: any fill of that sign will do
        assert (np.sign(have[filled]) == np.sign(reference[filled])).all(), name
        have, reference = have[~filled], reference[~filled]
        if have.size:
            limit = TOLERANCE * max(1.0, float(np.abs(reference).max()))
            assert float(np.abs(have - reference).max()) <= limit, name


def loading_class(case: Mapping[str, Any]) -> type[Any]:
    """An Auto class that builds the class of the case, else that class itself."""
    architecture = registry.get(case["model_type"]).architecture
    for name in architecture.models:
        if any(ref.endswith(f":{case['architecture']}") for ref in architecture.candidates(name)):
            return getattr(zoo_core, name)
    return model_class(case)


def model_class(case: Mapping[str, Any]) -> type[Any]:
    architecture = registry.get(case["model_type"]).architecture
    beside_config = architecture.config.rpartition(".config:")[0] + ".model"
    places = {
        name: module
        for auto in architecture.models
        for module, _, name in (ref.partition(":") for ref in architecture.candidates(auto))
    }
    wanted = case["architecture"]
    return getattr(importlib.import_module(places.get(wanted, beside_config)), wanted)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_reference(
    path: Path,
    tmp_path: Path,
    write_checkpoint: Callable[..., dict[str, torch.Tensor]],
    given: Callable[[str, Any], Any],
) -> None:
    case = json.loads(path.read_text())
    source = tmp_path / "source"
    weights = write_checkpoint(case, source)

    model, info = loading_class(case).from_pretrained(source, output_loading_info=True)
    assert type(model).__name__ == case["architecture"]
    assert not model.training
    computed = case.get("computed", ())
    assert [k for k in info["missing_keys"] if k not in computed] == []
    assert info["unexpected_keys"] == [] and info["mismatched_keys"] == []

    model.save_pretrained(tmp_path / "saved")
    back = load_file(tmp_path / "saved" / "model.safetensors")
    assert set(back) - set(computed) == set(weights)
    assert all(torch.equal(weights[name], back[name]) for name in weights)
    pickle.dumps(model)  # spawned workers are sent whole models

    inputs = {name: given(name, spec) for name, spec in case["inputs"].items()}
    skipped = case.get("stochastic", [])
    with torch.no_grad():
        torch.manual_seed(0)
        result = model(**inputs)
        compare(case["outputs"], flat("output" if isinstance(result, tuple) else "", result, {}), skipped)
        for part, flag in (("hidden_states", "output_hidden_states"), ("attentions", "output_attentions")):
            if part in case and not skipped:
                torch.manual_seed(0)
                compare(case[part], flat("", model(**{**inputs, flag: True}), {}), [])
        for run in case.get("generate", {}).values():
            if "sequences" in run:
                torch.manual_seed(0)
                start = {n: given(f"generate.{n}", s) for n, s in case["generate_inputs"].items()}
                sequences = model.generate(**start, **run["kwargs"])
                compare({"sequences": run["sequences"]}, {"sequences": sequences}, [])


FIRST = sorted({path.parent: path for path in reversed(PATHS)}.values())  # one case a type
INTEGERS = (torch.bool, torch.uint8, torch.int32, torch.int64)
PLACES = {"bbox"}  # whole numbers, whatever they are stored as


def floating(value: Any) -> list[torch.Tensor]:
    outputs: list[torch.Tensor] = []
    if torch.is_tensor(value):
        outputs += [value] if value.is_floating_point() else []
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            outputs += floating(item)
    return outputs


def halved(name: str, value: Any) -> Any:
    if torch.is_tensor(value):
        return value.bfloat16() if value.is_floating_point() and name not in PLACES else value
    if isinstance(value, list | tuple):
        return type(value)(halved(name, item) for item in value)
    return {key: halved(key, item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("path", FIRST, ids=lambda p: p.parent.name)
def test_a_new_model_has_no_empty_memory(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = json.loads(path.read_text())
    (tmp_path / "config.json").write_text(json.dumps(case["config"]))
    config = zoo_core.AutoConfig.from_pretrained(tmp_path)
    made, empty = model_class(case), torch.empty
    if not isinstance(config, made.config_class):  # a part, saved with the config of the whole
        config = next(part for part in vars(config).values() if isinstance(part, made.config_class))

    def poisoned(*size: Any, **options: Any) -> torch.Tensor:
        return empty(*size, **options).fill_(-1 if options.get("dtype") in INTEGERS else torch.nan)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty", poisoned)
        model = made(config)
    values = [*model.named_parameters(), *model.named_buffers()]
    assert [name for name, value in values if value.is_floating_point() and value.isnan().any()] == []


@pytest.mark.parametrize("path", FIRST, ids=lambda p: p.parent.name)
def test_half_precision_and_gradients(
    path: Path,
    tmp_path: Path,
    write_checkpoint: Callable[..., dict[str, torch.Tensor]],
    given: Callable[[str, Any], Any],
) -> None:
    """In bfloat16 no answer is NaN, and in float32 every output has finite gradients."""
    case = json.loads(path.read_text())
    write_checkpoint(case, tmp_path / "source")
    inputs = {name: given(name, spec) for name, spec in case["inputs"].items()}
    made = loading_class(case)

    half = made.from_pretrained(tmp_path / "source", dtype=torch.bfloat16)
    with torch.no_grad():
        answers = floating(half(**halved("", inputs)))
    assert answers and not any(answer.isnan().any() for answer in answers)

    model = made.from_pretrained(tmp_path / "source")
    followed = [
        one.nan_to_num(neginf=0.0, posinf=0.0).sum()
        for one in floating(model(**inputs))
        if one.requires_grad and (one.dim() or one.isfinite())
    ]
    assert followed
    sum(followed[1:], followed[0]).backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
