"""What the process environment says about the hub.

The client reads its variables once, at import; here a variable set later counts too, so that a test or a
notebook cell need not come before every import.
"""

from __future__ import annotations

import os
from pathlib import Path

_TRUE = {"1", "ON", "YES", "TRUE"}


def endpoint() -> str:
    from huggingface_hub import constants

    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


def cache_folder(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    if cache_dir is None:
        from huggingface_hub import constants

        cache_dir = os.environ.get("HF_HUB_CACHE") or constants.HF_HUB_CACHE
    return Path(cache_dir).expanduser()


def offline() -> bool:
    from huggingface_hub import constants

    asked = (os.environ.get(name, "") for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))
    return bool(constants.HF_HUB_OFFLINE) or any(value.upper() in _TRUE for value in asked)
