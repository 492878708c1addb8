"""The download keywords that every ``from_pretrained`` documents, gathered once."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from typing import Any

from zoo_core.hub.names import check_revision, relative_path

REPOSITORY_TYPES = ("model", "dataset", "space")


@dataclass(frozen=True, kw_only=True)
class HubOptions:
    """How the files of one load are had.

    cache_dir: folder of the download cache; the client's own (``HF_HUB_CACHE``) when None.
    force_download: fetch every file again, once per load.
    local_files_only: make no request at all.
    proxies: proxy by scheme (``{"https": "host:3128"}``), for this load alone.
    revision: branch, tag or commit.
    token: a token, True for the stored one (required), False for none, None for the stored one if any.
    subfolder: folder inside the repository that file names are relative to.
    repo_type: "model", "dataset" or "space".

    Neither the token nor the proxies are shown by ``repr``.
    """

    cache_dir: str | os.PathLike[str] | None = None
    force_download: bool = False
    local_files_only: bool = False
    proxies: Mapping[str, str] | None = field(default=None, repr=False, hash=False)
    revision: str = "main"
    token: str | bool | None = field(default=None, repr=False)
    subfolder: str = ""
    repo_type: str = "model"

    def __post_init__(self) -> None:
        if self.force_download and self.local_files_only:
            raise ValueError(
                "force_download=True needs requests and local_files_only=True forbids them: pass one"
            )
        if not isinstance(self.token, str | bool | None):
            raise TypeError(f"token must be a str, bool or None, not {type(self.token).__name__}")
        if self.repo_type not in REPOSITORY_TYPES:
            raise ValueError(f"repo_type={self.repo_type!r} is none of {', '.join(REPOSITORY_TYPES)}")
        check_revision(self.revision)
        relative_path(self.subfolder, what="subfolder")

    @classmethod
    def pop_from(cls, kwargs: MutableMapping[str, Any]) -> HubOptions:
        """Takes the download keywords out of ``kwargs``; the deprecated ones with a FutureWarning.

        A keyword given as None means its default, as in the signatures these keywords come from.
        """
        found = {f.name: kwargs.pop(f.name) for f in fields(cls) if f.name in kwargs}
        if kwargs.pop("resume_download", None) is not None:
            _deprecated("resume_download has no effect: downloads always resume where they can")
        old_token = kwargs.pop("use_auth_token", None)
        if old_token is not None:
            _deprecated("use_auth_token is deprecated: pass the same value as token")
            if found.get("token") is not None:
                raise ValueError("token and its older name use_auth_token were both given: pass token alone")
            found["token"] = old_token
        return cls(**{name: value for name, value in found.items() if value is not None})


def _deprecated(message: str) -> None:
    warnings.warn(message, FutureWarning, stacklevel=4)
