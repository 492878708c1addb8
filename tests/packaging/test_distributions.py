"""What is in the sdists and wheels: everything a user needs, built from the sdist alone."""

from __future__ import annotations

import configparser
import email
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("zoo_core", "zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal")
PLUGINS = PACKAGES[1:]
GROUPS = {"zoo_core.architectures.v1", "zoo_core.components.v1"}


def wheel_files(distributions: Path, package: str) -> dict[str, bytes]:
    (wheel,) = distributions.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def in_dist_info(files: dict[str, bytes], name: str) -> str:
    (found,) = (text for path, text in files.items() if path.endswith(f".dist-info/{name}"))
    return found.decode()


def entry_points(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {section: dict(parser[section]) for section in parser.sections()}


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_holds_every_file_of_the_source(distributions: Path, package: str) -> None:
    source = distributions.parent / "source" / package / "src"
    expected = {
        path.relative_to(source).as_posix() for path in (source / package).rglob("*") if path.is_file()
    }
    found = {name for name in wheel_files(distributions, package) if ".dist-info/" not in name}
    assert found == expected
    assert f"{package}/py.typed" in found


@pytest.mark.parametrize("package", PLUGINS)
def test_entry_points_survive_sdist_and_wheel(distributions: Path, package: str) -> None:
    source = distributions.parent / "source" / package
    declared = entry_points((source / "entry_points.txt").read_text())
    assert declared.keys() == GROUPS
    files = wheel_files(distributions, package)
    advertised = {group: entries for group, entries in declared.items() if entries}
    if advertised:
        assert entry_points(in_dist_info(files, "entry_points.txt")) == advertised
    for value in (value for entries in advertised.values() for value in entries.values()):
        module = value.partition(":")[0].replace(".", "/")
        assert f"{module}.py" in files or f"{module}/__init__.py" in files, value


def test_core_provides_the_command(distributions: Path) -> None:
    scripts = entry_points(in_dist_info(wheel_files(distributions, "zoo_core"), "entry_points.txt"))
    assert scripts["console_scripts"] == {"zoo": "zoo_core.cli:main"}


@pytest.mark.parametrize("package", PACKAGES)
def test_metadata_names_licence_versions_and_dependencies(distributions: Path, package: str) -> None:
    project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]
    files = wheel_files(distributions, package)
    metadata = email.message_from_string(in_dist_info(files, "METADATA"))
    assert metadata["Version"] == project["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert in_dist_info(files, "licenses/LICENSE") == (ROOT / "LICENSE").read_text()
    assert SpecifierSet(metadata["Requires-Python"]).contains("3.11.0")
    assert metadata.get_payload().strip() == (ROOT / package / "README.md").read_text().strip()
    requires = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    for requirement in (r for r in requires if r.name.startswith("zoo-")):
        other = ROOT / requirement.name.replace("-", "_") / "pyproject.toml"
        version = tomllib.loads(other.read_text())["project"]["version"]
        assert requirement.specifier.contains(version), requirement


def test_dependencies_point_one_way() -> None:
    allowed = {"zoo_core": set(), "zoo_multimodal": {"zoo-core", "zoo-text", "zoo-vision", "zoo-audio"}}
    for package in PACKAGES:
        project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]
        zoo = {Requirement(line).name for line in project["dependencies"] if line.startswith("zoo-")}
        assert zoo == allowed.get(package, {"zoo-core"})


@pytest.mark.parametrize("package", PACKAGES)
def test_sdist_is_small_and_complete(distributions: Path, package: str) -> None:
    (sdist,) = distributions.glob(f"{package}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert ("entry_points.txt" in names) == (package in PLUGINS)
    assert not [name for name in names if name.startswith(("tests", "build")) or "__pycache__" in name]
    assert sdist.stat().st_size < 4 * 2**20
