"""Names that leave their folder, and JSON that is not what it should be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zoo_core.errors import (
    ConfigError,
    HubError,
    MalformedFile,
    RevisionNotFound,
    UnsafeCheckpoint,
    UnsafePath,
)
from zoo_core.hub import HubOptions, Repository, read_json_file

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

LEAVING = [
    "../secret",
    "a/../../secret",
    "/etc/passwd",
    "..",
    "a\\b",
    "..\\secret",
    "C:secret",
    "C:\\secret",
    "a\0b",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "model"
    (inside / "sub").mkdir(parents=True)
    (inside / "config.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    return inside


@pytest.mark.parametrize("name", LEAVING)
def test_names_that_leave_a_local_folder(folder: Path, name: str) -> None:
    for ask in (Repository(folder).path, Repository(folder).find, Repository(folder / "config.json").find):
        with pytest.raises(UnsafePath, match="leaves its folder or may do so: it") as caught:
            ask(name)
        assert isinstance(caught.value, UnsafeCheckpoint) and isinstance(caught.value, HubError)
    with pytest.raises(UnsafePath, match="subfolder"):
        HubOptions(subfolder=name)


@pytest.mark.parametrize("name", LEAVING)
def test_names_that_leave_a_snapshot_are_never_asked_for(hub: LoopbackHub, name: str) -> None:
    hub.repository("org/model", {"config.json": {}, name: "listed by a hostile hub"})
    with pytest.raises(UnsafePath):
        Repository("org/model").path(name)
    assert hub.requests == []


def test_links_may_not_leave_a_local_folder(folder: Path, tmp_path: Path) -> None:
    (folder / "out.json").symlink_to(tmp_path / "secret")
    (folder / "sub" / "in.json").symlink_to("../config.json")
    (folder / "outside").symlink_to(tmp_path)
    repository = Repository(folder)
    for name in ("out.json", "outside/secret"):
        with pytest.raises(UnsafePath, match=r"symbolic link to .*secret, outside .*model"):
            repository.path(name)
    assert repository.read_json("sub/in.json") == {}
    with pytest.raises(UnsafePath, match="outside"):
        Repository(folder, options=HubOptions(subfolder="outside"))
    (tmp_path / "link").symlink_to(folder)  # the folder itself may be a link
    assert Repository(tmp_path / "link").read_json("config.json") == {}


def test_snapshot_links_point_to_blobs_and_nowhere_else(hub: LoopbackHub, tmp_path: Path) -> None:
    hub.repository("org/model", {"config.json": {"a": 1}, "model.safetensors": b"w"})
    path = Repository("org/model").path("config.json")
    assert path.is_symlink()
    assert Repository(path.parent).read_json("config.json") == {"a": 1}  # a snapshot given as a local folder
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    path.unlink()
    path.symlink_to(secret)
    for name in ("org/model", path.parent):
        with pytest.raises(UnsafePath, match="symbolic link"):
            Repository(name).path("config.json")


@pytest.mark.parametrize(
    "revision", ["../../x", "a..b", "/main", "main/", "a//b", "a b", "a\nb", "a\\b", "", "x:y", "~"]
)
def test_revisions_that_are_none(revision: str) -> None:
    with pytest.raises(RevisionNotFound, match="can be no branch, tag or commit"):
        HubOptions(revision=revision)


def test_hub_that_lies_about_the_commit(hub: LoopbackHub) -> None:
    source = hub.repository("org/model", {"config.json": {}})
    source.commits["../../../escape"] = source.commits[source.head]
    source.refs["main"] = "../../../escape"
    with pytest.raises(HubError, match="gave no usable commit for org/model at 'main'"):
        Repository("org/model").path("config.json")
    source.refs["b" * 40] = source.commit({"config.json": {"other": 1}}, branch="other")
    with pytest.raises(HubError, match=rf"answered commit .* when asked for {'b' * 40}"):
        Repository("org/model", options=HubOptions(revision="b" * 40)).path("config.json")


def test_only_regular_files_count(folder: Path) -> None:
    os.mkfifo(folder / "pipe.json")
    assert Repository(folder).find("pipe.json") is None and Repository(folder).find("sub") is None
    assert Repository(folder).files() == ["config.json", "pipe.json"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is not JSON: Expecting value at line 1, column 1"),
        (b'{"a": 1,\n "b": }', "is not JSON: Expecting value at line 2, column 7"),
        (b'{"a": "\xff"}', "is not UTF-8: byte 0xff at offset 7"),
        (b"\xef\xbb\xbf{}", "is not JSON: Unexpected UTF-8 BOM"),
        (b"[1, 2]", "holds a JSON array, where an object {...} is required"),
        (b'"text"', "holds a JSON string"),
        (b"null", "holds a JSON null"),
        (b"true", "holds a JSON boolean"),
        (b"1.5", "holds a JSON number"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not usable JSON"),
        (b'{"a": 1}' + b" " * 100, "is larger than 100 bytes"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else "",
)
def test_json_that_is_none(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    limit = 100 if len(content) == 108 else 2**20
    with pytest.raises(MalformedFile, match=r"config\.json of ") as caught:
        Repository(tmp_path).read_json("config.json", max_bytes=limit)
    assert says in str(caught.value) and str(tmp_path) in str(caught.value)
    assert isinstance(caught.value, ConfigError) and isinstance(caught.value, OSError)


def test_json_that_real_checkpoints_have(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"limit": [0.0, Infinity], "a": 1, "a": 2, "n": {"b": 1, "b": 2}}')
    with pytest.warns(UserWarning, match=r"config.json repeats the key 'a', 'b': the last value counts"):
        assert read_json_file(path) == {"limit": [0.0, float("inf")], "a": 2, "n": {"b": 2}}
