"""The decision whether code of a repository may run, made once per load, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from zoo_core.errors import MissingDependency, UntrustedCode
from zoo_core.remote.automap import CodeReference
from zoo_core.remote.imports import DISTRIBUTIONS, USUAL_PACKAGES, ImportReport, report_imports
from zoo_core.remote.record import TrustRecord
from zoo_core.remote.sources import SourceBundle
from zoo_core.remote.store import TrustStore, project_records
from zoo_core.remote.trust import COMMIT, LoadContext


@dataclass(frozen=True, slots=True)
class Change:
    """How code differs from what a record holds; empty when it does not."""

    entry: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entry or self.changed or self.added or self.imports)

    def lines(self) -> list[str]:
        """One line per difference, for an error message."""
        return [
            *(f"  entry class changed: {item}" for item in self.entry),
            *(f"  changed file: {item}" for item in self.changed),
            *(f"  new file: {item}" for item in self.added),
            *(f"  new import: {item}" for item in self.imports),
        ]


def compare(old: TrustRecord, new: TrustRecord) -> Change:
    """What ``new``, as just read, changes over ``old``.

    Files and imports that only a further entry class brings (a model after its config) are not changes.
    """
    entry = [
        f"{name}: {old.entry[name]} -> {value}"
        for name, value in new.entry.items()
        if old.entry.get(name, value) != value
    ]
    changed = [name for name, file in new.files.items() if old.files.get(name, file) != file]
    same_commit = new.code_commit is not None and new.code_commit == old.code_commit
    first_use = same_commit or not set(new.entry) & set(old.entry)
    added = [] if first_use else [name for name in new.files if name not in old.files]
    imports = [] if first_use else [name for name in new.imports if name not in old.imports]
    return Change(tuple(entry), tuple(changed), tuple(added), tuple(imports))


def describe(bundle: SourceBundle, report: ImportReport) -> str:
    """What would run: repository, commit, files with hashes, imports."""
    lines = [f"code of {bundle.repo} at {bundle.commit or f'local folder, digest {bundle.revision}'}:"]
    lines += [f"  {file.sha256}  {len(file.data):>7,} B  {name}" for name, file in bundle.files.items()]
    lines.append(f"imports: {', '.join(report.required) or 'none'}")
    if report.optional:
        lines.append(f"optional imports: {', '.join(report.optional)}")
    if report.suspicious:
        used = "; ".join(f"{name} ({', '.join(places[:3])})" for name, places in report.suspicious.items())
        lines.append(f"worth a look: {used}")
    return "\n".join(lines)


def authorise(
    bundle: SourceBundle,
    *,
    auto_class: str,
    reference: CodeReference,
    repo: str,
    commit: str | None,
    context: LoadContext,
    requested_revision: str | None = None,
    store: TrustStore | None = None,
) -> TrustRecord:
    """Let ``bundle`` run, or raise :class:`UntrustedCode` saying why and how to go on.

    ``repo`` at ``commit`` asked for the code; ``requested_revision`` is the revision of the code that the
    caller spelled out, if any.
    """
    report = report_imports(bundle)
    if not context.trust_remote_code:
        raise UntrustedCode(
            f"{repo} needs its own code for {auto_class}, which does not run unless you ask for it.\n"
            f"{describe(bundle, report)}\n"
            "Review it, then pass trust_remote_code=True to run it in a sandbox (no files, no network)."
        )
    store = store or TrustStore()
    seen = TrustRecord.of(bundle, report, repo=repo, commit=commit, entry={auto_class: str(reference)})
    record = store.get(*seen.key)
    _check_imports(report, record, seen, context)
    _check_lock(seen)
    if record is None:
        if context.in_process:
            raise _not_approved(seen, bundle, store)
        store.accept(seen, bundle)
        return seen
    change = compare(record, seen)
    if change:
        store.refuse(seen, bundle)
        raise UntrustedCode(
            f"the code of {repo} changed since {record.first_seen}{_commits(record, seen)} and was not run:\n"
            + "\n".join(change.lines())
            + "\n"
            f"See the lines with: zoo trust diff {repo}\nAccept them with: zoo trust approve {repo}"
        )
    if context.in_process:
        _check_in_process(record, seen, bundle, requested_revision, store)
        return record
    merged = record.merged(seen)
    if merged != record:
        store.accept(merged, bundle)
    return merged


def check_installed(bundle: SourceBundle) -> None:
    """Name what lacks before a worker fails on it. Only usual packages are recommended: the name of any other
    is the repository's word. Raises :class:`MissingDependency`."""
    absent = report_imports(bundle).absent()
    if not absent:
        return
    usual = [DISTRIBUTIONS.get(name, name) for name in absent if name in USUAL_PACKAGES]
    advice = f": pip install {' '.join(usual)}" if len(usual) == len(absent) else ""
    raise MissingDependency(
        f"the code of {bundle.repo} imports {', '.join(absent)}, which is not installed{advice}"
    )


def _commits(old: TrustRecord, new: TrustRecord) -> str:
    """From which commit to which; nothing for a local folder, which has none."""
    return f" ({old.code_commit} -> {new.code_commit})" if new.code_commit else ""


def _check_imports(
    report: ImportReport, record: TrustRecord | None, seen: TrustRecord, context: LoadContext
) -> None:
    allowed = set(context.policy.allow_imports)
    if record is not None and record.approved_by == "user":
        allowed.update(record.imports)
    unusual = report.unusual(allowed)
    if unusual:
        names = ", ".join(unusual)
        spelled = ", ".join(repr(name) for name in sorted({*allowed, *unusual}))
        raise UntrustedCode(
            f"the code of {seen.repo} imports {names}, beyond the packages usual for models. If you "
            f"know them: sandbox=SandboxPolicy(allow_imports=({spelled},))"
        )


def _check_lock(seen: TrustRecord) -> None:
    lock = project_records()
    if lock is None:
        return
    path, records = lock
    pinned = records.accepted.get(seen.key)
    if pinned is None:
        return
    change = compare(pinned, seen)
    if change:
        raise UntrustedCode(
            f"the code of {seen.repo} is not what {path} pins:\n" + "\n".join(change.lines()) + "\n"
            f"{f'Load revision {pinned.commit}' if pinned.commit else 'Restore the folder'}, or renew the "
            f"lock: zoo trust approve {seen.repo} --project"
        )


def _check_in_process(
    record: TrustRecord,
    seen: TrustRecord,
    bundle: SourceBundle,
    requested_revision: str | None,
    store: TrustStore,
) -> None:
    if record.level != "in_process" or record.approved_by != "user":
        raise _not_approved(seen, bundle, store)
    if any(name not in record.files for name in seen.files):
        raise _not_approved(seen, bundle, store)
    if requested_revision is None or COMMIT.fullmatch(requested_revision) is None:
        raise UntrustedCode(
            f"sandbox=False runs the code of {seen.code_repo} with all your rights, so its commit must "
            f"be pinned: code_revision={bundle.revision!r}"
        )
    if requested_revision != bundle.revision:
        raise UntrustedCode(
            f"code_revision={requested_revision!r} is not what was read of {seen.code_repo}: "
            f"{bundle.revision}"
        )


def _not_approved(seen: TrustRecord, bundle: SourceBundle, store: TrustStore) -> UntrustedCode:
    store.refuse(seen, bundle)
    return UntrustedCode(
        f"sandbox=False runs the code of {seen.code_repo} with all your rights in this process, and "
        f"you have not approved that. Review it: zoo trust show {seen.repo}\n"
        f"Approve it: zoo trust approve {seen.repo} --in-process\n"
        "Or leave sandbox=False away: the sandbox needs no approval."
    )
