"""Which packages remote code imports, read from its syntax tree: nothing is imported to find out.

The report is for review and for clear errors. What contains the code is the sandbox: an import that this
report cannot see (``importlib.import_module``) is as confined as any other.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from zoo_core.remote.sources import SourceBundle

USUAL_PACKAGES = frozenset(
    {
        "torch", "numpy", "einops", "safetensors", "tokenizers", "transformers", "huggingface_hub",
        "zoo_core", "zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal", "PIL", "regex", "sentencepiece",
        "tiktoken", "packaging", "tqdm", "typing_extensions", "torchvision", "torchaudio", "timm",
        "accelerate", "scipy",
    }
)  # fmt: skip
"""Packages, beside the standard library, that remote code may import without being asked about."""

DISTRIBUTIONS = {"PIL": "pillow"}
"""Usual packages that an index knows by another name than they are imported by."""

_SUSPICIOUS = frozenset(
    {
        "eval", "exec", "compile", "__import__", "open", "import_module", "system", "popen", "Popen",
        "ctypes", "subprocess", "socket", "urlopen", "requests", "marshal", "pickle", "base64", "b64decode",
        "load_library", "from_file", "__subclasses__", "__globals__",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Top-level packages that a bundle imports, and names in it that deserve a second look.

    ``required`` are imported unconditionally when a file is; ``optional`` only under ``try``, ``if`` or in a
    function. ``suspicious`` maps a name to the places it is used, for review only.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    suspicious: dict[str, tuple[str, ...]]

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(sorted({*self.required, *self.optional}))

    def absent(self) -> tuple[str, ...]:
        """The required packages that are not installed. Looked up, not imported."""
        known = sys.stdlib_module_names | {"transformers"}
        return tuple(name for name in self.required if name not in known and find_spec(name) is None)

    def unusual(self, allowed: Iterable[str] = ()) -> tuple[str, ...]:
        """The required packages that are neither usual, standard, nor in ``allowed``."""
        known = USUAL_PACKAGES | sys.stdlib_module_names | set(allowed)
        return tuple(name for name in self.required if name not in known)


def report_imports(bundle: SourceBundle) -> ImportReport:
    """Read the imports of every file of ``bundle``."""
    required: set[str] = set()
    optional: set[str] = set()
    suspicious: dict[str, list[str]] = {}
    for name, file in bundle.files.items():
        _collect(file.tree, required, optional, conditional=False)
        for node in ast.walk(file.tree):
            used = _name_of(node)
            if used in _SUSPICIOUS:
                suspicious.setdefault(used, []).append(f"{name}:{getattr(node, 'lineno', 0)}")
    places = {key: tuple(sorted(set(value))) for key, value in sorted(suspicious.items())}
    return ImportReport(tuple(sorted(required)), tuple(sorted(optional - required)), places)


def _collect(node: ast.AST, required: set[str], optional: set[str], *, conditional: bool) -> None:
    waiting = [(child, conditional) for child in ast.iter_child_nodes(node)]
    while waiting:
        item, guarded = waiting.pop()
        target = optional if guarded else required
        if isinstance(item, ast.Import):
            target.update(alias.name.split(".")[0] for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            if not item.level and item.module:
                target.add(item.module.split(".")[0])
        else:
            inner = guarded or isinstance(item, ast.Try | ast.If | ast.FunctionDef | ast.AsyncFunctionDef)
            waiting.extend((child, inner) for child in ast.iter_child_nodes(item))


def _name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.alias):
        return node.name.split(".")[0]
    return ""
