import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from zoo_core.checkpoint import DictSource, LoadReport, construct, load_weights, open_weights, save_weights
from zoo_core.errors import CheckpointError, WeightsMismatch


@pytest.fixture
def saved(zoo, tmp_path):
    """A saved model: the folder, and the model that was saved."""
    model = zoo.filled(zoo.Model())
    save_weights(model, tmp_path)
    return tmp_path, model


def load(cls, folder, **keywords):
    model = construct(cls, dtype=keywords.get("dtype"))
    with open_weights(folder) as source:
        return model, load_weights(model, source, rebuild=cls, **keywords)


def change(folder, edit):
    """Apply ``edit`` to the dictionary of tensors in the file."""
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}
    edit(tensors)
    save_file(tensors, folder / "model.safetensors")


def test_a_round_trip_through_every_device(zoo, saved):
    folder, model = saved
    loaded, report = load(zoo.Model, folder)
    assert zoo.equal(loaded, model)
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight
    assert torch.equal(loaded.model.inv_freq, model.model.inv_freq)
    assert report == LoadReport(timings=report.timings)


def test_names_alone_change_without_a_copy(zoo, saved):
    loaded, _ = load(zoo.Model, saved[0])
    maps = Path("/proc/self/maps").read_text().splitlines()
    spans = [line.split()[0].split("-") for line in maps if str(saved[0]) in line]
    mapped = [range(int(low, 16), int(high, 16)) for low, high in spans]
    assert any(loaded.score.weight.data_ptr() in span for span in mapped)
    assert not any(loaded.model.layers[0].mlp.down.data_ptr() in span for span in mapped)


@pytest.mark.parametrize("mode", ["mmap", "read"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_dtype_reaches_every_floating_tensor(zoo, saved, dtype, mode):
    model = construct(zoo.Model, dtype=dtype)
    with open_weights(saved[0], mode=mode) as source:
        load_weights(model, source, dtype=dtype)
    assert {p.dtype for p in model.parameters()} == {dtype}
    assert model.model.inv_freq.dtype == torch.float32
    expected = saved[1].to(dtype).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def test_what_must_stay_in_float32_does(zoo, saved):
    class Careful(zoo.Model):
        keep_in_float32 = ("mlp",)
        always_float32 = ("input_layernorm",)

    model, _ = load(Careful, saved[0], dtype=torch.float16)
    assert all(p.dtype == torch.float32 for name, p in model.named_parameters() if "mlp" in name)
    model, _ = load(Careful, saved[0], dtype=torch.bfloat16)
    kept = {name for name, p in model.named_parameters() if p.dtype == torch.float32}
    assert kept == {n for n, _ in model.named_parameters() if "input_layernorm" in n} and kept


ALIAS, OWNER = "lm_head.weight", "transformer.wte.weight"


@pytest.mark.parametrize(
    ("edit", "winner"),
    [
        (lambda t: t.update({ALIAS: t.pop(OWNER)}), "alias"),
        (lambda t: t.update({ALIAS: torch.ones(10, 8)}), "owner"),
    ],
    ids=["only the alias is there", "both are there and differ"],
)
def test_tied_weights_of_either_name(zoo, saved, edit, winner):
    folder, model = saved
    change(folder, edit)
    loaded, report = load(zoo.Model, folder)
    assert torch.equal(loaded.lm_head.weight, model.lm_head.weight), winner
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight
    assert not report.missing_keys and not report.unexpected_keys


def test_a_base_from_a_head_and_a_head_from_a_base(zoo, saved, tmp_path_factory):
    folder, model = saved
    base, report = load(zoo.Base, folder)
    assert zoo.equal(base, model.model)
    assert sorted(report.unexpected_keys) == ["head.score.bias", "head.score.weight"]

    class Base(zoo.Base):
        base_model_prefix = "transformer"

    other = tmp_path_factory.mktemp("base")
    save_weights(base, other)
    assert "h.0.ln.weight" in load_file(other / "model.safetensors")
    headed, report = load(zoo.Model, other)
    assert zoo.equal(headed.model, model.model)
    assert report.missing_keys == ["head.score.weight", "head.score.bias"] and not report.unexpected_keys


@pytest.fixture(autouse=True)
def base_prefix(zoo, monkeypatch):
    monkeypatch.setattr(zoo.Base, "base_model_prefix", "transformer", raising=False)


def test_a_second_spelling_of_what_is_there_is_no_news(zoo, saved):
    class Twice(zoo.Model):
        aliases = {"head.score_bias": "head.score.bias"}

    folder, model = saved
    change(folder, lambda t: t.update({"head.score_bias": t["head.score.bias"] + 1}))
    loaded, report = load(Twice, folder)
    assert (
        torch.equal(loaded.get_parameter("score.bias"), model.get_parameter("score.bias"))
        and not report.unexpected_keys
    )
    change(folder, lambda t: t.pop("head.score.bias"))
    loaded, report = load(Twice, folder)
    assert (
        torch.equal(loaded.get_parameter("score.bias"), model.get_parameter("score.bias") + 1)
        and not report.missing_keys
    )


def test_old_spellings_are_read(tmp_path):
    class Old(nn.Module):
        aliases = {"^old_head": "head"}

        def __init__(self):
            super().__init__()
            self.LayerNorm, self.head = nn.LayerNorm(3), nn.Linear(3, 3)
            self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 3, 2))

    g, v = torch.rand(3, 1, 1), torch.rand(3, 3, 2)
    tensors = {
        "LayerNorm.gamma": torch.ones(3) * 2,
        "LayerNorm.beta": torch.ones(3),
        "conv.bias": torch.ones(3),
    }
    tensors |= {
        "conv.weight_g": g,
        "conv.weight_v": v,
        "inv_freq": torch.ones(3),
        "x.position_ids": torch.ones(3),
    }
    tensors |= {"old_head.weight": torch.eye(3), "old_head.bias": torch.ones(3)}
    save_file(tensors, tmp_path / "model.safetensors")
    model, report = load(Old, tmp_path, strict=True)
    assert sorted(report.loading_info()) == [
        "error_msgs",
        "mismatched_keys",
        "missing_keys",
        "unexpected_keys",
    ]
    assert not any(report.loading_info().values())
    assert model.LayerNorm.weight.tolist() == [2, 2, 2] and torch.equal(model.head.weight, torch.eye(3))
    assert torch.allclose(model.conv.weight, g * v / v.flatten(1).norm(dim=1)[:, None, None])


def test_a_state_dict_of_either_naming_is_copied(zoo, saved):
    folder, model = saved
    for state_dict in (model.state_dict(), load_file(folder / "model.safetensors")):
        loaded = construct(zoo.Model)
        report = load_weights(loaded, DictSource(state_dict), strict=True)
        assert zoo.equal(loaded, model) and not report.missing_keys
        held = {tensor.data_ptr() for tensor in state_dict.values()}
        assert not held & {p.data_ptr() for p in loaded.parameters()}


def test_shapes_are_collected_and_raised_once(zoo, saved):
    folder, _ = saved

    class Wide(zoo.Model):
        def __init__(self):
            super().__init__()
            self.score = nn.Linear(8, 5)
            self.model.embed_tokens = nn.Embedding(12, 8)
            self.lm_head = nn.Linear(8, 12, bias=False)

    with pytest.raises(WeightsMismatch) as error:
        load(Wide, folder)
    text = str(error.value)
    assert "3 weights" in text and "head.score.weight: [2, 8] in the file, [5, 8] in the model" in text
    assert "transformer.wte.weight: [10, 8]" in text and "ignore_mismatched_sizes=True" in text
    model, report = load(Wide, folder, ignore_mismatched_sizes=True)
    assert ("head.score.weight", (2, 8), (5, 8)) in report.mismatched_keys and len(
        report.mismatched_keys
    ) == 3
    assert model.score.weight.isfinite().all() and not report.missing_keys


def test_strict_names(zoo, saved):
    folder, _ = saved
    change(folder, lambda t: t.update({"other": t.pop("head.score.bias")}))
    with pytest.raises(WeightsMismatch, match=r"Missing: head.score.bias. Unexpected: other."):
        load(zoo.Model, folder, strict=True)


def test_a_part_of_an_operation_is_missing(zoo, saved):
    folder, _ = saved
    change(folder, lambda t: t.pop("transformer.h.1.moe.experts.2.w3.weight"))
    _, report = load(zoo.Model, folder)
    assert report.missing_keys == ["transformer.h.1.moe.experts.2.w3.weight"]


def test_the_log_says_it_once_and_grouped(zoo, saved, caplog):
    folder, _ = saved
    change(folder, lambda t: [t.pop(f"transformer.h.{i}.ln.bias") for i in range(2)])
    with caplog.at_level(logging.WARNING, "zoo_core.checkpoint"):
        load(zoo.Model, folder)
    (record,) = caplog.records
    assert "transformer.h.{0-1}.ln.bias" in record.message and "train the model" in record.message


def test_terabytes_are_refused_before_anything_is_allocated(zoo, saved):
    class Huge(zoo.Model):
        def __init__(self):
            super().__init__()
            self.extra = nn.Linear(2**24, 2**24)

    with pytest.raises(CheckpointError) as error:
        load(Huge, saved[0])
    assert "extra.weight [16777216, 16777216]" in str(error.value) and "TB" in str(error.value)

    class Mask(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mask", torch.ones(2**24, 2**24).tril())

    with pytest.raises(CheckpointError, match=r"ones\(\[16777216, 16777216\]\).*size in the config"):
        construct(Mask)
