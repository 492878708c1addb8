"""What other libraries' dynamic modules let through, and the private importer does not."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import py_compile
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo_core import AutoConfig, AutoModel
from zoo_core.errors import ConfigError, SandboxError, UnknownArchitecture, UntrustedCode
from zoo_core.remote.facade.modules import Facade
from zoo_core.remote.worker.importer import PrivatePackage

WriteRepo = Callable[..., Path]
CODE = """
from transformers import PretrainedConfig
class C(PretrainedConfig):
    model_type = "imported"
    def __init__(self, n=1, **kwargs):
        self.n = n
        super().__init__(**kwargs)
"""


def config_json(reference: Any = "m.C", **more: Any) -> str:
    return json.dumps({"model_type": "imported", "auto_map": {"AutoConfig": reference}, **more})


def load(folder: Path, **keywords: Any) -> Any:
    return AutoConfig.from_pretrained(folder, trust_remote_code=True, **keywords)


@pytest.mark.parametrize(
    "reference", ["{outside}/m.C", "../outside/m.C", "{outside}--m.C", "outside--m.C", "~/m.C"]
)
def test_no_file_outside_of_the_repository(write_repo: WriteRepo, tmp_path: Path, reference: str) -> None:
    outside = write_repo({"m.py": CODE}, "outside")
    folder = write_repo({"config.json": config_json(reference.format(outside=outside))})
    with pytest.raises(ConfigError, match="is not a reference to code"):
        load(folder)


def test_a_link_out_of_the_repository_is_refused(write_repo: WriteRepo) -> None:
    outside = write_repo({"m.py": CODE}, "outside")
    folder = write_repo({"config.json": config_json()})
    (folder / "m.py").symlink_to(outside / "m.py")
    with pytest.raises((UntrustedCode, OSError, ValueError), match=r"(?i)outside|leave|leads|link"):
        load(folder)


def test_bytecode_and_caches_are_never_run(write_repo: WriteRepo) -> None:
    folder = write_repo({"config.json": config_json(), "m.py": CODE})
    poisoned = folder / "evil.py"
    poisoned.write_text(CODE.replace("n=1", "n=666"))
    cached = Path(importlib.util.cache_from_source(str(folder / "m.py")))
    cached.parent.mkdir()
    py_compile.compile(
        str(poisoned), cfile=str(cached), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    poisoned.unlink()
    assert load(folder).n == 1


def test_source_that_hides_from_review_is_refused(write_repo: WriteRepo) -> None:
    folder = write_repo({"config.json": config_json(), "m.py": b"# coding: utf-7\n" + CODE.encode()})
    with pytest.raises(UntrustedCode, match="utf-7"):
        load(folder)


def test_imports_that_hide_run_in_the_sandbox_only(write_repo: WriteRepo, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    hidden = (
        "\ntry:\n    import importlib\n"
        f"    importlib.import_module('o' + 's').system('touch {proof}')\n"
        "except Exception as e:\n    C.seen = str(e)\n"
    )
    folder = write_repo({"config.json": config_json(), "m.py": CODE + hidden})
    assert load(folder).n == 1
    assert not proof.exists()


def test_nothing_is_imported_to_see_whether_it_exists(
    write_repo: WriteRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = write_repo({"trap_package/__init__.py": "raise SystemExit('imported')"}, "site")
    monkeypatch.syspath_prepend(str(trap))
    folder = write_repo({"config.json": config_json(), "m.py": "import trap_package\n" + CODE})
    with pytest.raises(UntrustedCode, match="trap_package"):
        load(folder)


@pytest.mark.parametrize("entry", ["m.helper", "m.NUMBER", "m.Missing"])
def test_the_entry_must_be_a_class(write_repo: WriteRepo, entry: str) -> None:
    folder = write_repo(
        {"config.json": config_json(entry), "m.py": CODE + "\nNUMBER = 3\ndef helper(): pass\n"}
    )
    with pytest.raises(SandboxError, match="defines no class"):
        load(folder)


@pytest.mark.parametrize(
    "claim",
    [
        {"trust_remote_code": True},
        {"_trust_remote_code": True},
        {
            "text_config": {
                "trust_remote_code": True,
                "auto_map": {"AutoConfig": "m.C"},
                "model_type": "imported",
            }
        },
        {"code_revision": "0" * 40, "sandbox": False},
    ],
)
def test_no_file_grants_anything(write_repo: WriteRepo, claim: dict[str, Any]) -> None:
    folder = write_repo({"config.json": config_json(**claim), "m.py": CODE})
    with pytest.raises(UntrustedCode):
        AutoConfig.from_pretrained(folder)
    config = load(folder)
    assert not hasattr(config, "trust_remote_code") and "sandbox" not in config.to_dict()
    nested = config.to_dict().get("text_config", {})
    assert "trust_remote_code" not in nested


def test_a_known_architecture_is_native(write_repo: WriteRepo) -> None:
    folder = write_repo(
        {
            "config.json": json.dumps(
                {"model_type": "bert", "auto_map": {"AutoConfig": "m.C", "AutoModel": "m.M"}}
            ),
            "m.py": "raise SystemExit('ran')\n" + CODE,
        }
    )
    assert type(load(folder)).__module__.startswith("zoo_text.bert")
    assert type(AutoConfig.from_pretrained(folder)).__module__.startswith("zoo_text.bert")
    with pytest.raises(SandboxError, match="ran"):
        load(folder, prefer_remote_code=True)


def test_code_cannot_load_further_code(write_repo: WriteRepo) -> None:
    other = write_repo({"config.json": config_json(), "m.py": CODE}, "other")
    inner = (
        "\nfrom transformers import AutoConfig\n"
        f"AutoConfig.from_pretrained({str(other)!r}, trust_remote_code=True)\n"
    )
    folder = write_repo({"config.json": config_json(), "m.py": CODE + inner})
    with pytest.raises(SandboxError):
        load(folder)


def test_a_model_without_auto_map_is_still_unknown(write_repo: WriteRepo) -> None:
    folder = write_repo({"config.json": '{"model_type": "imported"}', "m.py": CODE})
    with pytest.raises(UnknownArchitecture):
        AutoModel.from_pretrained(folder, trust_remote_code=True)


def package(files: dict[str, str], *, visible: bool = False) -> PrivatePackage:
    data = {name: text.encode() for name, text in files.items()}
    return PrivatePackage("importer_test", data, origin="org/name@1", facade=Facade(), visible=visible)


def test_modules_see_each_other_and_leave_nothing_behind() -> None:
    before = set(sys.modules)
    made = package(
        {
            "a.py": "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom . import b\n"
            "from .sub.c import value\n@dataclass\nclass D:\n    x: int = 1\n"
            "def late():\n    from .sub import d\n    return d.value\n",
            "b.py": "from . import a\nname = __name__\n",
            "sub/c.py": "from ..b import name\nvalue = name\n",
            "sub/__init__.py": "flag = 1\n",
            "sub/d.py": "from . import flag\nvalue = flag + 1\n",
        }
    )
    module = made.load("a.py")
    assert module.value == "_zoo_remote.importer_test.b" and module.D().x == 1 and module.late() == 2
    assert module.b.a is module
    assert not {name for name in set(sys.modules) - before if "importer_test" in name}


def test_two_versions_of_a_file_are_not_mixed() -> None:
    made = package({"a.py": "x = 1"})
    made.add({"a.py": b"x = 1", "b.py": b"y = 2"})
    with pytest.raises(ImportError, match=r"two different files called a\.py"):
        made.add({"a.py": b"x = 3"})


@pytest.mark.parametrize("source", ["from ..up import x", "from . import nothing", "from .gone import x"])
def test_imports_that_lead_nowhere(source: str) -> None:
    with pytest.raises(ImportError):
        package({"a.py": source}).load("a.py")


def test_a_module_that_fails_can_be_tried_again() -> None:
    made = package({"a.py": "import os\nif 'ZOO_FAILS' in os.environ: raise ValueError('fails')\nx = 1"})
    os.environ["ZOO_FAILS"] = "1"
    try:
        with pytest.raises(ValueError, match="fails"):
            made.load("a.py")
    finally:
        del os.environ["ZOO_FAILS"]
    assert made.load("a.py").x == 1


def test_errors_show_the_lines_of_the_source() -> None:
    import traceback

    made = package({"a.py": "def f():\n    return 1 / 0  # here\n"})
    try:
        made.load("a.py").f()
    except ZeroDivisionError as error:
        text = "".join(traceback.format_exception(error))
        assert "org/name@1/a.py" in text and "# here" in text
    else:
        raise AssertionError("it divided by zero")


def test_no_source_of_ours_grants_trust_by_itself() -> None:
    root = Path(__file__).parents[2]
    found = []
    for path in root.glob("zoo_*/src/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            grants = isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "trust_pickle")
            if grants and isinstance(node.value, ast.Constant) and node.value.value is True:
                found.append(f"{path}:{node.value.lineno}")
    assert not found
