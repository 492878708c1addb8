"""Work on the items of a batch on all cores, in order, with errors that name the item."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from zoo_core.errors import ProcessingError

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Cores that this process may use; one inside a worker process, whose siblings use the others."""
    if multiprocessing.parent_process() is not None:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_items(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None, what: str = "image"
) -> list[Result]:
    """``[work(item) for item in items]`` on ``threads`` threads (all cores when None).

    Pillow and numpy release the interpreter lock in their inner loops, so threads scale; each item is
    worked on alone, so the result does not depend on their number.

    Raises:
        ProcessingError: ``work`` failed on an item; the message begins with its index.
    """
    todo = list(enumerate(items))

    def guarded(numbered: tuple[int, Item]) -> Result:
        index, item = numbered
        try:
            return work(item)
        except ProcessingError as error:
            raise ProcessingError(f"{what} {index}: {error}") from error
        except (MemoryError, OverflowError) as error:
            raise ProcessingError(f"{what} {index}: too large for memory ({error})") from error

    workers = min(len(todo), threads or available_cores())
    if workers < 2:
        return [guarded(numbered) for numbered in todo]
    with ThreadPoolExecutor(workers, thread_name_prefix="zoo-image") as pool:
        return list(pool.map(guarded, todo))


def split(values: Sequence[Item], counts: Sequence[int]) -> list[list[Item]]:
    """``values`` cut into consecutive lists of the given lengths."""
    parts, start = [], 0
    for count in counts:
        parts.append(list(values[start : start + count]))
        start += count
    return parts
