"""What the four first-party packages advertise is in step with their sources, and with what is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

from zoo_core import AutoConfig
from zoo_core.errors import ConfigError
from zoo_core.registry import scan

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "sync_entry_points.py"
PACKAGES = ("zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal")


def sync(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *arguments], capture_output=True, text=True, timeout=60)


def advertised(text: str) -> set[tuple[str, str, str]]:
    return set(scan.lines(text))


def test_files_are_in_step_with_the_sources():
    result = sync("--check")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_installed_metadata_is_in_step_with_the_files(package):
    installed = metadata.distribution(package.replace("_", "-")).read_text("entry_points.txt") or ""
    written = (ROOT / package / "entry_points.txt").read_text(encoding="utf-8")
    assert advertised(installed) == advertised(written), (
        f"run pip install -e {package} again (make entry-points)"
    )


def test_the_table_of_first_party_names_matches_the_files():
    table = json.loads(resources.files("zoo_core.registry").joinpath("first_party.json").read_text())
    for package in PACKAGES:
        written = advertised((ROOT / package / "entry_points.txt").read_text(encoding="utf-8"))
        for kind, names in table[package.replace("_", "-")].items():
            assert set(names) == {name for group, name, _ in written if group == f"zoo_core.{kind}.v1"}


#: types that are nothing without the parts that they join
_MADE_OF_PARTS = {
    "encoder-decoder",
    "musicgen",
    "musicgen_melody",
    "rag",
    "speech-encoder-decoder",
    "vision-encoder-decoder",
    "vision-text-dual-encoder",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_type_has_a_config_of_its_own_defaults(package):
    table = json.loads(resources.files("zoo_core.registry").joinpath("first_party.json").read_text())
    for name in set(table[package.replace("_", "-")]["architectures"]) - _MADE_OF_PARTS:
        assert AutoConfig.for_model(name).to_dict(), name


def test_a_type_made_of_parts_asks_for_them():
    for name in _MADE_OF_PARTS:
        with pytest.raises(ConfigError, match="must be given"):
            AutoConfig.for_model(name)


@pytest.fixture
def workspace(tmp_path):
    """A workspace of four packages, one of which holds one architecture and one component."""
    for package in PACKAGES:
        source = tmp_path / package / "src" / package
        source.mkdir(parents=True)
        source.joinpath("__init__.py").write_text("")
    tiny = tmp_path / "zoo_text/src/zoo_text/tiny"
    tiny.mkdir()
    tiny.joinpath("__init__.py").write_text(
        "from zoo_core.architecture import Architecture\n"
        "ARCHITECTURE = Architecture(model_type='tiny', config='zoo_text.tiny.config:TinyConfig')\n"
    )
    tiny.joinpath("config.py").write_text("import torch\nclass TinyConfig: ...\nclass TinyTokenizer: ...\n")
    components = tmp_path / "zoo_text/src/zoo_text/components.py"
    components.write_text("COMPONENTS = {'TinyTokenizer': 'zoo_text.tiny.config:TinyTokenizer'}\n")
    (tmp_path / "zoo_core/src/zoo_core/registry").mkdir(parents=True)
    return tmp_path


def test_what_it_writes(workspace):
    assert "stale: zoo_text/entry_points.txt" in sync("--root", str(workspace), "--check").stderr
    assert not (workspace / "zoo_text/entry_points.txt").exists()
    assert sync("--root", str(workspace)).returncode == 0
    assert (workspace / "zoo_text/entry_points.txt").read_text() == (
        "[zoo_core.architectures.v1]\ntiny = zoo_text.tiny:ARCHITECTURE\n\n"
        "[zoo_core.components.v1]\nTinyTokenizer = zoo_text.tiny.config:TinyTokenizer\n"
    )
    table = json.loads((workspace / "zoo_core/src/zoo_core/registry/first_party.json").read_text())
    assert table["zoo-text"] == {"architectures": ["tiny"], "components": ["TinyTokenizer"]}
    assert table["zoo-audio"] == {"architectures": [], "components": []}
    assert sync("--root", str(workspace), "--check").returncode == 0
    (workspace / "zoo_audio/entry_points.txt").write_text("[zoo_core.architectures.v1]\n")
    result = sync("--root", str(workspace), "--check")
    assert result.returncode == 1
    assert result.stderr == (
        "stale: zoo_audio/entry_points.txt\nrun: python tools/sync_entry_points.py --install\n"
    )


@pytest.mark.parametrize(
    ("components", "text"),
    [
        ("'X': 'zoo_text.tiny.config:Absent'", "has no Absent"),
        ("'X': 'zoo_text.absent:X'", "there is no module zoo_text.absent"),
        ("'X': 'os:X'", "lies outside the workspace"),
        ("'X': 'zoo_text.tiny'", "is not a reference"),
        ("'TinyTokenizer': 'zoo_text.tiny.config:TinyTokenizer'", "advertised by zoo_text and by zoo_vision"),
    ],
)
def test_what_it_refuses(workspace, components, text):
    file = workspace / "zoo_vision/src/zoo_vision/components.py"
    file.write_text(f"COMPONENTS = {{{components}}}\n")
    result = sync("--root", str(workspace), "--check")
    assert result.returncode == 1 and text in result.stderr, result.stderr
