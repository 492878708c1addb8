"""One class of a repository whose code was authorised: its files, where it is, and how it is sent."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo_core.remote.automap import CodeReference
from zoo_core.remote.sources import SourceBundle


@dataclass(frozen=True, slots=True)
class RemoteCode:
    """The files that were read and authorised, and the class in them that is meant."""

    bundle: SourceBundle
    reference: CodeReference

    @property
    def package(self) -> str:
        """The private name under which the files are imported: one for each repository and revision."""
        name = f"{self.bundle.repo}@{self.bundle.revision}"
        return f"r{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    @property
    def origin(self) -> str:
        """What tracebacks call it."""
        return f"{self.bundle.repo}@{self.bundle.revision[:12]}"

    @property
    def where(self) -> list[str]:
        """Package, file and class, as a worker is told."""
        return [self.package, self.reference.filename, self.reference.class_name]

    @property
    def sources(self) -> Mapping[str, bytes]:
        """The bytes of each file."""
        return {name: file.data for name, file in self.bundle.files.items()}

    def request(self) -> dict[str, Any]:
        """The fields of the request that gives a worker these very bytes."""
        files = {name: base64.b64encode(data).decode() for name, data in self.sources.items()}
        return {"package": self.package, "files": files, "origin": self.origin}
