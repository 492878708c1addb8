"""What every test gets: an environment of its own, no transformers, one thread; a hub on loopback, a fresh
registry and distributions for it to find."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

# The hub client and torch read these once, when they are imported: set before any test module is.
_HOME = tempfile.mkdtemp(prefix="zoo-tests-")
for _name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE"):
    os.environ.pop(_name, None)
for _name in [name for name in os.environ if name.startswith("ZOO_") or name.lower().endswith("_proxy")]:
    del os.environ[_name]
os.environ |= {
    "HF_HOME": _HOME,
    "HF_ENDPOINT": "http://127.0.0.1:9",  # nothing listens there: a forgotten fixture cannot reach the world
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class _NoTransformers(MetaPathFinder):
    """Makes ``import transformers`` fail, installed or not: nothing of the zoo may lean on it."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] == "transformers":
            raise ModuleNotFoundError("transformers is blocked in this process", name=fullname)
        return None


sys.meta_path.insert(0, _NoTransformers())


def _load_beside(name: str) -> Any:
    """A helper module of this folder, importable by its bare name from now on."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_load_beside("loopback_hub")


@pytest.fixture(scope="session", autouse=True)
def _isolated_home() -> Iterator[Path]:
    yield Path(_HOME)
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """An empty hub on loopback that this test's loads talk to, with an empty cache of its own."""
    # Its constants must come from the settings above, not from those of whichever test is first.
    import huggingface_hub.constants  # noqa: F401
    from loopback_hub import LoopbackHub

    with LoopbackHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        yield server


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The registry with nothing read, registered or preferred; all is taken back after the test."""
    modules = set(sys.modules)
    for variable in ("ZOO_PREFER", "ZOO_DISABLE"):
        monkeypatch.delenv(variable, raising=False)
    from zoo_core import registry as registry_module

    with registry_module.isolated():
        registry_module.clear_cache()
        yield registry_module
    monkeypatch.undo()  # sys.path first, so that the next reader does not see this test's plugins
    registry_module.clear_cache()
    for name in set(sys.modules) - modules:
        if name.partition(".")[0].startswith(("zoo_test_", "plug_")):
            del sys.modules[name]


@pytest.fixture
def distribution(
    tmp_path: Path, registry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Write a distribution as pip would have left it: metadata, entry points, modules."""

    def distribution(
        name: str,
        version: str = "1.0",
        *,
        architectures: dict[str, str] | None = None,
        components: dict[str, str] | None = None,
        extensions: dict[str, str] | None = None,
        entry_points: str | bytes | None = None,
        requires: tuple[str, ...] = (),
        modules: dict[str, str] | None = None,
        folder: str = "site",
    ) -> Path:
        site = tmp_path / folder
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        info.joinpath("METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {r}" for r in requires)]))
        if entry_points is None:
            groups = {"architectures": architectures, "components": components, "extensions": extensions}
            entry_points = "\n".join(
                "\n".join(
                    [f"[zoo_core.{group}.v1]", *(f"{key} = {value}" for key, value in (table or {}).items())]
                )
                for group, table in groups.items()
            )
        content = entry_points if isinstance(entry_points, bytes) else entry_points.encode()
        info.joinpath("entry_points.txt").write_bytes(content)
        for module, source in (modules or {}).items():
            site.joinpath(f"{module}.py").write_text(source)
        if str(site) not in sys.path:
            monkeypatch.syspath_prepend(str(site))
        registry.clear_cache()
        return site

    return distribution
