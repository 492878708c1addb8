"""Six custom-code repositories: in the sandbox they compute, to the bit, what they compute in process."""

from __future__ import annotations

import copy
import pickle
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import zoo_core
from zoo_core import AutoConfig, AutoImageProcessor, AutoProcessor, AutoTokenizer
from zoo_core.errors import SandboxError, UntrustedCode
from zoo_core.remote import review
from zoo_core.remote.store import TrustStore

REPOSITORIES = Path(__file__).parent / "repositories"
COMMIT = "a" * 40


def tokens(count: int) -> dict[str, Any]:
    return {"input_ids": torch.randint(3, count, (2, 7))}


def with_labels(inputs: dict[str, Any], labels: int, *shape: int) -> dict[str, Any]:
    return {**inputs, "labels": torch.randint(0, labels, shape)}


MODELS: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "tiny_decoder": ("AutoModelForCausalLM", lambda: {**(x := tokens(90)), "labels": x["input_ids"]}),
    "tiny_encoder": ("AutoModelForSequenceClassification", lambda: with_labels(tokens(60), 3, 2)),
    "tiny_vision": (
        "AutoModelForImageClassification",
        lambda: with_labels({"pixel_values": torch.randn(4, 3, 16, 16)}, 2, 4),
    ),
    "tiny_packages": ("AutoModel", lambda: {"inputs_embeds": torch.randn(2, 3, 10)}),
    "tiny_split": (
        "AutoModelForSequenceClassification",
        lambda: with_labels({"inputs_embeds": torch.randn(2, 3, 8)}, 4, 2),
    ),
    "tiny_tools": ("AutoModelForTokenClassification", lambda: with_labels(tokens(29), 2, 2, 7)),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weights(tmp_path: Path, hub: Callable[..., dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """The same with random weights in the repository."""

    def make(name: str) -> dict[str, Any]:
        keywords = hub(name)
        auto = getattr(zoo_core, MODELS[name][0])
        config = AutoConfig.from_pretrained(**keywords)
        snapshot = tmp_path / "cache" / f"models--zoo-tests--{name.replace('_', '-')}" / "snapshots" / COMMIT
        local = Path(shutil.copytree(snapshot, tmp_path / "plain"))
        if name == "tiny_split":
            text = (local / "config.json").read_text().replace("zoo-tests/tiny-split-config--", "")
            (local / "config.json").write_text(text)
            shutil.copy(REPOSITORIES / "tiny_split_config" / "configuration_tinysplit.py", local)
        config = AutoConfig.from_pretrained(local, trust_remote_code=True)
        model = auto.from_config(config, trust_remote_code=True)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
        model.save_pretrained(tmp_path / "weights")
        shutil.copy(tmp_path / "weights" / "model.safetensors", snapshot)
        return keywords

    return make


def in_process(auto: Any, keywords: dict[str, Any], name: str) -> Any:
    """The same model without the sandbox: approved by the user, pinned."""
    review.approve(TrustStore(), keywords["pretrained_model_name_or_path"], in_process=True)
    if name == "tiny_split":
        # Its config lies elsewhere, so one pin cannot serve both: the config comes from the sandbox.
        config = AutoConfig.from_pretrained(**keywords)
        return auto.from_pretrained(**keywords, config=config, sandbox=False, code_revision=COMMIT)
    return auto.from_pretrained(**keywords, sandbox=False, code_revision=COMMIT)


def tensors_of(output: Any) -> dict[str, Tensor]:
    return {key: value for key, value in output.items() if isinstance(value, Tensor)}


def loss_of(output: Any) -> Tensor:
    loss = output.get("loss")
    return output.last_hidden_state.square().mean() if loss is None else loss


@pytest.mark.parametrize("name", MODELS)
def test_the_same_to_the_bit(name: str, weights: Callable[[str], dict[str, Any]], tmp_path: Path) -> None:
    auto, make = getattr(zoo_core, MODELS[name][0]), MODELS[name][1]
    keywords = weights(name)
    before = set(sys.modules)
    inside = auto.from_pretrained(**keywords)
    outside = in_process(auto, keywords, name)
    assert type(outside).__module__.startswith("_zoo_remote.")
    left = {
        module for module in set(sys.modules) - before if "_zoo_remote" in module or "transformers" in module
    }
    assert not left, "nothing of the repository stays in sys.modules"
    assert {n: tuple(p.shape) for n, p in inside.named_parameters()} == {
        n: tuple(p.shape) for n, p in outside.named_parameters()
    }
    inputs = make()
    with torch.no_grad():
        mine, reference = tensors_of(inside(**inputs)), tensors_of(outside(**inputs))
    assert mine.keys() == reference.keys() and mine
    assert all(torch.equal(mine[key], reference[key]) for key in mine)

    optimizers = []
    for model in (inside, outside):
        torch.manual_seed(1)  # stochastic depth draws in the first step
        model.train()
        loss_of(model(**inputs)).backward()
        optimizers.append(torch.optim.AdamW(model.parameters(), lr=1e-2))
    gradients = {n: p.grad for n, p in outside.named_parameters()}
    for parameter, value in inside.named_parameters():
        expected = gradients[parameter]
        assert (value.grad is None) == (expected is None)
        assert expected is None or torch.equal(value.grad, expected), parameter

    losses = []
    for model, optimizer in zip((inside, outside), optimizers, strict=True):
        model.eval()
        for _ in range(10):
            optimizer.step()
            optimizer.zero_grad()
            loss = loss_of(model(**inputs))
            loss.backward()
        losses.append(loss.item())
    assert losses[0] == losses[1]
    own, other = inside.state_dict(), outside.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[key], other[key]) for key in own if key != "calls")

    inside.save_pretrained(tmp_path / "saved")
    again = auto.from_pretrained(tmp_path / "saved", trust_remote_code=True)
    with torch.no_grad():
        mine, reference = tensors_of(again(**inputs)), tensors_of(inside(**inputs))
    assert all(torch.equal(mine[key], reference[key]) for key in mine)


def test_generation_of_its_own_and_ours(weights: Callable[[str], dict[str, Any]]) -> None:
    keywords = weights("tiny_decoder")
    inside = zoo_core.AutoModelForCausalLM.from_pretrained(**keywords)
    outside = in_process(zoo_core.AutoModelForCausalLM, keywords, "tiny_decoder")
    assert inside.greedy([1, 5, 6], steps=5) == outside.greedy([1, 5, 6], steps=5)
    ids = torch.randint(3, 90, (2, 5))
    for options in ({"do_sample": False}, {"num_beams": 3}, {"do_sample": True, "top_k": 9}):
        results = []
        for model in (inside, outside):
            torch.manual_seed(3)
            results.append(model.generate(ids, max_new_tokens=6, **options))
        assert torch.equal(*results), options
    out = inside(ids, use_cache=True)
    assert "in the sandbox" in repr(out.past_key_values)
    step = inside(ids[:, -1:], past_key_values=out.past_key_values, use_cache=True)
    whole = outside(torch.cat([ids, ids[:, -1:]], 1))
    assert torch.allclose(step.logits[:, -1], whole.logits[:, -1], atol=1e-5)
    with pytest.raises(SandboxError, match="cannot pass into the sandbox"):
        inside.generate(ids, streamer=object())


def test_methods_by_name_and_outputs_of_its_own(weights: Callable[[str], dict[str, Any]]) -> None:
    keywords = weights("tiny_encoder")
    model = zoo_core.AutoModel.from_pretrained(**keywords)
    found = model.encode([[5, 6, 7], [9, 8]])
    assert isinstance(found, np.ndarray) and found.shape == (2, 24)
    out = model(torch.tensor([[5, 6, 7]]), output_hidden_states=True)
    assert out.embedding.shape == (1, 24) and len(out.hidden_states) == 3
    assert isinstance(model(torch.tensor([[5, 6]]), return_dict=False), tuple)
    with pytest.raises(AttributeError):
        model.nothing_of_the_kind
    assert "TinyEncModel (sandboxed)" in repr(model)


def test_running_statistics_come_back(weights: Callable[[str], dict[str, Any]]) -> None:
    keywords = weights("tiny_vision")
    inside = zoo_core.AutoModelForImageClassification.from_pretrained(**keywords).train()
    outside = in_process(zoo_core.AutoModelForImageClassification, keywords, "tiny_vision").train()
    pixels = torch.randn(4, 3, 16, 16)
    for model in (inside, outside):
        torch.manual_seed(5)
        model(pixels)
    name = "backbone.stages.0.norm.running_mean"
    assert torch.equal(inside.state_dict()[name], outside.state_dict()[name])
    state = {key: torch.zeros_like(value) for key, value in inside.state_dict().items()}
    inside.load_state_dict(state)
    inside.eval()
    outside.load_state_dict(state)
    outside.eval()
    assert torch.equal(inside(pixels).logits, outside(pixels).logits)


def test_dtype_threads_and_restart(weights: Callable[[str], dict[str, Any]]) -> None:
    keywords = weights("tiny_encoder")
    auto = zoo_core.AutoModelForSequenceClassification
    inside = auto.from_pretrained(**keywords)
    outside = in_process(auto, keywords, "tiny_encoder")
    inputs = {"input_ids": torch.randint(3, 60, (2, 7))}
    for dtype in (torch.bfloat16, torch.float64):
        assert torch.equal(inside.to(dtype)(**inputs).logits, outside.to(dtype)(**inputs).logits)
        assert inside(**inputs).logits.dtype == inside.dtype == dtype
    half = auto.from_pretrained(**keywords, dtype=torch.bfloat16)
    assert half.dtype == torch.bfloat16
    results: list[Tensor] = []
    threads = [threading.Thread(target=lambda: results.append(inside(**inputs).logits)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 6 and all(torch.equal(result, results[0]) for result in results)
    inside.close()
    with pytest.raises(SandboxError, match="ended"):
        inside(**inputs)
    inside.restart()
    assert torch.equal(inside(**inputs).logits, results[0])


def test_gradients_of_inputs_frozen_weights_and_outer_modules(
    weights: Callable[[str], dict[str, Any]],
) -> None:
    keywords = weights("tiny_packages")
    inside = zoo_core.AutoModel.from_pretrained(**keywords)
    outside = in_process(zoo_core.AutoModel, keywords, "tiny_packages")
    found = []
    for model in (inside, outside):
        torch.manual_seed(2)
        head = torch.nn.Linear(10, 1)
        model.blocks[0].linear.requires_grad_(False)
        x = torch.ones(2, 3, 10, requires_grad=True)
        first = model(inputs_embeds=x).last_hidden_state
        second = model(inputs_embeds=first * 2).last_hidden_state
        head(second + first).sum().backward()
        assert model.blocks[0].linear.weight.grad is None
        found.append([x.grad, head.weight.grad, *(p.grad for p in model.parameters() if p.grad is not None)])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_what_cannot_work_says_so(weights: Callable[[str], dict[str, Any]]) -> None:
    keywords = weights("tiny_packages")
    model = zoo_core.AutoModel.from_pretrained(**keywords)
    x = torch.ones(1, 2, 10, requires_grad=True)
    y = model(inputs_embeds=x).last_hidden_state.sum()
    with pytest.raises(SandboxError, match="gradient of gradients"):
        torch.autograd.grad(y, x, create_graph=True)
    y = model(inputs_embeds=x).last_hidden_state.sum()
    with torch.no_grad():
        model.blocks[0].norm.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified in place"):
        y.backward()
    with pytest.raises(SandboxError, match="inside of the sandbox only"):
        model.blocks[0](x)
    with pytest.raises(SandboxError, match="hooks"):
        model.blocks[0].register_forward_hook(print)
    for copier in (copy.deepcopy, pickle.dumps):
        with pytest.raises(SandboxError, match="neither pickled nor copied"):
            copier(model)
    with pytest.raises(SandboxError, match="CPU only"):
        model.to("meta")
    with pytest.raises(SandboxError, match="CPU only"):
        model(inputs_embeds=x.detach().to("meta"))
    with pytest.raises(SandboxError, match="cannot pass"):
        model(inputs_embeds=x, note=object())
    with pytest.raises(SandboxError, match="TypeError"):
        model()


def test_tokenizer_and_processor(hub: Callable[[str], dict[str, Any]], tmp_path: Path) -> None:
    keywords = hub("tiny_tools")
    with pytest.raises(UntrustedCode):
        AutoTokenizer.from_pretrained(**{**keywords, "trust_remote_code": False})
    tokenizer: Any = AutoTokenizer.from_pretrained(**keywords)
    batch = tokenizer(["abc", "a z!"], padding=True, return_tensors="pt")
    assert batch["input_ids"].tolist() == [[3, 4, 5, 1, 0], [3, 29, 28, 2, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    assert tokenizer.decode([3, 4, 5, 1], skip_special_tokens=True) == "abc"
    assert tokenizer.shout("abc") == "ABC"
    assert (tokenizer.vocab_size, tokenizer.pad_token, tokenizer.model_max_length) == (30, "_", 32)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    again: Any = AutoTokenizer.from_pretrained(tmp_path / "tokenizer", trust_remote_code=True)
    assert again("abc")["input_ids"] == tokenizer("abc")["input_ids"]

    image = Image.new("RGB", (9, 7), (255, 0, 51))
    processor: Any = AutoImageProcessor.from_pretrained(**keywords)
    pixels = processor(image, return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, 4, 4)
    assert torch.allclose(pixels[0, :, 0, 0], torch.tensor([0.75, -0.25, -0.05]))
    both: Any = AutoProcessor.from_pretrained(**keywords)
    found = both(text=["abc"], images=[image], return_tensors="pt")
    assert set(found) >= {"input_ids", "attention_mask", "pixel_values"}
