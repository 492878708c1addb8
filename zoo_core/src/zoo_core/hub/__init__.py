"""Repository files: local folders, single files, and the hub through its own client and cache."""

from __future__ import annotations

from zoo_core.hub.json_files import MAX_JSON_BYTES, read_json_file
from zoo_core.hub.options import HubOptions
from zoo_core.hub.repository import Repository
from zoo_core.hub.upload import upload

__all__ = ["MAX_JSON_BYTES", "HubOptions", "Repository", "read_json_file", "upload"]
