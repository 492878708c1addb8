"""Runs the source files of one repository in a private namespace, in a worker or in this process.

The bytes that were read, hashed and approved are what is compiled: there is no module cache, no ``.pyc``
and no second read. ``transformers`` and its parts mean the facade, whether or not that library is installed.
"""

from __future__ import annotations

import builtins
import importlib
import linecache
import sys
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import Any

ROOT = "_zoo_remote"
_lock = threading.RLock()


class PrivatePackage:
    """The modules of one repository at one revision, importable only from each other.

    ``visible`` leaves them in ``sys.modules``, which is right in a worker, where pickling and dataclasses
    look there; in a program nothing stays behind.
    """

    def __init__(
        self, name: str, files: Mapping[str, bytes], *, origin: str, facade: Any, visible: bool
    ) -> None:
        self.name = f"{ROOT}.{name}"
        self._files = dict(files)
        self._origin = origin
        self._facade = facade
        self._visible = visible
        self._modules: dict[str, ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def add(self, files: Mapping[str, bytes]) -> None:
        """Further files of the same revision. Raises ``ImportError`` when one differs from what is known."""
        for name, data in files.items():
            if self._files.setdefault(name, data) != data:
                raise ImportError(f"{self._origin} has two different files called {name}")

    def load(self, filename: str) -> ModuleType:
        """The module of one file, run on first use."""
        with _lock:
            return self._module(self._name_of(filename))

    def close(self) -> None:
        """Forget the modules' source lines and names."""
        for module in self._modules.values():
            linecache.cache.pop(str(module.__file__), None)
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]

    def _name_of(self, filename: str) -> str:
        parts = filename.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            parts.pop()
        return ".".join([self.name, *parts])

    def _file_of(self, name: str) -> str | None:
        """The file of a module; "" for a folder without ``__init__.py``; None when there is neither."""
        path = name.removeprefix(self.name).lstrip(".").replace(".", "/")
        for candidate in (f"{path}.py", f"{path}/__init__.py".lstrip("/")):
            if candidate in self._files:
                return candidate
        folder = f"{path}/".lstrip("/")
        return "" if any(file.startswith(folder) for file in self._files) else None

    def _module(self, name: str) -> ModuleType:
        """The module called ``name``, a full dotted name below this package's."""
        known = self._modules.get(name)
        if known is not None:
            return known
        filename = self._file_of(name)
        if filename is None:
            raise ModuleNotFoundError(
                f"{self._origin} has no module {name.removeprefix(self.name)}", name=name
            )
        parent = self._module(name.rpartition(".")[0]) if name != self.name else None
        module = ModuleType(name)
        is_package = filename == "" or filename.endswith("__init__.py")
        module.__package__ = name if is_package else name.rpartition(".")[0]
        if is_package:
            module.__path__ = []
        module.__file__ = None
        module.__dict__["__builtins__"] = self._builtins
        self._modules[name] = module
        if parent is not None:  # The root's own file runs only when something is imported from it.
            self._run(module, filename)
            setattr(parent, name.rpartition(".")[2], module)
        return module

    def _run(self, module: ModuleType, filename: str) -> None:
        module.__file__ = f"<{self._origin}/{filename}>"
        if not filename:
            return
        source = self._files[filename]
        code = compile(source, module.__file__, "exec", dont_inherit=True, optimize=0)
        lines = source.decode("utf-8-sig").splitlines(keepends=True)
        linecache.cache[module.__file__] = (len(source), None, lines, module.__file__)
        sys.modules[module.__name__] = module
        try:
            exec(code, module.__dict__)
        except BaseException:
            self._modules.pop(module.__name__, None)
            raise
        finally:
            if not self._visible:
                sys.modules.pop(module.__name__, None)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> Any:
        """``__import__`` of these modules: their own by relative import, the facade for ``transformers``."""
        if level:
            package = str((globals or {}).get("__package__") or "")
            if package != self.name and not package.startswith(self.name + "."):
                return importlib.__import__(name, globals, locals, fromlist, level)
            base = package.rsplit(".", level - 1)[0] if level > 1 else package
            if not (base == self.name or base.startswith(self.name + ".")):
                raise ImportError("attempted relative import beyond the repository")
            return self._own(f"{base}.{name}" if name else base, fromlist)
        if name == "transformers" or name.startswith("transformers."):
            return self._facade.import_module(name, fromlist)
        return importlib.__import__(name, globals, locals, fromlist, level)

    def _own(self, name: str, fromlist: Any) -> ModuleType:
        with _lock:
            module = self._module(name)
            for item in fromlist or ():
                if item == "*" or hasattr(module, item):
                    continue
                if self._file_of(f"{name}.{item}") is not None:
                    self._module(f"{name}.{item}")
                elif name == self.name and not module.__file__:
                    self._run(module, "__init__.py" if "__init__.py" in self._files else "")
            return module
