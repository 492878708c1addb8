"""Keywords, single files, URLs and proxies."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zoo_core.errors import FileNotInRepository, HubError, HubUnreachable, OfflineError, RepositoryNotFound
from zoo_core.hub import HubOptions, Repository

if TYPE_CHECKING:
    from loopback_hub import LoopbackHub


def test_download_keywords_are_taken_out() -> None:
    kwargs: dict[str, Any] = {
        "cache_dir": "c",
        "revision": "v1",
        "token": "t",
        "subfolder": "s",
        "hidden_size": 4,
    }
    kwargs |= {"local_files_only": True, "force_download": False, "proxies": None, "repo_type": "model"}
    options = HubOptions.pop_from(kwargs)
    assert kwargs == {"hidden_size": 4}
    assert options == HubOptions(
        cache_dir="c", revision="v1", token="t", subfolder="s", local_files_only=True
    )


def test_none_means_the_default() -> None:
    names = [
        "cache_dir",
        "revision",
        "token",
        "subfolder",
        "use_auth_token",
        "resume_download",
        "force_download",
    ]
    assert HubOptions.pop_from(dict.fromkeys(names)) == HubOptions()


@pytest.mark.parametrize("value", [True, False])
def test_resume_download_is_deprecated(value: bool) -> None:
    with pytest.warns(FutureWarning, match="resume_download has no effect"):
        assert HubOptions.pop_from({"resume_download": value}) == HubOptions()


def test_use_auth_token_is_deprecated() -> None:
    with pytest.warns(FutureWarning, match="use_auth_token is deprecated: pass the same value as token"):
        assert HubOptions.pop_from({"use_auth_token": "hf_x"}).token == "hf_x"
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match="both given"):
        HubOptions.pop_from({"use_auth_token": "hf_x", "token": "hf_x"})


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"token": 7}, "token must be"),
        ({"revision": 7}, "revision must be"),
        ({"repo_type": "x"}, "is none of model"),
    ],
)
def test_wrong_types(kwargs: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        HubOptions(**kwargs)


def test_local_folder(tmp_path: Path) -> None:
    for name in ("config.json", "sub/config.json", ".git/HEAD", "sub/deep/x.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"at": name}))
    repository = Repository(str(tmp_path))
    assert repository.is_local and repository.commit is None and repository.single_file is None
    assert repository.files() == ["config.json", "sub/config.json", "sub/deep/x.bin"]
    assert repository.paths(["config.json", "sub/deep/x.bin"])[1].name == "x.bin"
    below = Repository(tmp_path, options=HubOptions(subfolder="sub"))
    assert below.read_json("config.json") == {"at": "sub/config.json"}
    assert below.files() == ["config.json", "deep/x.bin"]


def test_local_folder_named_like_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "org" / "model").mkdir(parents=True)
    (tmp_path / "org" / "model" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert Repository("org/model").is_local and Repository("org/model").read_json("config.json") == {}


def test_single_local_file(tmp_path: Path) -> None:
    path = tmp_path / "my_configuration.json"
    path.write_text('{"a": 1}')
    (tmp_path / "other.json").write_text("{}")
    repository = Repository(path)
    assert repository.single_file == path and repository.is_local
    assert repository.read_json("my_configuration.json") == {"a": 1}
    assert repository.find("other.json") is None and repository.files() == ["my_configuration.json"]
    with pytest.raises(
        FileNotInRepository, match=r"'config.json' was asked for, and only the file .*my_conf"
    ):
        repository.path("config.json")


@pytest.mark.parametrize("page", ["resolve", "blob"])
def test_url_of_a_file_on_the_hub_is_cached_as_such(hub: LoopbackHub, page: str) -> None:
    source = hub.repository("org/model", {"sub/my.json": {"a": 1}}, private=True, tokens=["hf_t"])
    url = f"{hub.endpoint}/org/model/{page}/main/sub/my.json?download=true"
    file = Repository(url, options=HubOptions(token="hf_t")).single_file
    assert file is not None and file.name == "my.json" and source.head in file.parts
    assert Repository(url, options=HubOptions(local_files_only=True)).read_json("my.json") == {"a": 1}
    with pytest.raises(RepositoryNotFound):
        Repository(url.replace("org/model", "org/typo"))


def test_url_elsewhere_gets_no_token(hub: LoopbackHub) -> None:
    hub.objects["vocab.json"] = b'{"a": 1}'
    url = f"{hub.cdn}/lfs/vocab.json"
    options = HubOptions(token="hf_secret")
    assert Repository(url, options=options).read_json("vocab.json") == {"a": 1}
    assert [r.authorization for r in hub.cdn_requests] == [None]
    only = HubOptions(local_files_only=True)
    assert Repository(url, options=only).read_json("vocab.json") == {"a": 1} and len(hub.cdn_requests) == 1
    with pytest.raises(OfflineError, match="never downloaded"):
        Repository(f"{url}2", options=only)
    with pytest.raises(FileNotInRepository, match="answered 404"):
        Repository(f"{hub.cdn}/lfs/absent.json")
    hub.stop()
    with pytest.raises(HubUnreachable, match="could not be fetched"):
        Repository(url)


class _Proxy(BaseHTTPRequestHandler):
    """Answers like a forward proxy: the request line holds the whole URL."""

    target: LoopbackHub
    seen: list[str]

    def do_GET(self) -> None:
        import urllib.error
        import urllib.request

        self.seen.append(self.path)
        headers = {key: value for key, value in self.headers.items() if key.lower() != "proxy-connection"}
        request = urllib.request.Request(self.path, headers=headers, method=self.command)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=5
            ) as answer:
                status, back, body = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, back, body = error.code, error.headers, error.read()
        self.send_response(status)
        for key, value in back.items():
            if key.lower() not in ("connection", "server", "date"):
                self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_P", (_Proxy,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("key", ["http", "all", "endpoint"])
def test_proxies_are_used_by_this_load_alone(
    hub: LoopbackHub, proxy: tuple[str, list[str]], key: str
) -> None:
    address, seen = proxy
    hub.repository("org/model", {"config.json": {"a": 1}}, private=True, tokens=["hf_t"])
    before = dict(os.environ)
    key = "http://127.0.0.1" if key == "endpoint" else key
    options = HubOptions(proxies={key: address}, token="hf_t")
    assert Repository("org/model", options=options).read_json("config.json") == {"a": 1}
    assert seen and all(url.startswith(hub.endpoint) for url in seen)
    assert len(hub.requests) == len(seen) and dict(os.environ) == before
    used = len(seen)
    assert Repository("org/model", options=HubOptions(token="hf_t")).read_json("config.json") == {"a": 1}
    assert len(seen) == used
    with pytest.raises(RepositoryNotFound, match=r"'org/typo'.*no access"):
        Repository("org/typo", options=options).path("config.json")


def test_proxy_that_is_down_reads_as_unreachable(hub: LoopbackHub) -> None:
    hub.repository("org/model", {"config.json": {}})
    with pytest.raises(HubUnreachable, match="check the connection, the proxy"):
        Repository("org/model", options=HubOptions(proxies={"http": "127.0.0.1:9"})).path("config.json")
    assert hub.requests == []


def test_proxy_for_another_host_cannot_be_passed_on(hub: LoopbackHub) -> None:
    with pytest.raises(HubError, match=r"proxies names 'http://elsewhere': only 'http', 'https', 'all'"):
        Repository("org/model", options=HubOptions(proxies={"http://elsewhere": "x:1"})).path("config.json")
