"""A file given by its URL."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

from zoo_core.errors import FileNotInRepository, HubError, HubUnreachable, OfflineError
from zoo_core.hub import environment
from zoo_core.hub.json_files import MAX_JSON_BYTES
from zoo_core.hub.options import HubOptions

_HUB_FILE = re.compile(r"/([^/]+(?:/[^/]+)??)/(?:resolve|blob|raw)/([^/]+)/(.+)")
_TIMEOUT = 10.0


def hub_file(url: str) -> tuple[str, str, str] | None:
    """(repository id, revision, file name) when ``url`` is a file page or download of the hub in use."""
    endpoint = environment.endpoint()
    if not url.startswith(f"{endpoint}/"):
        return None
    match = _HUB_FILE.fullmatch(unquote(urlsplit(url[len(endpoint) :]).path))
    return None if match is None else (match[1], match[2], match[3])


def fetch(url: str, options: HubOptions) -> Path:
    """Downloads one configuration or vocabulary file from anywhere, without any token.

    At most 64 MiB. Kept in the cache, where ``local_files_only`` and offline mode find it again.
    """
    name = Path(unquote(urlsplit(url).path)).name or "file"
    digest = hashlib.sha256(url.encode()).hexdigest()[:32]
    target = environment.cache_folder(options.cache_dir) / ".zoo-urls" / digest / name
    if options.local_files_only or environment.offline():
        if target.is_file():
            return target
        raise OfflineError(f"{url} was never downloaded into {target.parent}, and no request may be made.")
    data = _get(url, options)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{name}.partial")
    partial.write_bytes(data)
    partial.replace(target)
    return target


def _get(url: str, options: HubOptions) -> bytes:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()]
    proxies = None if options.proxies is None else dict(options.proxies)
    opener = urllib.request.OpenerDirector()
    for handler in (
        *handlers,
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    try:
        with opener.open(url, timeout=_TIMEOUT) as response:
            data: bytes = response.read(MAX_JSON_BYTES + 1)
    except urllib.error.HTTPError as error:
        if error.code in (404, 410):
            raise FileNotInRepository(
                f"There is no file at {url}: the server answered {error.code}."
            ) from error
        raise HubUnreachable(f"{url} could not be fetched: the server answered {error.code}.") from error
    except OSError as error:
        raise HubUnreachable(f"{url} could not be fetched ({error}).") from error
    if len(data) > MAX_JSON_BYTES:
        raise HubError(
            f"{url} is larger than {MAX_JSON_BYTES:,} bytes, the limit for a file given by its URL."
        )
    return data
