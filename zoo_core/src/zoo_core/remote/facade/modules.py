"""The tree of ``transformers`` modules that code of repositories imports from, made on demand."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from zoo_core.remote.facade import natives
from zoo_core.remote.facade.table import MODULES, PRIVATE, SYMBOLS, VERSION

FACADE_VERSION = "1.0"
ROOT = "transformers"


class FacadeModule(ModuleType):
    """One module of the tree. Names are found when they are asked for."""

    def __init__(self, name: str, tree: Facade) -> None:
        super().__init__(name, f"{name}, as served by zoo-core (facade {FACADE_VERSION})")
        self.__path__: list[str] = []
        self.__package__ = name
        self.__dict__["_tree"] = tree
        if name == ROOT:
            self.__version__ = VERSION

    def __getattr__(self, name: str) -> Any:
        tree: Facade = self.__dict__["_tree"]
        if name.startswith("__"):
            raise AttributeError(name)
        value = tree.find(self.__name__, name)
        self.__dict__[name] = value
        return value


class Facade:
    """The whole tree. One for each worker, or for code that runs in process."""

    def __init__(self) -> None:
        self._modules: dict[str, FacadeModule] = {}

    def import_module(self, name: str, fromlist: Sequence[str] | None) -> FacadeModule:
        """What ``__import__(name, fromlist=...)`` gives. Raises ``ImportError``, naming what lacks."""
        module = self._module(name)
        if not fromlist:
            return self._module(ROOT)
        for item in fromlist:
            if item == "*":
                raise ImportError(f"from {name} import *: name what is needed; the facade has no list of all")
            try:
                getattr(module, item)
            except AttributeError as error:
                raise ImportError(str(error), name=name) from None
        return module

    def find(self, module: str, name: str) -> Any:
        """The value of ``name`` in ``module``. Raises ``AttributeError``."""
        full = f"{module}.{name}"
        if self._exists(full):
            return self._module(full)
        place, _, attribute = SYMBOLS.get(name, "").partition(":")
        if place and not module.startswith(f"{ROOT}.models."):
            return getattr(import_module(place), attribute)
        found = natives.find(module, name)
        if found is None and place:
            found = getattr(import_module(place), attribute)
        if found is None:
            raise AttributeError(_missing(module, name))
        return found

    def _module(self, name: str) -> FacadeModule:
        if name not in self._modules:
            if not self._exists(name):
                raise ModuleNotFoundError(_missing(*_split(name)), name=name)
            self._modules[name] = FacadeModule(name, self)
        return self._modules[name]

    @staticmethod
    def _exists(name: str) -> bool:
        return name == ROOT or name.removeprefix(f"{ROOT}.") in MODULES or natives.is_module(name)


def _split(name: str) -> tuple[str, str]:
    module, _, last = name.rpartition(".")
    return module, last


def _missing(module: str, name: str) -> str:
    why = f" ({PRIVATE[name]})" if name in PRIVATE else ""
    return (
        f"code of a repository imports {name!r} from {module!r}, which facade {FACADE_VERSION} of zoo-core "
        f"does not have{why}. Report it, naming the repository: https://github.com/zoo-core/zoo-core/issues"
    )
