"""Each thing that can go wrong reads as what it is."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zoo_core.errors import (
    FileNotInRepository,
    GatedRepository,
    HubError,
    HubUnreachable,
    InvalidRepositoryId,
    RepositoryNotFound,
    RevisionNotFound,
)
from zoo_core.hub import HubOptions, Repository

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

TOKEN = "hf_secretsecretsecret"
CONFIG = {"config.json": {}, "vocab.txt": "a", "model.safetensors": b"w"}


def test_missing_repository(hub: LoopbackHub) -> None:
    with pytest.raises(
        RepositoryNotFound, match=r"no model repository 'org/typo' at .*private and no token was sent"
    ):
        Repository("org/typo").path("config.json")


@pytest.mark.parametrize(
    ("token", "says"), [(None, "no token was sent"), ("hf_wrong", "the token that was sent has no access")]
)
def test_private_repository(hub: LoopbackHub, token: str | None, says: str) -> None:
    hub.repository("org/private", CONFIG, private=True, tokens=[TOKEN])
    with pytest.raises(RepositoryNotFound, match=rf"'org/private' at .*{says}.*hf auth login") as caught:
        Repository("org/private", options=HubOptions(token=token)).path("config.json")
    assert "hf_wrong" not in str(caught.value)
    assert Repository("org/private", options=HubOptions(token=TOKEN)).read_json("config.json") == {}


@pytest.mark.parametrize("token", [None, "hf_wrong"])
def test_gated_repository(hub: LoopbackHub, token: str | None) -> None:
    hub.repository("org/gated", CONFIG, gated=True, tokens=[TOKEN])
    with pytest.raises(
        GatedRepository, match=r"'org/gated' is gated.*accept its terms at http://.*/org/gated"
    ):
        Repository("org/gated", options=HubOptions(token=token)).path("config.json")
    assert Repository("org/gated", options=HubOptions(token=TOKEN)).read_json("config.json") == {}


def test_missing_revision(hub: LoopbackHub) -> None:
    hub.repository("org/model", CONFIG)
    for revision in ("v9", "0" * 40):
        with pytest.raises(
            RevisionNotFound, match=rf"'org/model' exists, but .* no branch, tag or commit '{revision}'"
        ):
            Repository("org/model", options=HubOptions(revision=revision)).path("config.json")


def test_missing_file(hub: LoopbackHub) -> None:
    hub.repository("org/model", CONFIG)
    with pytest.raises(
        FileNotFoundError, match=r"'org/model' at 'main' has no file 'tokenizer.json'. It holds: config"
    ):
        Repository("org/model").path("tokenizer.json")


def test_stored_token_required_and_absent(hub: LoopbackHub) -> None:
    hub.repository("org/model", CONFIG)
    with pytest.raises(
        HubError, match=r"token=True asks for the stored token and none is stored: run `hf auth login`"
    ):
        Repository("org/model", options=HubOptions(token=True)).path("config.json")


@pytest.mark.parametrize("status", [418, 403])
def test_other_statuses_are_no_outage(hub: LoopbackHub, status: int) -> None:
    hub.repository("org/model", CONFIG)
    hub.outage = status
    with pytest.raises(HubError, match=str(status)) as caught:
        Repository("org/model").path("config.json")
    assert not isinstance(caught.value, HubUnreachable)


def test_login_page_where_an_answer_was_due(hub: LoopbackHub) -> None:
    hub.outage = 200
    with pytest.raises(HubError, match=r"exchange of repository 'org/model' with http://.* failed"):
        Repository("org/model").path("config.json")


def test_download_cut_short_leaves_no_file(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits between its attempts
    hub.repository("org/model", {"model.safetensors": b"w" * 5000})
    hub.cut_short = 1000
    with pytest.raises(HubError, match=r"'model.safetensors' of 'org/model'"):
        Repository("org/model").path("model.safetensors")
    hub.cut_short = 0
    assert Repository("org/model").path("model.safetensors").stat().st_size == 5000


@pytest.mark.parametrize("kind", ["refused", 503])
def test_outage_before_a_file_is_cached(
    hub: LoopbackHub, kind: str | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    hub.repository("org/model", CONFIG)
    repository = Repository("org/model")
    repository.path("config.json")
    if kind == "refused":
        hub.stop()
    else:
        hub.outage = int(kind)
    with pytest.raises(HubUnreachable, match=r"when asked for 'vocab.txt' of 'org/model'"):
        repository.path("vocab.txt")


def test_outage_between_the_commit_and_a_file_already_cached(hub: LoopbackHub) -> None:
    hub.repository("org/model", CONFIG)
    repository = Repository("org/model")
    repository.path("config.json")
    hub.stop()
    assert repository.read_json("config.json") == {}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("a/b/c", "'name' or 'owner/name'"),
        ("org//model", "'name' or 'owner/name'"),
        ("", "'name' or 'owner/name'"),
        ("org/mo del", "only letters, digits"),
        ("org/m\u00f6del", "only letters, digits"),
        ("org/-model", "may begin or end with"),
        ("org/model.", "may begin or end with"),
        ("org/a--b", "'--' and '..'"),
        ("org/a..b", "'--' and '..'"),
        ("org/model.git", "may not end with '.git'"),
        ("o/" + "m" * 100, "at most 96 characters, this one has 102"),
    ],
)
def test_malformed_id_names_the_rule(name: str, rule: str) -> None:
    with pytest.raises(InvalidRepositoryId, match="not a local file or folder") as caught:
        Repository(name)
    assert rule in str(caught.value) and isinstance(caught.value, OSError)


@pytest.mark.parametrize(
    "name", ["./nowhere", "/nowhere/at/all", "../nowhere", "~/nowhere", "C:\\models", "nowhere/"]
)
def test_missing_local_path_is_not_mistaken_for_an_id(name: str) -> None:
    with pytest.raises(RepositoryNotFound, match="There is no folder or file"):
        Repository(name)
    with pytest.raises(RepositoryNotFound, match="pass its id as a str"):
        Repository(Path("org/model"))


def test_local_folder_lacking_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(FileNotInRepository, match="It holds: sub/"):
        Repository(tmp_path).path("config.json")
    for i in range(15):
        (tmp_path / f"part{i:02d}.bin").touch()
    with pytest.raises(FileNotInRepository) as caught:
        Repository(tmp_path).path("config.json")
    assert "There is no 'config.json' in the folder" in str(caught.value) and str(tmp_path) in str(
        caught.value
    )
    assert str(caught.value).endswith(
        "part00.bin, part01.bin, part02.bin, part03.bin, part04.bin, part05.bin, "
        "part06.bin, part07.bin, part08.bin, part09.bin, part10.bin, part11.bin and 4 more."
    )
    with pytest.raises(RepositoryNotFound, match=r"has no subfolder 'other'. It holds: part00"):
        Repository(tmp_path, options=HubOptions(subfolder="other"))
    with pytest.raises(FileNotInRepository, match="nothing: it is empty"):
        Repository(tmp_path, options=HubOptions(subfolder="sub")).path("config.json")


def test_token_goes_to_the_endpoint_alone(hub: LoopbackHub) -> None:
    hub.repository("org/new", CONFIG, private=True, tokens=[TOKEN])
    hub.renamed["org/old"] = "org/new"
    Repository("org/old", options=HubOptions(token=TOKEN)).path("model.safetensors")
    assert hub.cdn_requests and all(r.authorization is None for r in hub.cdn_requests)
    assert all(TOKEN not in str(r) for r in hub.cdn_requests)
    assert {r.authorization for r in hub.requests} == {f"Bearer {TOKEN}"}


def test_no_token_when_told_so(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.repository("org/model", CONFIG)
    Repository("org/model", options=HubOptions(token=False)).path("config.json")
    assert {r.authorization for r in hub.requests} == {None}


def test_token_is_in_no_text(hub: LoopbackHub) -> None:
    options = HubOptions(token=TOKEN, proxies={"http": "http://user:password@127.0.0.1:9"})
    assert TOKEN not in repr(options) and "password" not in repr(options)
    hub.repository("org/gated", CONFIG, gated=True)
    hub.repository("org/private", CONFIG, private=True)
    names = ["org/gated", "org/private", "org/absent"]
    errors = []
    for name in names:
        with pytest.raises(HubError) as caught:
            Repository(name, options=HubOptions(token=TOKEN)).path("config.json")
        errors.append(caught.value)
    hub.stop()
    with pytest.raises(HubError) as caught:
        Repository("org/late", options=HubOptions(token=TOKEN)).path("config.json")
    for error in [*errors, caught.value]:
        assert TOKEN not in str(error) + repr(error)


def test_errors_survive_pickling(hub: LoopbackHub) -> None:
    with pytest.raises(RepositoryNotFound) as caught:
        Repository("org/typo").path("config.json")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
