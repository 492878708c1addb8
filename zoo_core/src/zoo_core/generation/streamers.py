"""Handing out text while it is generated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from queue import Queue
from typing import Any

from torch import Tensor


class BaseStreamer:
    """`generate` calls `put` with the prompt (rows, length), then with each step's tokens, then `end`."""

    def put(self, value: Tensor) -> None:
        """Take tokens."""
        raise NotImplementedError

    def end(self) -> None:
        """Take note that no more follow."""
        raise NotImplementedError


class TextStreamer(BaseStreamer):
    """Writes text to standard output as soon as its words are complete; one row at a time.

    Args:
        skip_prompt: leave out the prompt. decode_kwargs: for the tokenizer's decode.
    """

    def __init__(self, tokenizer: Any, skip_prompt: bool = False, **decode_kwargs: Any) -> None:
        self.tokenizer, self.skip_prompt, self.decode_kwargs = tokenizer, skip_prompt, decode_kwargs
        self.tokens: list[int] = []
        self.written = 0  # characters of the tokens' text that have been handed out
        self.at_prompt = True

    def put(self, value: Tensor) -> None:
        if value.dim() > 1 and value.shape[0] > 1:
            raise ValueError(f"{type(self).__name__} streams one row; this batch has {value.shape[0]}")
        if self.at_prompt:
            self.at_prompt = False
            if self.skip_prompt:
                return
        self.tokens.extend(value.flatten().tolist())
        text = self._text()
        if text.endswith("\n"):  # a line is finished: forget its tokens
            self._hand_out(text)
            self.tokens, self.written = [], 0
        else:
            self._hand_out(text[: _settled(text)])

    def end(self) -> None:
        text = self._text()
        rest = text[self.written :]
        self.tokens, self.written, self.at_prompt = [], 0, True
        self.on_finalized_text(rest, stream_end=True)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Called with each piece of text that later tokens cannot change."""
        print(text, flush=True, end="\n" if stream_end else "")  # noqa: T201 - what it is for

    def _text(self) -> str:
        return self.tokenizer.decode(self.tokens, **self.decode_kwargs) if self.tokens else ""

    def _hand_out(self, text: str) -> None:
        new = text[self.written :]
        if new:
            self.written = len(text)
            self.on_finalized_text(new)


def _settled(text: str) -> int:
    """Characters of `text` that later tokens cannot change: whole words, and ideographs."""
    if text and _is_ideograph(text[-1]):
        return len(text)
    return text.rfind(" ") + 1


def _is_ideograph(character: str) -> bool:
    code = ord(character)
    ranges = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F))
    return any(first <= code <= last for first, last in ranges)


class TextIteratorStreamer(TextStreamer):
    """An iterator over pieces of text, for a thread other than that of `generate`.

    Args:
        timeout: seconds to wait for the next piece; queue.Empty is raised after it.
    """

    def __init__(
        self, tokenizer: Any, skip_prompt: bool = False, timeout: float | None = None, **decode_kwargs: Any
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: Queue[str | None] = Queue()
        self.timeout = timeout

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        self.text_queue.put(text)
        if stream_end:
            self.text_queue.put(None)

    def __iter__(self) -> Iterator[str]:
        while (text := self.text_queue.get(timeout=self.timeout)) is not None:
            yield text


class AsyncTextIteratorStreamer(TextStreamer):
    """An asynchronous iterator over pieces of text; create it inside the running event loop."""

    def __init__(
        self, tokenizer: Any, skip_prompt: bool = False, timeout: float | None = None, **decode_kwargs: Any
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: asyncio.Queue[str | None] = asyncio.Queue()
        self.timeout = timeout
        self.loop = asyncio.get_running_loop()

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        self.loop.call_soon_threadsafe(self.text_queue.put_nowait, text)
        if stream_end:
            self.loop.call_soon_threadsafe(self.text_queue.put_nowait, None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            text = await asyncio.wait_for(self.text_queue.get(), self.timeout)
            if text is None:
                return
            yield text
