"""A Hugging Face Hub on 127.0.0.1, enough of it for the real client to download from and upload to.

Repositories are dictionaries or folders, with commits, branches and tags. Large files redirect to a second
origin, as the real hub's do, so that a test can see what is sent there. Every request is logged.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Content = bytes | str | Path | dict[str, Any] | list[Any]
LFS_SUFFIXES = (".safetensors", ".bin", ".h5", ".msgpack", ".model")
API = re.compile(
    r"/api/models/(?P<id>[^/]+(?:/[^/]+)??)(?:/(?P<verb>revision|tree|branch|preupload|commit)/(?P<rest>.+))?"
)
RESOLVE = re.compile(r"/(?P<id>[^/]+(?:/[^/]+)??)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")
LFS_BATCH = re.compile(r"/(?P<id>[^/]+(?:/[^/]+)??)\.git/info/lfs/objects/batch")


def git_blob_id(data: bytes) -> str:
    """The object id git gives this content; the hub's ETag of a file outside LFS."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def as_bytes(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, Path):
        return content.read_bytes()
    return (content if isinstance(content, str) else json.dumps(content)).encode()


@dataclass(frozen=True)
class LoggedRequest:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")


@dataclass
class LoopbackRepository:
    """One repository: ``commits`` maps a commit id to its files, ``refs`` a branch or tag to a commit id."""

    repo_id: str
    private: bool = False
    gated: bool = False
    tokens: frozenset[str] = frozenset()
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(
        self, files: Mapping[str, Content] | Path, *, branch: str = "main", delete: Iterable[str] = ()
    ) -> str:
        """Adds or replaces files on a branch; gives the new commit id."""
        if isinstance(files, Path):
            files = {p.relative_to(files).as_posix(): p for p in files.rglob("*") if p.is_file()}
        parent = self.refs.get(branch, self.refs.get("main", ""))
        tree = dict(self.commits.get(parent, {}))
        tree.update({name: as_bytes(content) for name, content in files.items()})
        for name in delete:
            del tree[name]
        listing = "\n".join(f"{name} {git_blob_id(data)}" for name, data in sorted(tree.items()))
        text = f"{self.repo_id} {parent} {len(self.commits)}\n{listing}"
        commit = hashlib.sha1(text.encode()).hexdigest()
        self.commits[commit] = tree
        self.refs[branch] = commit
        return commit

    def tag(self, name: str, commit: str) -> None:
        self.refs[name] = commit

    @property
    def head(self) -> str:
        return self.refs["main"]

    def resolve(self, revision: str) -> str | None:
        return revision if revision in self.commits else self.refs.get(revision)

    def is_lfs(self, name: str, data: bytes) -> bool:
        return name.endswith(LFS_SUFFIXES) or len(data) > 10 * 2**20


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that either side dropped is nothing to report."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class LoopbackHub:
    """The server; a context manager. ``endpoint`` is its address, ``cdn`` that of its large-file origin.

    outage: every answer becomes this status (503, ...) while set; an outage at the connection itself is
        ``stop()``, after which the port refuses.
    large_files: how an LFS file is served, "cdn" (redirect to the other origin) or "direct".
    cut_short: a large file's answer ends this many bytes before the length it announced.
    hide_listing: leave the file list out of the repository information, as some mirrors do.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, LoopbackRepository] = {}
        self.requests: list[LoggedRequest] = []
        self.cdn_requests: list[LoggedRequest] = []
        self.outage: int | None = None
        self.outage_on: str = ""
        self.large_files = "cdn"
        self.cut_short = 0
        self.hide_listing = False
        self.renamed: dict[str, str] = {}
        self.objects: dict[str, bytes] = {}
        self._hub = self._serve(_HubHandler)
        self._cdn = self._serve(_CdnHandler)
        self.endpoint = f"http://127.0.0.1:{self._hub.server_port}"
        # Another host by name: some clients compare names without ports when they guard the token.
        self.cdn = f"http://localhost:{self._cdn.server_port}"

    def _serve(self, handler: type[_Handler]) -> _Server:
        server = _Server(("127.0.0.1", 0), type(handler.__name__, (handler,), {"hub": self}))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return server

    def __enter__(self) -> LoopbackHub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Closes both ports and every open connection: later ones are refused."""
        for server in (self._hub, self._cdn):
            server.shutdown()
            server.server_close()
            server.hang_up()

    def repository(
        self,
        repo_id: str,
        files: Mapping[str, Content] | Path,
        *,
        private: bool = False,
        gated: bool = False,
        tokens: Iterable[str] = (),
    ) -> LoopbackRepository:
        """Adds a repository with one commit on ``main``; ``tokens`` may see it when private or gated."""
        repository = LoopbackRepository(repo_id, private, gated, frozenset(tokens))
        repository.commit(files)
        self.repositories[repo_id] = repository
        return repository

    def count(self, method: str | None = None, containing: str = "") -> int:
        return len([r for r in self.requests if method in (None, r.method) and containing in r.path])

    def forget_requests(self) -> None:
        self.requests.clear()
        self.cdn_requests.clear()


class _Handler(BaseHTTPRequestHandler):
    hub: LoopbackHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def log_to(self, log: list[LoggedRequest]) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.body = b"".join(iter(self._chunk, b""))
        headers = {key.lower(): value for key, value in self.headers.items()}
        log.append(LoggedRequest(self.command, self.path, headers, self.body))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def answer_json(self, value: Any, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), Content_Type="application/json")

    def answer_file(self, data: bytes, **headers: str) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self.answer(200, data, Accept_Ranges="bytes", **headers)
            return
        start, end = int(asked[1]), int(asked[2] or len(data) - 1)
        part = data[start : end + 1]
        self.answer(206, part, Content_Range=f"bytes {start}-{end}/{len(data)}", **headers)


class _CdnHandler(_Handler):
    """Large files by their SHA-256; knows no tokens."""

    def do_GET(self) -> None:
        self.log_to(self.hub.cdn_requests)
        data = self.hub.objects.get(urlsplit(self.path).path.removeprefix("/lfs/"))
        if data is None:
            self.answer(404)
        elif self.hub.cut_short:
            self.answer(200, data[: -self.hub.cut_short], Content_Length=str(len(data)))
            self.hang_up()
        else:
            self.answer_file(data)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        self.log_to(self.hub.cdn_requests)
        self.hub.objects[hashlib.sha256(self.body).hexdigest()] = self.body
        self.answer(200)


class _HubHandler(_Handler):
    def do_GET(self) -> None:
        self._route({API: self._api_get, RESOLVE: self._resolve})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self._route({API: self._api_post, LFS_BATCH: self._lfs_batch})

    def _route(
        self, table: dict[re.Pattern[str], Callable[[LoopbackRepository, dict[str, str]], None]]
    ) -> None:
        self.log_to(self.hub.requests)
        if self.hub.outage is not None and self.hub.outage_on in self.path:
            self.answer(self.hub.outage, b"unavailable")
            return
        path = urlsplit(self.path).path
        if path == "/api/repos/create":
            self._create()
            return
        if path == "/api/validate-yaml":
            self.answer_json({"errors": [], "warnings": []})
            return
        for pattern, handle in table.items():
            match = pattern.fullmatch(path)
            if match is None:
                continue
            groups = {key: unquote(value or "") for key, value in match.groupdict().items()}
            if groups["id"] in self.hub.renamed:
                target = self.path.replace(groups["id"], self.hub.renamed[groups["id"]], 1)
                self.answer(307, Location=target)
                return
            repository = self._visible(groups["id"])
            if repository is not None:
                handle(repository, groups)
            return
        self.answer(404)

    @property
    def token(self) -> str | None:
        header = self.headers.get("Authorization")
        return None if header is None else header.removeprefix("Bearer ")

    def _visible(self, repo_id: str) -> LoopbackRepository | None:
        repository = self.hub.repositories.get(repo_id)
        if repository is not None and (not repository.private or self.token in repository.tokens):
            return repository
        # The real hub does not tell strangers whether a repository exists.
        self._refuse(401 if self.token is None else 404, "RepoNotFound", "Repository not found")
        return None

    def _refuse(self, status: int, code: str, message: str, **headers: str) -> None:
        body = json.dumps({"error": message}).encode()
        self.answer(status, body, X_Error_Code=code, X_Error_Message=message, **headers)

    def _commit_of(self, repository: LoopbackRepository, revision: str) -> str | None:
        commit = repository.resolve(revision)
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _resolve(self, repository: LoopbackRepository, groups: dict[str, str]) -> None:
        commit = self._commit_of(repository, groups["revision"])
        if commit is None:
            return
        if repository.gated and self.token not in repository.tokens:
            message = f"Access to model {repository.repo_id} is restricted."
            self._refuse(401 if self.token is None else 403, "GatedRepo", message)
            return
        name = groups["file"]
        data = repository.commits[commit].get(name)
        if data is None:
            self._refuse(404, "EntryNotFound", "Entry not found", X_Repo_Commit=commit)
            return
        if not repository.is_lfs(name, data):
            self.answer_file(data, ETag=f'"{git_blob_id(data)}"', X_Repo_Commit=commit)
            return
        oid = hashlib.sha256(data).hexdigest()
        linked = {"X_Linked_Etag": f'"{oid}"', "X_Linked_Size": str(len(data)), "X_Repo_Commit": commit}
        if self.hub.large_files == "direct":
            self.answer_file(data, ETag=f'"{oid}"', **linked)
            return
        self.hub.objects[oid] = data
        self.answer(302, Location=f"{self.hub.cdn}/lfs/{oid}?signature=once", **linked)

    def _api_get(self, repository: LoopbackRepository, groups: dict[str, str]) -> None:
        revision = groups["rest"] or "main"
        if groups["verb"] == "tree":
            revision = revision.split("/")[0]
        commit = self._commit_of(repository, revision)
        if commit is None:
            return
        entries = [
            {"path": name, "type": "file", "size": len(data), "oid": git_blob_id(data)}
            for name, data in sorted(repository.commits[commit].items())
        ]
        if groups["verb"] == "tree":
            self.answer_json(entries)
            return
        sizes = "blobs" in parse_qs(urlsplit(self.path).query)
        siblings = [
            {"rfilename": e["path"]} | ({"size": e["size"], "blobId": e["oid"]} if sizes else {})
            for e in entries
        ]
        answer = {
            "id": repository.repo_id,
            "modelId": repository.repo_id,
            "sha": commit,
            "private": repository.private,
            "gated": "manual" if repository.gated else False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
        }
        self.answer_json(answer if self.hub.hide_listing else answer | {"siblings": siblings})

    def _create(self) -> None:
        wanted = json.loads(self.body)
        repo_id = "/".join(filter(None, [wanted.get("organization"), wanted["name"]]))
        answer = {"url": f"{self.hub.endpoint}/{repo_id}", "name": repo_id}
        if self.token is None:
            self._refuse(401, "", "Invalid username or password.")
        elif repo_id in self.hub.repositories:
            self.answer_json(answer | {"error": "You already created this model repo"}, status=409)
        else:
            private = bool(wanted.get("private") or wanted.get("visibility") == "private")
            self.hub.repository(repo_id, {".gitattributes": ""}, private=private, tokens=[self.token])
            self.answer_json(answer)

    def _api_post(self, repository: LoopbackRepository, groups: dict[str, str]) -> None:
        if self.token is None:
            self._refuse(401, "", "Invalid username or password.")
            return
        if repository.tokens and self.token not in repository.tokens:
            self._refuse(403, "", "Forbidden: you do not have write access")
            return
        if groups["verb"] == "branch":
            known = groups["rest"] in repository.refs
            if not known:
                repository.refs[groups["rest"]] = repository.head
            self.answer_json({}, status=409 if known else 200)
        elif groups["verb"] == "preupload":
            files = [
                {
                    "path": entry["path"],
                    "uploadMode": "lfs" if entry["path"].endswith(LFS_SUFFIXES) else "regular",
                    "shouldIgnore": False,
                }
                for entry in json.loads(self.body)["files"]
            ]
            self.answer_json({"files": files})
        else:
            self._commit(repository, groups["rest"])

    def _commit(self, repository: LoopbackRepository, branch: str) -> None:
        lines = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        files: dict[str, Content] = {}
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
        proposal = "create_pr" in parse_qs(urlsplit(self.path).query)
        if proposal:
            branch = f"refs/pr/{1 + sum(ref.startswith('refs/pr/') for ref in repository.refs)}"
        elif self._commit_of(repository, branch) is None:
            return
        commit = repository.commit(files, branch=branch)
        page = f"{self.hub.endpoint}/{repository.repo_id}"
        answer = {"success": True, "commitOid": commit, "commitUrl": f"{page}/commit/{commit}"}
        self.answer_json(
            answer | ({"pullRequestUrl": f"{page}/discussions/{branch[8:]}"} if proposal else {})
        )

    def _lfs_batch(self, repository: LoopbackRepository, groups: dict[str, str]) -> None:
        objects = [
            {
                "oid": entry["oid"],
                "size": entry["size"],
                "actions": {"upload": {"href": f"{self.hub.cdn}/lfs/{entry['oid']}"}},
            }
            for entry in json.loads(self.body)["objects"]
        ]
        self.answer_json({"transfer": "basic", "objects": objects})
