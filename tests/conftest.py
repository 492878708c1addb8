"""What every test gets: an environment of its own, no transformers, one thread, a hub on loopback."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
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
