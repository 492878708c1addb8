"""Check plugins, versions and the environment; exit status 1 when something needs repair.

zoo doctor           what is installed, what conflicts, what is broken and how to mend it
zoo doctor --deep    also import every class that a plugin advertises
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from zoo_core.cli.checks import SECTIONS, deep
from zoo_core.registry.references import resolve

if TYPE_CHECKING:
    from zoo_core.cli.checks import Section
    from zoo_core.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``zoo doctor``."""
    parser.add_argument("--deep", action="store_true", help="import every advertised class (imports torch)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Run all checks; 1 when one of them found an error."""
    sections: list[Section] = [resolve(check, distribution="zoo-core")() for check in SECTIONS]
    if arguments.deep:
        sections.append(deep())
    tally: Counter[str] = Counter(finding.status for section in sections for finding in section.findings)
    if arguments.json:
        report = {section.title: [asdict(finding) for finding in section.findings] for section in sections}
        terminal.line(json.dumps({"errors": tally["error"], "sections": report}, indent=1))
        return 1 if tally["error"] else 0
    for section in sections:
        terminal.heading(section.title)
        terminal.table(
            [(f"{terminal.symbol(f.status)} {f.subject}", f.detail) for f in section.findings],
        )
    terminal.line()
    terminal.line(_verdict(tally, terminal))
    return 1 if tally["error"] else 0


def _verdict(tally: Counter[str], terminal: Terminal) -> str:
    if tally["error"]:
        return terminal.style(f"{tally['error']} found that need repair", "red", "bold")
    if tally["warning"]:
        return terminal.style(f"usable, {tally['warning']} to look at", "yellow")
    return terminal.style("all is well", "green")
