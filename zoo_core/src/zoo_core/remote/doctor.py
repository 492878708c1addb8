"""What ``zoo doctor`` says of the sandbox for remote code."""

from __future__ import annotations

from zoo_core.cli.checks import Finding, Section
from zoo_core.errors import ConfigError
from zoo_core.remote.lockdown.tiers import probe
from zoo_core.remote.store import TrustStore, project_records


def sandbox() -> Section:
    """The tier in force, and the state of the trust records."""
    facilities = probe()
    if facilities.tier == "none":
        findings = [Finding("warning", "isolation", facilities.complaint())]
    else:
        findings = [Finding("ok", "isolation", facilities.describe())]
    store = TrustStore()
    try:
        records = store.read()
        project = project_records()
    except ConfigError as error:
        return Section("Remote code", [*findings, Finding("error", "trust records", str(error))])
    findings.append(
        Finding("note", "trust records", f"{store.path}: {len(records.accepted)} repositories accepted")
    )
    if records.pending:
        waiting = ", ".join(sorted({repo for repo, _ in records.pending}))
        findings.append(Finding("note", "refused code", f"awaits a decision (zoo trust diff): {waiting}"))
    if project is not None:
        findings.append(
            Finding("note", "project lock", f"{project[0]}: {len(project[1].accepted)} repositories")
        )
    return Section("Remote code", findings)
