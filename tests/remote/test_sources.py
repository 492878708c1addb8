from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo_core.errors import UntrustedCode
from zoo_core.remote.imports import report_imports
from zoo_core.remote.sources import SourceBundle, folder_reader, read_bundle

Bundle = Callable[..., SourceBundle]


def test_closure_over_relative_imports(bundle: Bundle) -> None:
    found = bundle(
        {
            "modeling.py": "from .configuration import C\nfrom .nn import norm\nfrom .nn.deep.rope import f",
            "configuration.py": "try:\n    from . import helper\nexcept ImportError: pass\n",
            "helper.py": "def f():\n    from .late import x\n",
            "late.py": "x = 1",
            "nn/__init__.py": "from .norm import *\n",
            "nn/norm.py": "",
            "nn/deep/rope.py": "from ...late import x\nfrom .. import norm\n",
            "unrelated.py": "import socket",
        }
    )
    assert set(found.files) == {
        "modeling.py",
        "configuration.py",
        "helper.py",
        "late.py",
        "nn/__init__.py",
        "nn/norm.py",
        "nn/deep/rope.py",
    }


def test_each_file_is_read_once(write_repo: Callable[..., Path]) -> None:
    read = folder_reader(write_repo({"modeling.py": "from . import a\nfrom .a import b", "a.py": "b = 1"}))
    names: list[str] = []

    def counting(name: str) -> bytes:
        names.append(name)
        return read(name)

    found = read_bundle(counting, "modeling.py", repo="r/r", commit=None)
    assert sorted(set(names)) == sorted(names)
    assert found.files["a.py"].sha256 == hashlib.sha256(b"b = 1").hexdigest()


def test_digest_names_the_content(bundle: Bundle) -> None:
    one = bundle({"modeling.py": "x = 1"}, commit=None, name="one")
    same = bundle({"modeling.py": "x = 1"}, commit=None, name="two")
    other = bundle({"modeling.py": "x = 2"}, commit=None, name="three")
    assert one.revision == same.revision != other.revision
    assert len(one.revision) == 40


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"# coding: utf-7\nx = 1", "utf-7"),
        (b"# -*- coding: latin-1 -*-\nx = 1", "iso-8859-1"),
        (b"\xff\xfex\x00", "NUL"),
        (b"x = 1\x00", "NUL"),
        (b"x = (", "not Python source"),
        (b"x = '\xff'", "not Python source"),
        (b"#" * (2 << 20) + b"\n", "larger"),
        (b"(" * 5000, "not Python source"),
        (b"from ..up import x", "leaves the repository"),
        (b"from .absent import x", "leads to no file"),
        (b"from . import absent", "leads to no file"),
    ],
)
def test_refused_sources(bundle: Bundle, source: bytes, message: str) -> None:
    with pytest.raises(UntrustedCode, match=message):
        bundle({"modeling.py": source})


def test_links_and_pipes(bundle: Bundle, write_repo: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("x = 1")
    root = write_repo({"modeling.py": "from .link import x"})
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(UntrustedCode, match="outside of the folder"):
        read_bundle(folder_reader(root), "modeling.py", repo="r/r", commit=None)
    os.mkfifo(root / "pipe.py")
    with pytest.raises(UntrustedCode, match="not a regular file"):
        read_bundle(folder_reader(root), "pipe.py", repo="r/r", commit=None)


def test_too_many_files(bundle: Bundle) -> None:
    files = {f"m{i}.py": f"from .m{i + 1} import x" for i in range(250)}
    with pytest.raises(UntrustedCode, match="more than 200 files"):
        bundle(files, entry="m0.py")


def test_import_report(bundle: Bundle) -> None:
    found = bundle(
        {
            "modeling.py": "import torch.nn as nn, evil_package\nfrom einops import rearrange\n"
            "try:\n    import flash_attn\nexcept ImportError:\n    pass\n"
            "def f():\n    import xformers.ops\n    return eval('1')\n",
        }
    )
    before = set(sys.modules)
    report = report_imports(found)
    assert report.required == ("einops", "evil_package", "torch")
    assert report.optional == ("flash_attn", "xformers")
    assert report.unusual() == ("evil_package",)
    assert report.unusual(("evil_package",)) == ()
    assert report.suspicious == {"eval": ("modeling.py:9",)}
    assert not {"evil_package", "flash_attn", "xformers"} & (set(sys.modules) - before)
