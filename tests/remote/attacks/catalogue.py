"""The attacks of attacks.txt, parsed.

A body is given ``c``: ``c.dir`` (a folder of the user's with ``secret.txt`` and other files), ``c.given``
(a folder that the worker may read), ``c.victim`` and ``c.host`` (process ids), ``c.address`` (of a secret
in the host's memory), ``c.tcp``, ``c.udp``, ``c.unix``, ``c.abstract``, ``c.hostname``; and the names of
preamble.py.

After ``-- name`` may stand the one layer that stops the attack, which returns when that is removed (none
named: several layers do); ``root``, when it needs root also without a sandbox; ``x86``, when it exists on
that machine alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LAYERS = ("namespaces", "landlock", "seccomp", "limits", "capabilities")


class Attack(NamedTuple):
    """One attack: its group, name, body, the layer that alone stops it, what it needs."""

    group: str
    name: str
    body: str
    layer: str | None
    root: bool
    x86: bool


def _parse(text: str) -> list[Attack]:
    found: list[Attack] = []
    group = ""
    for part in ("\n" + text).split("\n-- ")[1:]:
        head, _, rest = part.partition("\n")
        body, _, title = rest.partition("\n== ")
        name, *words = head.split()
        layer = next((word for word in words if word in LAYERS), None)
        assert set(words) <= {*LAYERS, "root", "x86"}, head
        found.append(Attack(group or "reading", name, body.strip(), layer, "root" in words, "x86" in words))
        group = title.split("\n")[0] if title else group
    assert len({attack.name for attack in found}) == len(found)
    return found


ATTACKS = _parse((Path(__file__).parent / "attacks.txt").read_text())
PREAMBLE = (Path(__file__).parent / "preamble.py").read_text()
