"""How many requests a load makes, and which files it then uses."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zoo_core.errors import FileNotInRepository, HubError, HubUnreachable, OfflineError
from zoo_core.hub import HubOptions, Repository

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub

FILES = {
    "config.json": {"model_type": "bert"},
    "model.safetensors": b"w" * 5000,
    "sub/config.json": {"model_type": "gpt2"},
}
OPTIONAL = ["added_tokens.json", "special_tokens_map.json", "chat_template.jinja"]


def load(**options: object) -> Repository:
    """One load of everything in the repository, and of files it does not have."""
    repository = Repository("org/model", options=HubOptions(**options))  # type: ignore[arg-type]
    assert repository.read_json("config.json") == {"model_type": "bert"}
    assert repository.path("model.safetensors").read_bytes() == b"w" * 5000
    assert [repository.find(name) for name in OPTIONAL] == [None] * 3
    return repository


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"a connection was opened: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_first_load_asks_once_for_the_commit_and_never_for_absent_files(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    assert load().commit == hub.repositories["org/model"].head
    assert all(r.headers["user-agent"].startswith("zoo-core/") for r in hub.requests)
    assert hub.count(containing="/api/models/") == 1
    assert hub.count(containing="config.json") == 2  # the client's HEAD and GET
    assert not [r.path for r in hub.requests if any(name in r.path for name in OPTIONAL)]


def test_unpinned_cached_load_makes_one_request(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    load()
    hub.forget_requests()
    load()
    assert [r.path.partition("?")[0] for r in hub.requests] == ["/api/models/org/model/revision/main"]


@pytest.mark.parametrize("how", ["pinned", "local_files_only", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_cached_load_without_any_request(
    hub: LoopbackHub, how: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    head = hub.repository("org/model", FILES).head
    load()
    hub.forget_requests()
    request.getfixturevalue("no_sockets")
    options: dict[str, object] = {}
    if how == "pinned":
        options["revision"] = head
    elif how == "local_files_only":
        options["local_files_only"] = True
    else:
        monkeypatch.setenv(how, "1")
    assert load(**options).commit == head
    assert hub.requests == []


def test_pinned_load_needs_no_client(hub: LoopbackHub, tmp_path: Path) -> None:
    head = hub.repository("org/model", FILES).head
    load()
    code = (
        "import sys; from zoo_core.hub import HubOptions, Repository\n"
        f"repository = Repository('org/model', options=HubOptions(revision={head!r}))\n"
        "assert repository.find('absent.json') is None; repository.read_json('config.json')\n"
        "heavy = {'torch', 'numpy', 'httpx', 'httpx2', 'requests', 'tqdm'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_local_folder_never_imports_the_client(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    code = (
        "import sys; from zoo_core.hub import Repository\n"
        f"Repository({str(tmp_path)!r}).read_json('config.json')\n"
        "assert 'huggingface_hub' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_all_files_of_a_load_come_from_the_commit_first_seen(hub: LoopbackHub) -> None:
    source = hub.repository("org/model", FILES)
    repository = Repository("org/model")
    first = repository.commit
    repository.path("config.json")
    source.commit({"model.safetensors": b"new weights", "late.json": {}})
    assert repository.path("model.safetensors").read_bytes() == b"w" * 5000
    assert repository.find("late.json") is None and repository.commit == first
    assert Repository("org/model").path("model.safetensors").read_bytes() == b"new weights"


def test_branches_tags_and_commits(hub: LoopbackHub) -> None:
    source = hub.repository("org/model", {"name.json": {"at": "main"}})
    source.tag("v1", source.head)
    source.commit({"name.json": {"at": "dev"}}, branch="feature/dev")
    source.commit({"name.json": {"at": "pr"}}, branch="refs/pr/1")
    newest = source.commit({"name.json": {"at": "newest"}})
    expected = {"v1": "main", "feature/dev": "dev", "refs/pr/1": "pr", "main": "newest", newest: "newest"}

    def read(revision: str, **options: object) -> object:
        return Repository("org/model", options=HubOptions(revision=revision, **options)).read_json(
            "name.json"
        )  # type: ignore[arg-type]

    assert {revision: read(revision) for revision in expected} == {
        r: {"at": at} for r, at in expected.items()
    }
    assert all(read(r, local_files_only=True) == {"at": at} for r, at in expected.items())


def test_subfolder_is_where_names_begin(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    repository = Repository("org/model", options=HubOptions(subfolder="sub"))
    assert repository.read_json("config.json") == {"model_type": "gpt2"}
    assert repository.files() == ["config.json"] and repository.find("model.safetensors") is None
    with pytest.raises(FileNotInRepository, match=r"no file 'sub/vocab.txt'.*It holds: config.json"):
        repository.path("vocab.txt")


@pytest.mark.parametrize("kind", ["refused", 503, 500, 429])
def test_outage_with_a_cache_uses_it_and_warns(hub: LoopbackHub, kind: str | int) -> None:
    hub.repository("org/model", FILES)
    load()
    hub.forget_requests()
    if kind == "refused":
        hub.stop()
    else:
        hub.outage = int(kind)
    with pytest.warns(UserWarning, match=r"unreachable: 'org/model' is loaded from the cache.*'main'"):
        load()
    assert len(hub.requests) <= 1


@pytest.mark.parametrize("kind", ["refused", 503, 429])
def test_outage_without_a_cache_reads_as_an_outage(hub: LoopbackHub, kind: str | int) -> None:
    if kind == "refused":
        hub.stop()
    else:
        hub.outage = int(kind)
    seen = "could not be reached" if kind == "refused" else f"answered {kind}"
    with pytest.raises(
        HubUnreachable, match=rf"{seen} when asked for repository 'org/model'.*id may well be"
    ):
        Repository("org/model").path("config.json")


def test_interrupted_update_leaves_the_older_snapshot_in_use(hub: LoopbackHub) -> None:
    source = hub.repository("org/model", FILES)
    old = source.head
    load()
    source.commit({"config.json": {"model_type": "new"}})
    assert Repository("org/model").commit == source.head  # seen, nothing fetched
    assert Repository("org/model", options=HubOptions(local_files_only=True)).commit == old


def test_offline_without_the_file_says_what_the_cache_has(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    Repository("org/model").path("config.json")
    only = HubOptions(local_files_only=True)
    with pytest.raises(
        OfflineError, match=r"'model.safetensors' of 'org/model'.*not in the cache.*local_files_only"
    ):
        Repository("org/model", options=only).find("model.safetensors")
    with pytest.raises(OfflineError, match=r"at 'v2' is not in the cache .* the cache has it at main"):
        Repository("org/model", options=HubOptions(local_files_only=True, revision="v2")).path("config.json")
    with pytest.raises(OfflineError, match="the cache has nothing of it"):
        Repository("org/other", options=only).path("config.json")


def test_cache_filled_by_the_client_alone(hub: LoopbackHub, tmp_path: Path) -> None:
    """A snapshot without our file list: what it holds counts, and requests stay at none."""
    from huggingface_hub import snapshot_download

    source = hub.repository("org/model", FILES)
    snapshot_download("org/model", endpoint=hub.endpoint, cache_dir=tmp_path / "hub-cache")
    hub.forget_requests()
    assert load(local_files_only=True).files() == sorted(FILES)
    assert Repository("org/model", options=HubOptions(revision=source.head)).read_json("config.json")
    assert hub.requests == []


@pytest.mark.parametrize("large_files", ["cdn", "direct"])
def test_the_client_finds_what_we_cached(hub: LoopbackHub, tmp_path: Path, large_files: str) -> None:
    from huggingface_hub import try_to_load_from_cache

    hub.large_files = large_files
    hub.repository("org/model", FILES)
    ours = load().path("model.safetensors")
    theirs = try_to_load_from_cache("org/model", "model.safetensors", cache_dir=tmp_path / "hub-cache")
    assert str(ours) == theirs


def test_a_hub_that_lists_no_files(hub: LoopbackHub) -> None:
    hub.hide_listing = True
    hub.repository("org/model", FILES)
    load()
    assert hub.count(containing="/api/models/") == 1
    hub.forget_requests()
    load()  # absences were remembered by the client's own marks
    assert len(hub.requests) == 1


def test_truncated_cache_file_is_fetched_again(hub: LoopbackHub) -> None:
    head = hub.repository("org/model", FILES).head
    blob = load().path("model.safetensors").resolve()
    blob.write_bytes(b"w" * 100)
    with pytest.raises(
        HubError, match=r"has 100 bytes, the hub lists 5,000: it is damaged.*force_download=True"
    ):
        Repository("org/model", options=HubOptions(local_files_only=True)).path("model.safetensors")
    with pytest.warns(UserWarning, match="damaged and is fetched again"):
        assert load(revision=head).path("model.safetensors").stat().st_size == 5000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load()


def test_broken_link_counts_as_not_cached(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    load().path("model.safetensors").resolve().unlink()
    load()


def test_damaged_file_list_is_ignored(hub: LoopbackHub, tmp_path: Path) -> None:
    head = hub.repository("org/model", FILES).head
    load()
    (listing,) = (tmp_path / "hub-cache").rglob(f".zoo/{head}.json")
    for text in ("{", "[]", '{"config.json": "x"}', "\xff"):
        listing.write_text(text, encoding="latin-1")
        load(revision=head)


def test_force_download_fetches_each_file_once_per_load(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    load()
    hub.forget_requests()
    repository = load(force_download=True)
    repository.path("config.json")
    assert hub.count("GET", "/resolve/") == 1  # config.json once; the weights come from the other origin
    assert [r.method for r in hub.cdn_requests] == ["GET"]
    with pytest.raises(ValueError, match="pass one"):
        HubOptions(force_download=True, local_files_only=True)


def test_several_files_in_parallel(hub: LoopbackHub) -> None:
    shards = {f"model-{i:05d}-of-00012.safetensors": bytes([i]) * 1000 for i in range(12)}
    hub.repository("org/model", shards)
    paths = Repository("org/model").paths(shards)
    assert [path.read_bytes() for path in paths] == list(shards.values())
    assert hub.count(containing="/api/models/") == 1
    with pytest.raises(
        FileNotInRepository, match=r"lacks 2 of 3 files asked for: a.bin, b.bin. It holds: model-0"
    ):
        Repository("org/model").paths(["a.bin", next(iter(shards)), "b.bin"])


def test_progress_shows_on_a_terminal_alone(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a.json", "b.json"]
    hub.repository("org/model", {name: {} for name in names})
    for terminal in (False, True):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        Repository("org/model").paths(names)
        assert ("Files of org/model" in stream.getvalue()) is terminal


def test_one_repository_object_in_many_threads(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    repository = Repository("org/model")
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: repository.path("config.json"), range(32)))
    assert len(found) == 1 and hub.count(containing="/api/models/") == 1


def test_find_first(hub: LoopbackHub) -> None:
    hub.repository("org/model", FILES)
    found = Repository("org/model").find_first(["model.bin", "model.safetensors", "config.json"])
    assert found is not None and found.name == "model.safetensors"
    assert Repository("org/model").find_first(["x", "y"]) is None
