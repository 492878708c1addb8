"""The short cut past ``packaging`` for plain ranges never says yes where ``packaging`` says no."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from packaging.requirements import Requirement

from zoo_core.registry.compatibility import surely_holds

release = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
clause = st.tuples(st.sampled_from([">=", "<=", "<", ">", "==", "!="]), release).map("".join)
requirement = st.lists(clause, min_size=1, max_size=3).map(lambda clauses: "zoo-core" + ",".join(clauses))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(requirement, release)
def test_plain_ranges_are_judged_as_packaging_judges_them(line: str, version: str) -> None:
    assert surely_holds(line, version) == Requirement(line).specifier.contains(version, prereleases=True)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("zoo-core~=0.1", "0.1.0"),
        ("zoo-core==0.*", "0.1.0"),
        ("zoo-core[sentencepiece]>=0.1", "0.1.0"),
        ('zoo-core>=0.1; python_version>"3"', "0.1.0"),
        ("zoo-core", "0.1.0"),
        ("zoo-core>=0.1", "0.1.0.dev1"),
        ("zoo-core>=0.1rc1", "0.1.0"),
        ("", "0.1.0"),
    ],
)
def test_anything_else_is_left_to_packaging(line: str, version: str) -> None:
    assert not surely_holds(line, version)
