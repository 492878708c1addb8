"""The only place that talks to huggingface_hub: two requests, and its exceptions turned into ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zoo_core
from zoo_core import errors
from zoo_core.errors import (
    FileNotInRepository,
    GatedRepository,
    HubError,
    HubUnreachable,
    OfflineError,
    RepositoryNotFound,
    RevisionNotFound,
    ZooError,
)
from zoo_core.hub.names import COMMIT

LIBRARY: dict[str, Any] = {"library_name": "zoo-core", "library_version": zoo_core.__version__}
TIMEOUT = 10.0
_HTTP_LIBRARIES = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3"}
_OUTAGE_STATUSES = {408, 429}


@dataclass(frozen=True)
class CommitInfo:
    """What a revision is at this moment: its commit, and the commit's files where the hub lists them."""

    commit: str
    files: dict[str, int | None] | None


@dataclass(frozen=True, kw_only=True)
class Client:
    """Requests about one repository."""

    endpoint: str
    repo_id: str
    repo_type: str
    cache_dir: str | None = None
    token: str | bool | None = field(default=None, repr=False)
    proxies: Mapping[str, str] | None = field(default=None, repr=False)

    def commit_info(self, revision: str) -> CommitInfo:
        """One request: the commit of ``revision`` and its list of files."""
        if self.proxies:
            answer = self._through_proxy("commit_info", revision=revision)
            return CommitInfo(**answer)
        with self.translating(revision=revision):
            from huggingface_hub import HfApi

            info = HfApi(endpoint=self.endpoint, token=self.token, **LIBRARY).repo_info(
                self.repo_id,
                revision=revision,
                repo_type=self.repo_type,
                files_metadata=True,
                timeout=TIMEOUT,
            )
        if not isinstance(info.sha, str) or COMMIT.fullmatch(info.sha) is None:
            raise HubError(
                f"{self.endpoint} gave no usable commit for {self.repo_id} at {revision!r}: {info.sha!r}."
            )
        files = {sibling.rfilename: sibling.size for sibling in getattr(info, "siblings", None) or ()}
        return CommitInfo(info.sha, files or None)

    def download(self, name: str, *, commit: str, force: bool = False) -> Path:
        """The file in the cache, fetched unless it is there; FileNotInRepository when the commit has none."""
        if self.proxies:
            return Path(self._through_proxy("download", name=name, commit=commit, force=force))
        with self.translating(revision=commit, name=name):
            from huggingface_hub import hf_hub_download

            path = hf_hub_download(
                self.repo_id,
                name,
                repo_type=self.repo_type,
                revision=commit,
                cache_dir=self.cache_dir,
                force_download=force,
                token=self.token,
                endpoint=self.endpoint,
                **LIBRARY,
            )
        return Path(path)

    def _through_proxy(self, method: str, **arguments: Any) -> Any:
        from zoo_core.hub.proxied import call

        assert self.proxies is not None
        settings = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "proxies"}
        return call(settings, self.proxies, method, arguments)

    @contextmanager
    def translating(self, *, revision: str, name: str | None = None) -> Iterator[None]:
        """Raises our errors, chained, in place of the client's; programming errors pass."""
        try:
            yield
        except Exception as error:
            ours = self._translate(error, revision, name)
            if ours is None:
                raise
            raise ours from error

    def _translate(self, error: Exception, revision: str, name: str | None) -> HubError | None:
        from huggingface_hub import errors as client

        what = f"{name!r} of {self.repo_id!r}" if name else f"repository {self.repo_id!r}"
        wrapped = isinstance(error, client.LocalEntryNotFoundError) or type(error) in (
            ValueError,
            RuntimeError,
        )
        if wrapped and isinstance(error.__cause__, Exception):
            return self._translate(error.__cause__, revision, name)
        if isinstance(error, client.LocalTokenNotFoundError):
            return HubError(
                "token=True asks for the stored token and none is stored: run `hf auth login`, "
                "or pass token='hf_...'."
            )
        if isinstance(error, client.OfflineModeIsEnabled | client.LocalEntryNotFoundError):
            return OfflineError(
                f"Offline mode forbids asking for {what}: unset HF_HUB_OFFLINE to allow requests."
            )
        if isinstance(error, client.GatedRepoError):
            return GatedRepository(
                f"Repository {self.repo_id!r} is gated and {self._credentials()}: accept its terms at "
                f"{self.endpoint}/{self.repo_id}, then pass token='hf_...' or run `hf auth login`."
            )
        if isinstance(error, client.RepositoryNotFoundError):
            return RepositoryNotFound(
                f"There is no {self.repo_type} repository {self.repo_id!r} at {self.endpoint}, or it is "
                f"private and {self._credentials()}. Check the spelling; for a private one pass "
                "token='hf_...' or run `hf auth login`; for a local folder pass an existing path."
            )
        if isinstance(error, client.RevisionNotFoundError):
            return RevisionNotFound(
                f"Repository {self.repo_id!r} exists, but it has no branch, tag or commit {revision!r}."
            )
        if isinstance(error, client.EntryNotFoundError):
            return FileNotInRepository(f"Repository {self.repo_id!r} has no file {name!r} at {revision}.")
        if isinstance(error, client.HfHubHTTPError):
            return self._of_status(error.response.status_code, what)
        return self._of_failure(error, what)

    def _of_status(self, status: int, what: str) -> HubError:
        if status >= 500 or status in _OUTAGE_STATUSES:
            return HubUnreachable(
                f"{self.endpoint} answered {status} when asked for {what}. The id may well be right: "
                "try again later."
            )
        if status in (401, 403):
            return HubError(
                f"{self.endpoint} refused access to {what} with {status}, and {self._credentials()}."
            )
        return HubError(
            f"{self.endpoint} answered {status} when asked for {what}. Is it a hub (HF_ENDPOINT)?"
        )

    def _of_failure(self, error: Exception, what: str) -> HubError | None:
        seen = self._without_token(f"{type(error).__name__}: {error}")
        modules = {base.__module__.partition(".")[0] for base in type(error).__mro__}
        if modules & _HTTP_LIBRARIES and not isinstance(error, ValueError):
            return HubUnreachable(
                f"{self.endpoint} could not be reached when asked for {what} ({seen}). The id may well be "
                "right: check the connection, the proxy and HF_ENDPOINT."
            )
        if isinstance(error, OSError | ValueError | KeyError | TypeError):
            # A full disk, a download cut short, a login page where JSON was due.
            return HubError(f"The exchange of {what} with {self.endpoint} failed ({seen}).")
        return None

    def _credentials(self) -> str:
        return "no token was sent" if self._token_text() is None else "the token that was sent has no access"

    def _token_text(self) -> str | None:
        if isinstance(self.token, str):
            return self.token
        if self.token is False:
            return None
        from huggingface_hub import get_token

        return get_token()

    def _without_token(self, text: str) -> str:
        token = self._token_text()
        return text.replace(token, "<token>") if token else text


def error_named(name: str, message: str) -> Exception:
    """The error that a child process reported by class name."""
    kind = getattr(errors, name, HubError)
    return kind(message) if isinstance(kind, type) and issubclass(kind, ZooError) else HubError(message)
