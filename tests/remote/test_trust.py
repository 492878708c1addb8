from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo_core.cli import main
from zoo_core.errors import ConfigError, UntrustedCode
from zoo_core.remote import review
from zoo_core.remote.automap import parse_reference
from zoo_core.remote.gate import authorise
from zoo_core.remote.record import TrustRecord
from zoo_core.remote.sources import SourceBundle
from zoo_core.remote.store import TrustStore, parse_records, write_project_records
from zoo_core.remote.trust import LoadContext, SandboxPolicy, authority_free

Bundle = Callable[..., SourceBundle]
ONE, TWO = "1" * 40, "2" * 40
TRUSTED = LoadContext(trust_remote_code=True)
IN_PROCESS = LoadContext(trust_remote_code=True, sandbox=False)


def ask(found: SourceBundle, context: LoadContext = TRUSTED, **overrides: Any) -> TrustRecord:
    """One load of ``found`` by AutoModel."""
    options: dict[str, Any] = {
        "auto_class": "AutoModel",
        "reference": parse_reference("modeling.M"),
        **overrides,
    }
    return authorise(found, repo="org/name", commit=found.commit, context=context, **options)


def test_context_takes_the_callers_switches_only() -> None:
    kwargs: dict[str, Any] = {"trust_remote_code": None, "sandbox": True, "code_revision": ONE, "other": 1}
    context = LoadContext.pop_from(kwargs)
    assert (context.trust_remote_code, context.code_revision, kwargs) == (False, ONE, {"other": 1})
    assert LoadContext.pop_from({"trust_remote_code": True}).without_remote_code() == LoadContext()
    with pytest.raises(TypeError, match="trust_remote_code='yes'"):
        LoadContext(trust_remote_code="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="deadline"):
        SandboxPolicy(deadline=-1)


def test_files_cannot_claim_authority() -> None:
    data = {
        "trust_remote_code": True,
        "_attn_implementation_internal": "evil/kernel",
        "text_config": {"code_revision": ONE, "hidden_size": 4, "deep": [{"_name_or_path": "/etc"}]},
    }
    assert authority_free(data) == {"text_config": {"hidden_size": 4, "deep": [{}]}}


def test_nothing_runs_unasked(bundle: Bundle) -> None:
    found = bundle({"modeling.py": "import evil_package"})
    with pytest.raises(UntrustedCode) as caught:
        ask(found, LoadContext())
    message = str(caught.value)
    assert all(
        text in message for text in (found.files["modeling.py"].sha256, ONE[:0] + "a" * 40, "evil_package")
    )
    assert TrustStore().read().accepted == {}


def test_first_use_then_refusal_of_a_change(bundle: Bundle) -> None:
    ask(bundle({"modeling.py": "x = 1"}, commit=ONE))
    assert ask(bundle({"modeling.py": "x = 1"}, commit=TWO)).code_commit == TWO, "same bytes, new commit"
    changed = bundle({"modeling.py": "from .new import x\nimport socket", "new.py": "x = 2"}, commit=ONE)
    with pytest.raises(
        UntrustedCode, match=r"(?s)changed file: modeling.py.*new file: new.py.*new import: socket"
    ):
        ask(bundle({**{n: f.data for n, f in changed.files.items()}}, commit=ONE[:-1] + "3"))
    shown = review.diff(TrustStore(), "org/name")
    assert "-x = 1" in shown
    assert "+import socket" in shown
    review.approve(TrustStore(), "org/name")
    assert ask(changed).approved_by == "user"
    with pytest.raises(UntrustedCode, match="changed file"):
        ask(bundle({"modeling.py": "x = 1"}, commit=ONE))


def test_another_entry_class_is_first_use_and_a_swapped_one_is_not(bundle: Bundle) -> None:
    config = {"auto_class": "AutoConfig", "reference": parse_reference("modeling.C")}
    ask(bundle({"modeling.py": "x = 1"}, commit=ONE), **config)
    record = ask(bundle({"modeling.py": "x = 1", "m2.py": "import math"}, entry="m2.py", commit=TWO))
    assert set(record.files) == {"modeling.py", "m2.py"}
    with pytest.raises(UntrustedCode, match=r"AutoModel: modeling.M -> modeling.Evil"):
        ask(bundle({"modeling.py": "x = 1"}, commit=TWO), reference=parse_reference("modeling.Evil"))


def test_unusual_imports_need_a_word(bundle: Bundle) -> None:
    found = bundle({"modeling.py": "import evil_package"})
    with pytest.raises(UntrustedCode, match=r"allow_imports=\('evil_package',\)"):
        ask(found)
    ask(found, LoadContext(trust_remote_code=True, sandbox=SandboxPolicy(allow_imports=("evil_package",))))


def test_in_process_needs_pin_and_approval(bundle: Bundle) -> None:
    found = bundle({"modeling.py": "x = 1"}, commit=ONE)
    ask(found)
    for revision in (None, "main", ONE):
        with pytest.raises(UntrustedCode, match="not approved"):
            ask(found, IN_PROCESS, requested_revision=revision)
    review.approve(TrustStore(), "org/name")
    with pytest.raises(UntrustedCode, match="not approved"):
        ask(found, IN_PROCESS, requested_revision=ONE)
    review.approve(TrustStore(), "org/name", in_process=True)
    for revision in (None, "main", ONE[:12]):
        with pytest.raises(UntrustedCode, match=f"must be pinned: code_revision='{ONE}'"):
            ask(found, IN_PROCESS, requested_revision=revision)
    with pytest.raises(UntrustedCode, match="is not what was read"):
        ask(found, IN_PROCESS, requested_revision=TWO)
    assert ask(found, IN_PROCESS, requested_revision=ONE).level == "in_process"
    with pytest.raises(UntrustedCode, match="changed file"):
        ask(bundle({"modeling.py": "x = 2"}, commit=TWO), IN_PROCESS, requested_revision=TWO)


def test_project_lock_restricts_and_never_grants(bundle: Bundle, tmp_path: Path) -> None:
    found = bundle({"modeling.py": "x = 1"}, commit=ONE)
    ask(found)
    review.approve(TrustStore(), "org/name", in_process=True, project=tmp_path / "zoo-trust.lock")
    TrustStore().revoke("org/name")
    with pytest.raises(UntrustedCode, match="not approved"):
        ask(found, IN_PROCESS, requested_revision=ONE)
    ask(found)
    with pytest.raises(UntrustedCode, match=r"is not what zoo-trust.lock pins"):
        ask(bundle({"modeling.py": "x = 2"}, commit=TWO))
    write_project_records(tmp_path / "zoo-trust.lock", [])
    assert parse_records((tmp_path / "zoo-trust.lock").read_bytes(), source="lock").accepted


def test_record_file_is_private_and_checked(bundle: Bundle, trust_home: Path) -> None:
    ask(bundle({"modeling.py": "x = 1"}))
    path = trust_home / "trust.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["records"][0]["files"]["modeling.py"]["size"] == 5
    os.chmod(path, 0o622)
    with pytest.raises(ConfigError, match="can be written by others"):
        TrustStore().read()


@pytest.mark.parametrize(
    "change",
    [
        {"commit": "main"},
        {"files": {"../x.py": {"sha256": "0" * 64, "size": 1}}},
        {"files": {"/x.py": {"sha256": "0" * 64, "size": 1}}},
        {"files": {"x.py": {"sha256": "0" * 63, "size": 1}}},
        {"files": {"x.py": {"sha256": "0" * 64, "size": True}}},
        {"files": []},
        {"level": "root"},
        {"approved_by": ["user"]},
        {"imports": "torch"},
        {"repo": "a\x1b[2J"},
        {"entry": {"AutoModel": 1}},
    ],
)
def test_malformed_records(bundle: Bundle, trust_home: Path, change: dict[str, Any]) -> None:
    ask(bundle({"modeling.py": "x = 1"}))
    data = json.loads((trust_home / "trust.json").read_text())
    data["records"][0].update(change)
    with pytest.raises(ConfigError, match="here"):
        parse_records(json.dumps(data), source="here")


def test_commands(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        return main(["trust", *arguments]), capsys.readouterr().out

    ask(bundle({"modeling.py": "x = 1  # \u202e hidden\n"}))
    assert "org/name" in run("list")[1]
    assert "\\u202e" in run("show", "org/name", "--source")[1]
    assert run("approve", "org/name", "--project", "--in-process")[0] == 0
    assert "in_process, by user" in run("show", "org/name")[1]
    assert run("diff", "org/name") == (0, "nothing of org/name awaits a decision\n")
    assert run("revoke", "org/name") == (0, "1 records of org/name removed\n")
    assert run("show", "org/name")[0] == 1
