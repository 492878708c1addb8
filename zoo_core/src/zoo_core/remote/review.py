"""Code of repositories that was run or refused: show it, compare it, approve it, forget it.

zoo trust list                 every repository whose code was seen
zoo trust show REPO            its files, hashes, classes and imports (--source: the text too)
zoo trust diff REPO            what changed since it was accepted
zoo trust approve REPO         accept what was last seen (--in-process: also without the sandbox)
zoo trust revoke REPO          forget it
"""

from __future__ import annotations

import argparse
import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo_core.errors import UntrustedCode
from zoo_core.remote.gate import compare
from zoo_core.remote.record import TrustRecord
from zoo_core.remote.sanitise import printable
from zoo_core.remote.store import LOCK_NAME, TrustStore, write_project_records

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal


def records_of(store: TrustStore, repo: str) -> list[tuple[TrustRecord | None, TrustRecord | None]]:
    """The (accepted, pending) records of ``repo``, one pair per repository that holds its code."""
    records = store.read()
    keys = sorted({key for key in [*records.accepted, *records.pending] if key[0] == repo})
    if not keys:
        known = ", ".join(sorted({key[0] for key in [*records.accepted, *records.pending]})) or "none"
        raise UntrustedCode(f"no code of {repo!r} was seen; repositories seen: {known}")
    return [(records.accepted.get(key), records.pending.get(key)) for key in keys]


def listing(store: TrustStore) -> str:
    """One line per record."""
    records = store.read()
    lines = [
        f"{record.repo}  code {record.code_repo}@{(record.code_commit or 'local')[:12]}  {len(record.files)} "
        f"files  {record.level}, {record.approved_by}  {state}"
        for state, group in (("accepted", records.accepted), ("awaits a decision", records.pending))
        for record in group.values()
    ]
    return "\n".join(lines) or "no code of any repository was trusted or refused yet"


def show(store: TrustStore, repo: str, *, source: bool = False) -> str:
    """The records of ``repo``; with ``source`` also the text of every file, control characters shown."""
    lines: list[str] = []
    for pair in records_of(store, repo):
        for state, record in zip(("accepted", "awaits a decision"), pair, strict=True):
            if record is None:
                continue
            lines += [
                f"{record.repo}@{record.commit or 'local'}: {state}, {record.level}, by {record.approved_by}",
                f"  code: {record.code_repo}@{record.code_commit or 'local'}, first seen {record.first_seen}",
                *(f"  {name} -> {value}" for name, value in record.entry.items()),
                *(f"  {file.sha256}  {file.size:>7,} B  {name}" for name, file in record.files.items()),
                f"  imports: {', '.join(record.imports) or 'none'}",
            ]
            if source:
                for name, file in record.files.items():
                    lines += [f"--- {name}", printable(store.source(file.sha256) or "(text not kept)")]
    return "\n".join(lines)


def diff(store: TrustStore, repo: str) -> str:
    """A unified diff from the accepted to the refused code of ``repo``, control characters shown."""
    lines: list[str] = []
    for accepted, pending in records_of(store, repo):
        if pending is None:
            continue
        if accepted is not None:
            lines += compare(accepted, pending).lines()
        old_files = accepted.files if accepted is not None else {}
        for name in sorted({*old_files, *pending.files}):
            old, new = old_files.get(name), pending.files.get(name)
            if new is None or old == new:
                continue
            before = store.source(old.sha256) if old else ""
            after = store.source(new.sha256)
            if before is None or after is None:
                lines.append(f"{name}: {old.sha256 if old else None} -> {new.sha256} (text not kept)")
                continue
            lines += difflib.unified_diff(
                printable(before).splitlines(),
                printable(after).splitlines(),
                f"a/{name}",
                f"b/{name}",
                lineterm="",
            )
    return "\n".join(lines) or f"nothing of {repo} awaits a decision"


def approve(store: TrustStore, repo: str, *, in_process: bool = False, project: Path | None = None) -> str:
    """Approve what was last seen of ``repo``: the refused code if there is any, else the accepted."""
    approved: list[TrustRecord] = []
    for accepted, pending in records_of(store, repo):
        seen = pending or accepted
        assert seen is not None
        if pending is not None and accepted is not None and not compare(accepted, pending):
            seen = accepted.merged(pending)
        keep = accepted is not None and accepted.level == "in_process" and pending is None
        approved.append(
            replace(seen, approved_by="user", level="in_process" if in_process or keep else "sandbox")
        )
        store.accept(approved[-1])
    if project is not None:
        write_project_records(project, approved)
    return "\n".join(
        f"approved {record.code_repo}@{record.code_commit or 'local'} for {record.level}: "
        f"{', '.join(record.files)}"
        for record in approved
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo trust``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    texts = {
        "list": "every repository whose code was seen",
        "show": "files, hashes and imports",
        "diff": "what changed since it was accepted",
        "approve": "accept what was last seen",
        "revoke": "forget the repository",
    }
    added = {name: actions.add_parser(name, help=text) for name, text in texts.items()}
    for name in ("show", "diff", "approve", "revoke"):
        added[name].add_argument("repo", help="owner/name or a local folder, as it was loaded")
    added["show"].add_argument("--source", action="store_true", help="print the source text too")
    approval = added["approve"]
    approval.add_argument(
        "--in-process", action="store_true", help="also without the sandbox (sandbox=False)"
    )
    approval.add_argument("--project", action="store_true", help=f"write it to {LOCK_NAME} too")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Do what ``zoo trust`` was asked; 1 for a repository that was never seen."""
    store = TrustStore()
    repo = getattr(arguments, "repo", "")
    if repo and os.path.isdir(repo):
        repo = os.path.realpath(repo)
    try:
        if arguments.action == "list":
            text = listing(store)
        elif arguments.action == "show":
            text = show(store, repo, source=arguments.source)
        elif arguments.action == "diff":
            text = diff(store, repo)
        elif arguments.action == "revoke":
            text = f"{store.revoke(repo)} records of {repo} removed"
        else:
            project = Path(LOCK_NAME) if arguments.project else None
            text = approve(store, repo, in_process=arguments.in_process, project=project)
    except UntrustedCode as error:
        terminal.line(str(error))
        return 1
    terminal.line(text)
    return 0
