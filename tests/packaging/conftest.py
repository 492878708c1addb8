"""The five packages, built once: sdist from a copy of the source, wheel from the sdist alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import packaging
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("zoo_core", "zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal")


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; the test fails with its output when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def _build(package: str, folder: Path) -> None:
    source = folder / "source" / package
    ignored = shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT / package, source, symlinks=True, ignore=ignored)  # LICENSE is a link to the root's
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", source)


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel of each package, beside the folder of what they were built from;
    shared by all test processes of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "distributions"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "done").exists():
            (folder / "source").mkdir(parents=True)
            shutil.copy(ROOT / "LICENSE", folder / "source")
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda package: _build(package, folder), PACKAGES))
            (folder / "done").touch()
    return folder / "dist"


@pytest.fixture(scope="session")
def installed(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders into which pip installed the wheels: of each package alone, and of "all"."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = {package: next(distributions.glob(f"{package}-*.whl")) for package in PACKAGES}
    targets = {package: [wheel] for package, wheel in wheels.items()} | {"all": list(wheels.values())}
    for name in ("zoo_core", "all"):
        run(
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--target",
            folder / name,
            *targets[name],
        )
    # The one dependency that a record with a zoo-core range needs; the tests see no site-packages.
    shutil.copytree(Path(packaging.__file__).parent, folder / "all" / "packaging")
    return {name: folder / name for name in ("zoo_core", "all")}


@pytest.fixture(scope="session")
def vision_alone(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with zoo-core, zoo-vision and a third party's image package, as pip installs them.

    Beside it "others": what else is installed here, without anything of the zoo.
    """
    folder = tmp_path_factory.mktemp("vision")
    plugin = folder / "source"
    shutil.copytree(ROOT / "tests" / "plugins" / "vision", plugin)
    wheels = [next(distributions.glob(f"{package}-*.whl")) for package in ("zoo_core", "zoo_vision")]
    options = ["-q", "--no-deps", "--no-index", "--no-build-isolation", "--target", folder / "site"]
    run(sys.executable, "-m", "pip", "install", *options, *wheels, plugin)
    (folder / "others").mkdir()
    for path in Path(packaging.__file__).parents[1].iterdir():
        if not path.name.lower().startswith(("zoo", "__editable__")) and path.suffix != ".pth":
            (folder / "others" / path.name).symlink_to(path)
    return folder / "site"
