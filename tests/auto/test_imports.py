"""What importing and resolving costs, each counted in a fresh process."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import zoo_core
from zoo_core import generation

HEAVY = ("torch", "numpy", "huggingface_hub", "tokenizers", "safetensors", "jinja2", "transformers")
REPORT = r"""
import json, re, sys
mib = int(re.search("VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps({"modules": sorted(sys.modules), "mib": mib}))
"""


def run(source: str) -> dict[str, Any]:
    """Modules and peak memory (MiB) of a fresh process that ran ``source``."""
    done = subprocess.run(
        [sys.executable, "-c", source + REPORT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def bare() -> set[str]:
    return set(run("")["modules"])


def packages(found: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in found}


def test_importing_the_package(bare: set[str]) -> None:
    added = set(run("import zoo_core")["modules"]) - bare
    assert not packages(added) & {*HEAVY, "zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal"}
    assert [name for name in added if name.startswith("zoo_core")] == ["zoo_core"]
    assert len(added) <= 10


def test_a_config_from_a_folder(bert: Path, bare: set[str]) -> None:
    source = (
        f"from zoo_core import AutoConfig; assert AutoConfig.from_pretrained({str(bert)!r}).vocab_size == 12"
    )
    found = run(source)
    added = set(found["modules"]) - bare
    assert not packages(added) & set(HEAVY)
    assert {name for name in added if name.startswith("zoo_text.")} == {
        "zoo_text.bert",
        "zoo_text.bert.config",
    }
    assert len(added) < 250
    assert found["mib"] < 60


def test_a_tokenizer_from_a_folder(bert: Path, bare: set[str]) -> None:
    source = (
        f"from zoo_core import AutoTokenizer; assert AutoTokenizer.from_pretrained({str(bert)!r})('hello')"
    )
    added = set(run(source)["modules"]) - bare
    assert not packages(added) & {"torch", "numpy", "huggingface_hub", "transformers"}


def test_documentation_imports_no_model(bare: set[str]) -> None:
    added = set(run("import zoo_core; assert 'bert' in zoo_core.AutoModel.__doc__")["modules"]) - bare
    assert "torch" not in packages(added)
    assert "zoo_text.bert.model" not in added


# Public names


def declared(package: ModuleType = zoo_core) -> dict[str, set[str]]:
    """The imports under TYPE_CHECKING in the package's ``__init__``: module to names."""
    tree = ast.parse(Path(package.__file__ or "").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        node.module or "": {alias.asname or "" for alias in node.names}
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
    }


def test_type_checkers_see_the_names_that_exist() -> None:
    assert declared() == {module: set(names) for module, names in zoo_core._EXPORTS.items()}
    assert declared(generation) == {
        f"zoo_core.generation.{module}": set(names) for module, names in generation._MODULES.items()
    }


@pytest.mark.parametrize("name", sorted(generation._HOME))
def test_every_part_of_generation_can_be_had(name: str) -> None:
    assert getattr(generation, name).__module__ == f"zoo_core.generation.{generation._HOME[name]}"
    assert name in dir(generation)


@pytest.mark.parametrize("name", sorted(zoo_core._HOME))
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(zoo_core, name) is not None
    assert name in dir(zoo_core)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'zoo_core' has no attribute 'AutoNothing'"):
        zoo_core.AutoNothing  # type: ignore[attr-defined]
