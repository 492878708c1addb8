"""Publishing a folder with the real client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zoo_core.errors import HubError, HubUnreachable, InvalidRepositoryId
from zoo_core.hub import HubOptions, Repository, upload

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

TOKEN = "hf_writer"


@pytest.fixture
def publish(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """``upload`` in a process that was started with this endpoint: before 1.0 the client reads a commit's
    address back against the one it was imported with."""
    from huggingface_hub import constants

    def publish(*args: Any, **kwargs: Any) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(constants, "ENDPOINT", hub.endpoint)
            return upload(*args, **kwargs)

    return publish


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved = tmp_path / "saved"
    (saved / "sub").mkdir(parents=True)
    (saved / "config.json").write_text('{"model_type": "bert"}')
    (saved / "model.safetensors").write_bytes(b"weights" * 1000)
    (saved / "sub" / "vocab.txt").write_text("a\nb\n")
    return saved


def test_what_is_uploaded_can_be_loaded(hub: LoopbackHub, folder: Path, publish: Callable[..., str]) -> None:
    url = publish(folder, "org/new", token=TOKEN, private=True, commit_message="First")
    source = hub.repositories["org/new"]
    assert url == f"{hub.endpoint}/org/new/commit/{source.head}" and source.private
    repository = Repository("org/new", options=HubOptions(token=TOKEN))
    assert repository.files() == [".gitattributes", "config.json", "model.safetensors", "sub/vocab.txt"]
    assert repository.path("model.safetensors").read_bytes() == b"weights" * 1000
    assert all(TOKEN not in str(request) for request in hub.cdn_requests) and hub.cdn_requests


def test_upload_to_an_existing_repository_a_branch_and_a_pull_request(
    hub: LoopbackHub, folder: Path, publish: Callable[..., str]
) -> None:
    source = hub.repository("org/model", {"config.json": {"old": 1}}, tokens=[TOKEN])
    old = source.head
    publish(folder, "org/model", token=TOKEN, revision="dev/next")
    assert source.head == old and "model.safetensors" in source.commits[source.refs["dev/next"]]
    url = publish(folder, "org/model", token=TOKEN, create_pr=True)
    assert source.head == old and url.endswith(source.refs["refs/pr/1"])
    publish(folder, "org/model", token=TOKEN)
    assert Repository("org/model").read_json("config.json") == {"model_type": "bert"}


def test_refused_uploads(hub: LoopbackHub, folder: Path) -> None:
    hub.repository("org/model", {"config.json": {}}, tokens=["hf_owner"])
    with pytest.raises(
        HubError, match=r"refused access to repository 'org/new' with 401, and no token was sent"
    ):
        upload(folder, "org/new")
    with pytest.raises(HubError, match=r"with 403, and the token that was sent has no access") as caught:
        upload(folder, "org/model", token="hf_stranger")
    assert "hf_stranger" not in str(caught.value)
    with pytest.raises(InvalidRepositoryId, match="only letters"):
        upload(folder, "org/mo del", token=TOKEN)
    with pytest.raises(HubError, match="is not a folder"):
        upload(folder / "config.json", "org/model", token=TOKEN)
    hub.stop()
    with pytest.raises(HubUnreachable):
        upload(folder, "org/model", token=TOKEN)
