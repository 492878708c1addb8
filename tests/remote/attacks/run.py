"""Runs attacks in workers and prints, as JSON, which got their way: ``run.py LAYERS[:GROUP] ...``.

LAYERS is ``all``, ``none``, or ``-layer-layer`` for all but these; GROUP is a layer, for the attacks that it
alone stops. A process of its own, so that it can run
as any user; started with the search path of the tests in ``ZOO_TEST_PATH``.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import dataclasses
import functools
import http.server
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path += [*json.loads(os.environ["ZOO_TEST_PATH"]), os.path.dirname(os.path.abspath(__file__))]

import torch
from catalogue import ATTACKS, PREAMBLE, Attack

from zoo_core.errors import SandboxError
from zoo_core.remote.host.process import Worker
from zoo_core.remote.host.zygote import zygote
from zoo_core.remote.lockdown.plan import Layers
from zoo_core.remote.trust import SandboxPolicy
from zoo_core.remote.wire.codec import Decoder, Encoder

POLICY = SandboxPolicy(memory=1 << 30, arena=1 << 20, deadline=20, threads=1)
SECRET = ctypes.create_string_buffer(b"host secret of the user", 64)


class Surroundings:
    """What a user has: files, services, processes. Closed at the end of the run."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.given = base / "given"
        self.given.mkdir()
        (self.given / "spare").write_text("spare")
        (self.given / "link.txt").symlink_to("../user/secret.txt")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.unix = _listening(str(base / "socket"))
        self.abstract = f"zoo-test-{os.getpid()}"
        self.listener = _listening("\0" + self.abstract)
        source = base / "library.c"
        source.write_text("int answer(void) { return 42; }\n")
        self.library = base / "library.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library, source], check=True)

    def user_folder(self) -> Path:
        """A fresh folder of the user's for one attack, with a folder beside it that the worker may read."""
        import sqlite3
        import zipfile

        import numpy
        from safetensors.torch import save_file

        folder = Path(tempfile.mkdtemp(dir=self.base)) / "user"
        folder.mkdir()
        (folder / "secret.txt").write_text("secret of the user")
        os.chmod(folder / "secret.txt", 0o600)
        with contextlib.suppress(OSError):
            os.setxattr(folder / "secret.txt", "user.note", b"1")
        (folder / "spare").write_text("spare")
        (folder / "empty").mkdir()
        (folder / "user_link").symlink_to("secret.txt")
        (folder / "users_module.py").write_text("x = 42\n")
        shutil.copyfile(self.library, folder / "users_library.so")
        numpy.save(folder / "secret.npy", numpy.ones(3))
        torch.save({"a": torch.ones(3)}, folder / "secret.pt")
        save_file({"a": torch.ones(3)}, folder / "secret.safetensors")
        with zipfile.ZipFile(folder / "secret.zip", "w") as archive:
            archive.writestr("secret.txt", "secret")
        with contextlib.closing(sqlite3.connect(folder / "secret.db")) as database:
            database.execute("create table t (x)")
            database.execute("insert into t values (42)")
            database.commit()
        shutil.copytree(self.given, folder.parent / "given", symlinks=True)
        return folder


def _listening(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    return listener


def layers_of(text: str) -> Layers:
    """The layers that an argument names, as far as this platform has them."""
    here = zygote().facilities.layers()
    if text == "all":
        return here
    if text == "none":
        return Layers.none()
    return dataclasses.replace(here, **dict.fromkeys(text.removeprefix("-").split("-"), False))


def attempt(attack: Attack, layers: Layers, around: Surroundings) -> str:
    """What became of one attack: "broken" when it got its way, else how it was stopped."""
    folder = (
        around.user_folder() if "c.dir" in attack.body or "c.given" in attack.body else around.base / "user"
    )
    given = folder.parent / "given"
    victim = _victim() if "c.victim" in attack.body else None
    body = "\n".join("        " + line for line in attack.body.split("\n"))
    source = (
        f"{PREAMBLE}\nclass Attack:\n    @classmethod\n    def from_pretrained(cls, folder, **context):\n"
        "        made = cls()\n        made.c = SimpleNamespace(**context)\n        return made\n"
        f"    def go(self):\n        c = self.c\n{body}\n    def run(self):\n        return bool(self.go())\n"
    )
    context: dict[str, Any] = {
        "dir": str(folder),
        "given": str(given),
        "victim": victim.pid if victim else 0,
        "host": os.getpid(),
        "address": ctypes.addressof(SECRET),
        "tcp": around.server.server_address[1],
        "udp": around.udp.getsockname()[1],
        "unix": str(around.base / "socket"),
        "abstract": around.abstract,
        "hostname": socket.gethostname(),
    }
    worker = Worker(POLICY, readable=[str(given)], layers=layers)
    try:
        files = {"attack.py": base64.b64encode(source.encode()).decode()}
        worker.ask("import", package="attack", files=files, origin="attack")
        value = Encoder(worker.inbox).encode(("", context))
        worker.ask("new", **{"class": ["attack", "attack.py", "Attack"]}, value=value, parts={})
        worker.inbox.reset()
        answer = worker.ask(
            "call",
            method="run",
            value=Encoder(worker.inbox).encode(((), {})),
            training=None,
            trainable=None,
            grad=False,
        )
        got = Decoder(worker.outbox, kept=lambda number, text: None).decode(answer["value"])
        return "broken" if got is True else "stopped: nothing gained"
    except SandboxError as error:
        return f"stopped: {str(error)[:150]}"
    finally:
        worker.close()
        if victim is not None:
            victim.kill()
            victim.wait()
        if folder.parent != around.base:
            shutil.rmtree(folder.parent, ignore_errors=True)


def _victim() -> subprocess.Popen[bytes]:
    environment = {"ZOO_SECRET": "1", "PATH": os.environ["PATH"]}
    return subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True)


def main(arguments: list[str]) -> None:
    found = {}
    with tempfile.TemporaryDirectory(prefix="zoo-attacks-") as base, ThreadPoolExecutor(4) as pool:
        around = Surroundings(Path(base))
        for argument in arguments:
            text, _, only = argument.partition(":")
            layers = layers_of(text)
            chosen = [
                attack
                for attack in ATTACKS
                if only in ("", attack.layer) and not (attack.x86 and platform.machine() != "x86_64")
            ]
            results = pool.map(functools.partial(attempt, layers=layers, around=around), chosen)
            found[argument] = {attack.name: result for attack, result in zip(chosen, results, strict=True)}
    tier = zygote().facilities.tier
    print(json.dumps({"tier": tier, "user": os.geteuid(), "results": found}))


if __name__ == "__main__":
    main(sys.argv[1:])
