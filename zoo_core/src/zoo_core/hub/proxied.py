"""Requests through a proxy that this load alone shall use.

The client takes proxies from the environment only, which belongs to the whole process. So the request is
made by a child process with an environment of its own; nothing of it is visible here, and other threads keep
theirs. The token travels on standard input, never on the command line.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zoo_core.errors import HubError, ZooError

_METHODS = ("commit_info", "download")


def proxy_environment(proxies: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """The variables that make a process use ``proxies``, in place of any that are set now.

    Keys are "http", "https", "all", or the scheme and host of the endpoint; another host's proxy cannot be
    told to the client and raises HubError.
    """
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    target = urlsplit(endpoint)
    own = (f"{target.scheme}://{target.hostname}", f"{target.scheme}://{target.netloc}")
    for key in sorted(proxies, key=lambda key: key.rstrip("/") in own):  # the endpoint's own key wins
        scheme = target.scheme if key.rstrip("/") in own else key
        if scheme not in ("http", "https", "all"):
            raise HubError(
                f"proxies names {key!r}: only 'http', 'https', 'all' and {own[0]!r}, the endpoint itself, "
                "can be passed on to the hub client."
            )
        address = proxies[key] if "://" in proxies[key] else f"http://{proxies[key]}"
        environment[f"{scheme}_proxy"] = environment[f"{scheme.upper()}_PROXY"] = address
    return environment


def call(
    settings: Mapping[str, Any], proxies: Mapping[str, str], method: str, arguments: Mapping[str, Any]
) -> Any:
    """``Client(**settings).method(**arguments)`` in a child process that uses ``proxies``."""
    environment = proxy_environment(proxies, settings["endpoint"])
    task = json.dumps({"settings": dict(settings), "method": method, "arguments": dict(arguments)})
    child = subprocess.run(
        [sys.executable, "-P", "-m", "zoo_core.hub.proxied"],
        input=task.encode(),
        stdout=subprocess.PIPE,
        env=environment,
        check=False,
    )
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        raise HubError(
            f"The process that was to ask {settings['endpoint']} through a proxy ended with "
            f"{child.returncode} and no answer. Instead of passing proxies, set HTTPS_PROXY."
        ) from None
    if "error" in answer:
        from zoo_core.hub.client import error_named

        raise error_named(answer["error"], answer["message"])
    return answer["value"]


def main() -> None:
    from zoo_core.hub.client import Client

    task = json.loads(sys.stdin.buffer.read())
    if task["method"] not in _METHODS:
        raise ValueError(f"no such request: {task['method']!r}")
    try:
        value = getattr(Client(**task["settings"]), task["method"])(**task["arguments"])
    except ZooError as error:
        answer: dict[str, Any] = {"error": type(error).__name__, "message": str(error)}
    else:
        answer = {"value": str(value) if isinstance(value, Path) else dataclasses.asdict(value)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
