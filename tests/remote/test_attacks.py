"""The attack suite: everything is stopped, everything works without the sandbox, each layer earns its
keep."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo_core.remote.lockdown.tiers import Facilities, probe

HERE = Path(__file__).parent / "attacks"


def _catalogue() -> Any:
    spec = importlib.util.spec_from_file_location("zoo_test_attack_catalogue", HERE / "catalogue.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ATTACKS = _catalogue().ATTACKS
SINGLE = ("namespaces", "landlock", "seccomp", "limits")
TIERS = ("namespaces", "landlock")
"""What tier A and tier B do without: each is attacked in full, as both users."""
USERS = ("own", "nobody")


@functools.cache
def interpreter(user: str) -> str:
    """A Python of this version that ``user`` can start; "" when there is none."""
    if user == "own":
        return sys.executable
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        try:
            started = subprocess.run([candidate, "-c", ""], user=user, group="nogroup", check=False)
        except (OSError, LookupError):
            continue
        if started.returncode == 0:
            return candidate
    return ""


@functools.cache
def facilities() -> Facilities:
    return probe()


@functools.cache
def outcomes(user: str) -> dict[str, dict[str, str]]:
    """What became of every attack as ``user``, by the layers in force."""
    if user != "own" and os.geteuid() != 0:
        pytest.skip("not checked as nobody: only root can become another user")
    if not interpreter(user):
        pytest.skip(f"not checked as {user}: no Python that {user} can start")
    if facilities().tier == "none":
        pytest.skip(f"no attack was checked: {facilities().complaint()}")
    singles = [removal(user, layer) for layer in SINGLE if has(layer)]
    pairs = ["-namespaces-landlock:", "-seccomp-capabilities:"] if user == "own" else []
    ours = [str(Path(__file__).parents[2] / name / "src") for name in ("zoo_core", "zoo_text")]
    search = [*(path for path in sys.path if path.endswith("site-packages")), *ours]
    extra: dict[str, Any] = {} if user == "own" else {"user": user, "group": "nogroup", "extra_groups": []}
    done = subprocess.run(
        [interpreter(user), "-I", "-S", "-B", str(HERE / "run.py"), "none", "all", *singles, *pairs],
        env={
            "ZOO_TEST_PATH": json.dumps(search),
            "PATH": os.environ["PATH"],
            "HOME": pwd.getpwnam(user).pw_dir if user != "own" else os.environ.get("HOME", "/"),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=600,
        **extra,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout)
    assert answer["user"] == (os.geteuid() if user == "own" else pwd.getpwnam(user).pw_uid)
    results: dict[str, dict[str, str]] = answer["results"]
    return results


def removal(user: str, layer: str) -> str:
    """The argument that removes a layer: for all attacks, or for those that it alone stops."""
    return f"-{layer}" if user == "own" or layer in TIERS else f"-{layer}:{layer}"


def has(layer: str) -> bool:
    """Whether this platform has the layer, so that it can be removed."""
    if layer == "namespaces":
        return not facilities().namespace_error
    return layer != "landlock" or facilities().landlock > 0


def possible(user: str, attack: Any) -> bool:
    """Whether the attack works for ``user`` without any sandbox."""
    return not attack.root or (user == "own" and os.geteuid() == 0)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("user", USERS)
def test_attack_is_stopped_and_was_real(user: str, attack: Any) -> None:
    found = outcomes(user)
    if attack.name not in found["none"]:
        pytest.skip(f"{attack.name} exists on another machine only")
    assert found["all"][attack.name] != "broken"
    if possible(user, attack):
        assert found["none"][attack.name] == "broken", "without a sandbox it must work, or it proves nothing"


@pytest.mark.parametrize("layer", SINGLE)
@pytest.mark.parametrize("user", USERS)
def test_attacks_return_when_their_layer_goes(user: str, layer: str) -> None:
    found = outcomes(user)
    if not has(layer):
        pytest.skip(f"this platform has no {layer} to remove")
    results = found[removal(user, layer)]
    broken = {name for name, result in results.items() if result == "broken"}
    expected = {
        attack.name
        for attack in ATTACKS
        if attack.layer == layer and attack.name in results and possible(user, attack)
    }
    assert broken == expected


def test_seccomp_alone_does_not_hide_files() -> None:
    found = outcomes("own")
    broken = {name for name, result in found["-namespaces-landlock:"].items() if result == "broken"}
    reading = {a.name for a in ATTACKS if a.group == "reading"}
    assert {
        "read_secret",
        "read_passwd",
        "read_by_torch_load",
        "import_users_module",
        "walk_user_folder",
    } <= broken
    assert len(broken & reading) >= 25


@pytest.mark.skipif(os.geteuid() != 0, reason="not checked: only root has capabilities to drop")
def test_capabilities_are_dropped() -> None:
    found = outcomes("own")
    assert found["-seccomp"]["has_capabilities"] != "broken"
    assert found["-seccomp-capabilities:"]["has_capabilities"] == "broken"


def test_enough_attacks() -> None:
    assert len(ATTACKS) >= 120
