"""``zoo doctor``: every kind of fault is found, named and given its remedy."""

from __future__ import annotations

import json
import os

import pytest

from zoo_core.cli import checks
from zoo_core.cli.commands import doctor

RECORD = """
from zoo_core.architecture import Architecture
ARCHITECTURE = Architecture(
    model_type="{0}", config="plug_{0}:Config", models={{"AutoModel": "plug_{0}:Gone"}}
)
class Config: pass
"""


@pytest.fixture
def alone(registry, monkeypatch) -> None:
    """Only what a test writes is seen: a fault in what is installed has a test of its own."""
    monkeypatch.setenv("ZOO_DISABLE", ",".join(registry.distributions()))


def findings(zoo, *words: str, status: int) -> list[dict[str, str]]:
    report = json.loads(zoo("doctor", *words, "--json", status=status))
    return [finding for section in report["sections"].values() for finding in section]


def errors(zoo, *words: str) -> str:
    found = findings(zoo, *words, status=1)
    return "\n".join(f"{f['subject']}: {f['detail']}" for f in found if f["status"] == "error")


def test_what_is_installed_here_is_sound(registry, zoo) -> None:
    found = findings(zoo, status=0)
    assert {"torch", "tokenizers"} <= {f["subject"] for f in found if f["status"] == "ok"}
    assert any(f["subject"].startswith("zoo-text") for f in found)


def test_a_conflict_names_both_and_the_way_out(alone, distribution, zoo) -> None:
    for name in ("one", "two"):
        distribution(
            name,
            architectures={"moss": "plug_moss:ARCHITECTURE"},
            modules={"plug_moss": RECORD.format("moss")},
        )
    found = errors(zoo)
    assert "conflict moss" in found and "one" in found and "two" in found and "ZOO_PREFER=moss=" in found


def test_a_broken_plugin_is_named_with_its_cause(alone, distribution, zoo) -> None:
    distribution(
        "ruin", architectures={"rust": "plug_rust:A"}, modules={"plug_rust": "import nowhere_to_be_found"}
    )
    assert "No module named 'nowhere_to_be_found'" in errors(zoo)


def test_a_plugin_for_another_core_is_named_with_its_range(alone, distribution, zoo) -> None:
    distribution("late", requires=("zoo-core>=7",), architectures={"moss": "plug_moss:A"})
    found = errors(zoo)
    assert "late 1.0 requires zoo-core>=7" in found


def test_a_missing_requirement_is_named_with_its_install(alone, distribution, zoo) -> None:
    distribution("needy", requires=("not-installed-anywhere>=2",), architectures={"moss": "plug_moss:A"})
    assert "pip install 'not-installed-anywhere>=2'" in errors(zoo)


def test_an_unfit_requirement_is_named_with_both_versions(alone, distribution, zoo) -> None:
    distribution("picky", requires=("packaging<1",), architectures={"moss": "plug_moss:A"})
    assert "picky needs packaging<1" in errors(zoo)


def test_extras_of_a_plugin_are_not_required(alone, distribution, zoo) -> None:
    distribution(
        "calm",
        requires=('not-installed-anywhere; extra == "more"',),
        architectures={"moss": "plug_calm:ARCHITECTURE"},
        modules={"plug_calm": RECORD.format("moss")},
    )
    findings(zoo, status=0)


def test_deep_imports_what_records_only_name(alone, distribution, zoo) -> None:
    distribution(
        "hollow",
        architectures={"moss": "plug_hollow:ARCHITECTURE"},
        modules={"plug_hollow": RECORD.format("moss")},
    )
    findings(zoo, status=0)
    assert "plug_moss:Gone" in errors(zoo, "--deep")


def test_an_editable_install_that_is_out_of_date_says_so(alone, distribution, zoo, tmp_path) -> None:
    record = {"plug_moss": RECORD.format("moss")}
    site = distribution("growing", architectures={"moss": "plug_moss:ARCHITECTURE"}, modules=record)
    source = tmp_path / "source"
    source.mkdir()
    origin = {"url": source.as_uri(), "dir_info": {"editable": True}}
    (site / "growing-1.0.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    declared = source / "entry_points.txt"
    declared.write_text("[zoo_core.architectures.v1]\nmoss = plug_moss:ARCHITECTURE\n")
    assert not [f for f in findings(zoo, status=0) if "growing out of date" in f["subject"]]
    declared.write_text("[zoo_core.architectures.v1]\nfern = plug_moss:FERN\n")
    (found,) = (f for f in findings(zoo, status=0) if f["subject"] == "growing out of date")
    assert f"pip install -e {source}" in found["detail"]


def test_a_setting_for_nothing_is_a_warning(alone, zoo, monkeypatch) -> None:
    monkeypatch.setenv("ZOO_DISABLE", os.environ["ZOO_DISABLE"] + ",never-installed")
    found = findings(zoo, status=0)
    assert [f for f in found if f["status"] == "warning" and "never-installed" in f["detail"]]


def test_secrets_are_not_shown(alone, zoo, monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert "hf_secret" not in zoo("doctor") + zoo("doctor", "--json")


def test_a_cache_that_cannot_be_written_is_an_error(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert [f.status for f in checks.download_cache().findings if f.subject == "folder"] == ["error"]


def test_every_section_of_the_table_exists_and_has_findings(registry) -> None:
    for reference in checks.SECTIONS:
        section = doctor.resolve(reference, distribution="zoo-core")()
        assert section.title and section.findings


def test_the_page_for_people_ends_with_a_verdict(alone, zoo) -> None:
    assert zoo("doctor").splitlines()[-1] == "usable, 1 to look at"
