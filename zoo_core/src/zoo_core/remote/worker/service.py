"""The worker's side of the protocol: lock down, then answer one request after the other."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final

from zoo_core.remote.lockdown.plan import Plan, lock_down
from zoo_core.remote.wire.frames import REPLY_LIMIT, FrameReader, ProtocolError, pack, write_all

DESCRIPTORS: Final = ("requests", "replies", "log", "inbox", "outbox", "weights")
"""What a worker is started with: two pipes of frames, one for its output, and three memfds: tensors in
(read-only), tensors out, and the weights (read-only)."""

Operation = Callable[[dict[str, Any]], dict[str, Any]]


def serve(descriptors: dict[str, int]) -> int:
    """Read the plan, give everything else up, and answer requests until the program closes the pipe."""
    reader = FrameReader(descriptors["requests"])
    first = reader.read()
    if first is None:
        return 0
    replies = descriptors["replies"]
    try:
        import torch

        torch.manual_seed(first["seed"])
        lock_down(Plan.from_json(first["plan"]))
    except BaseException as error:
        write_all(replies, pack({"id": 0, "error": _described(error)}, limit=REPLY_LIMIT))
        return 71
    torch.set_num_threads(first["threads"])
    from zoo_core.remote.worker.operations import Operations

    operations = Operations(descriptors, first["sizes"])
    write_all(replies, pack({"id": 0, "ok": {}}, limit=REPLY_LIMIT))
    while (request := reader.read()) is not None:
        write_all(replies, _answer(operations, request))
    return 0


def _answer(operations: Any, request: dict[str, Any]) -> bytes:
    number = request["id"]
    try:
        return pack({"id": number, "ok": operations.run(request)}, limit=REPLY_LIMIT)
    except ProtocolError as error:
        return pack({"id": number, "error": _described(error)}, limit=REPLY_LIMIT)
    except SystemExit as error:
        return pack({"id": number, "error": ["SystemExit", str(error)[:2000], ""]}, limit=REPLY_LIMIT)
    except BaseException as error:
        return pack({"id": number, "error": _described(error)}, limit=REPLY_LIMIT)


def _described(error: BaseException) -> list[str]:
    """An exception as class name, message and traceback of the code that failed."""
    try:
        text = "".join(traceback.format_exception(error))[-20_000:]
    except Exception:  # A hostile __str__; the worker must answer all the same.
        text = ""
    try:
        message = str(error)[:4000]
    except Exception:
        message = ""
    return [type(error).__name__, message, text]
