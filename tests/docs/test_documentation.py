"""The documentation is true: links lead somewhere, examples run, tables are complete."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

import zoo_core
from zoo_audio.features.log_mel import WhisperFeatureExtractor
from zoo_core import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast, errors
from zoo_core.cli import COMMANDS
from zoo_core.cli.tasks import TASKS
from zoo_multimodal.clip.processor import CLIPProcessor
from zoo_vision.processing import picture
from zoo_vision.processing.classification import ViTImageProcessor

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("zoo_*/*.md"), *ROOT.glob("benchmarks/*.md")]
)
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
_BLOCK = re.compile(r"<!-- (file: (?P<file>\S+)|run) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


def test_there_are_pages() -> None:
    assert {"README.md", "CONTRIBUTING.md", "index.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_imports_exist(page: Path) -> None:
    text = page.read_text()
    for command in re.findall(r"^\$? ?zoo (\w+)", text, flags=re.MULTILINE):
        assert command in COMMANDS
    for line in re.findall(r"^from (?:zoo_core)\S* import [\w, ]+$", text, flags=re.MULTILINE):
        compile(line, page.name, "exec")
        exec(line, {})


def test_every_error_is_in_its_table_with_its_built_in_base() -> None:
    text = (ROOT / "docs" / "errors.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, flags=re.MULTILINE))
    raised = {n: c for n, c in vars(errors).items() if inspect.isclass(c) and c.__module__ == errors.__name__}
    assert rows.keys() == raised.keys() - {"ZooError"}
    for name, others in rows.items():
        for base in re.findall(r"`(\w+)`", others):
            found = getattr(errors, base, None) or getattr(__import__("builtins"), base)
            assert issubclass(raised[name], found), f"{name} is no {base}"


def test_the_examples_of_generation_run() -> None:
    page = (ROOT / "docs" / "generation.md").read_text()
    sizes = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
    torch.manual_seed(0)
    model, small = (
        AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", num_hidden_layers=n, **sizes)).eval()
        for n in (2, 1)
    )
    names = {"model": model, "small": small, "torch": torch, "ids": torch.tensor([[5, 6, 7]])}
    examples = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(examples) >= 5
    for example in examples:
        exec(example, names)
    for kind in re.findall(r'^\| `"(\w+)"` \|', page, flags=re.MULTILINE):
        assert model.generate(names["ids"], max_new_tokens=3, cache_implementation=kind).shape == (1, 6)


def test_the_examples_of_inputs_run() -> None:
    page = (ROOT / "docs" / "inputs.md").read_text()
    vocabulary = {
        word: i for i, word in enumerate(["<pad>", "<unk>", "a", "cat", "one", "text", "and", "longer"])
    }
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
    )
    pictures = ViTImageProcessor()
    names = {
        "tokenizer": tokenizer,
        "image_processor": pictures,
        "feature_extractor": WhisperFeatureExtractor(),
        "processor": CLIPProcessor(pictures, tokenizer),
    }
    examples = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        exec(example, names)
    assert names["pixels"].shape == (2, 3, 224, 224) and names["large"]["pixel_values"].shape[2] == 384
    assert names["again"]["input_features"].shape == (1, 80, 3000)
    assert sorted(names["batch"]) == ["attention_mask", "input_ids", "pixel_values"]
    assert f"{picture.MAX_PIXELS:,} pixels" in page


def test_the_tasks_are_those_that_the_command_line_has() -> None:
    page = (ROOT / "docs" / "tasks.md").read_text()
    assert re.findall(r"^\| `([\w-]+)`", page, flags=re.MULTILINE) == list(TASKS)
    for name in re.findall(r"`(AutoModel\w*)`", page):
        assert hasattr(zoo_core, name)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of CONTRIBUTING.md, written from the page and installed by pip into a folder of its own."""
    folder = tmp_path_factory.mktemp("acme")
    for match in _BLOCK.finditer(CONTRIBUTING):
        if match["file"]:
            path = folder / "acme-zoo" / match["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(match["text"])
    options = ["-q", "--no-deps", "--no-index", "--no-build-isolation", "--target", "site"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "./acme-zoo"], cwd=folder, check=True)
    shutil.rmtree(folder / "acme-zoo")
    return folder


def run(acme: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=acme,
        env={"PYTHONPATH": str(acme / "site"), "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_of_the_guide_works_as_it_stands(acme: Path) -> None:
    (example,) = (match["text"] for match in _BLOCK.finditer(CONTRIBUTING) if not match["file"])
    run(acme, "-c", example)
    listed = json.loads(run(acme, "-m", "zoo_core.cli", "list", "--from", "acme-zoo", "--json"))
    assert [row["name"] for row in listed] == ["dan"]
    assert "Loaded by acme-zoo 1.0.0" in run(acme, "-m", "zoo_core.cli", "info", "my-dan")


def test_the_config_of_the_guide_checks_itself(acme: Path) -> None:
    code = (
        "from zoo_core import AutoConfig\nfrom zoo_core.errors import ConfigError\n"
        "try: AutoConfig.for_model('dan', num_hidden_layers=0)\nexcept ConfigError as error: print(error)"
    )
    assert "must be at least 1" in run(acme, "-c", code)
