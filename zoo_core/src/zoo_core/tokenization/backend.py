"""Immutable views of one ``tokenizers.Tokenizer``, so that no call changes what threads share."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.options import CallOptions
from zoo_core.tokenization.templates import Frame, frame

_MAX_VIEWS = 8
MAX_TOKENIZER_BYTES = 1 << 29


def read_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer that a tokenizer.json describes. Raises TokenizerError for anything else."""
    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise TokenizerError(f"{path} cannot be read: {error}") from error
    if size > MAX_TOKENIZER_BYTES:
        raise TokenizerError(
            f"{path} has {size:,} bytes; a tokenizer.json has at most {MAX_TOKENIZER_BYTES:,}."
        )
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise TokenizerError(f"{path} is not a tokenizer.json that tokenizers can read: {error}") from error
    except BaseException as error:
        raise or_reraise(error, f"{path} is not a tokenizer.json: {error}") from error


def or_reraise(error: BaseException, message: str) -> BaseException:
    """A Rust panic is a BaseException of its own; everything else of that kind must pass."""
    return TokenizerError(message) if type(error).__name__ == "PanicException" else error


def stable_json(tokenizer: Tokenizer) -> str:
    """The text of tokenizer.json, such that loading and saving it again changes no byte.

    The library's reader can miss the last digit of a Unigram score: what is written is what it reads back.
    """
    text = str(tokenizer.to_str(pretty=True))
    for _ in range(4 if type(tokenizer.model).__name__ == "Unigram" else 0):
        again = str(Tokenizer.from_str(text).to_str(pretty=True))
        if again == text:
            break
        text = again
    return text


class Backend:
    """A tokenizer and its views: same model and pipeline, each with its own truncation.

    The tokenizer itself is left without truncation and padding; views are built once per setting and never
    changed. Building one copies the added tokens alone: the model is shared.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.truncation: dict[str, Any] | None = tokenizer.truncation
        self.padding: dict[str, Any] | None = tokenizer.padding
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.exposed = False
        self.variants: dict[str, dict[str, Any]] = {}
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[Any, Tokenizer] = {}
        self._frames: dict[bool, Frame] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {
            key: value for key, value in self.__dict__.items() if key not in ("_lock", "_views", "_frames")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._reset()

    def changed(self) -> None:
        """Forget the views: the tokenizer has new tokens or a new pipeline."""
        with self._lock:
            self._views = {}
            self._frames = {}

    def set_variant(self, name: str, **parts: Any) -> None:
        """Name another form of the pipeline, with some of its parts (``normalizer``, …) replaced."""
        self.variants[name] = parts
        self.changed()

    def view(self, options: CallOptions, side: str, variant: str | None = None) -> Tokenizer:
        """A tokenizer for one call's settings, safe in any thread; ``set_variant`` names ``variant``."""
        cut = (options.max_length, options.stride, options.truncation, side) if options.truncates else None
        key = (cut, options.split_special_tokens, variant)
        if key == (None, False, None) and not self.exposed:
            return self.tokenizer
        found = self._views.get(key)
        if found is None or self.exposed:
            found = self._build(cut, options.split_special_tokens, variant)
            with self._lock:
                while len(self._views) >= _MAX_VIEWS:
                    del self._views[next(iter(self._views))]
                self._views[key] = found
        return found

    def _build(self, cut: Any, split_special_tokens: bool, variant: str | None) -> Tokenizer:
        view = self.copy()
        for part, value in self.variants[variant].items() if variant else ():
            setattr(view, part, value)
        view.encode_special_tokens = split_special_tokens
        if cut is not None:
            length, stride, strategy, side = cut
            try:
                view.enable_truncation(length, stride=stride, strategy=strategy, direction=side)
            except BaseException as error:
                raise or_reraise(error, f"Truncation to {length} tokens: {error}") from error
        return view

    def copy(self) -> Tokenizer:
        """A tokenizer of the same model, pipeline and added tokens."""
        base = self.tokenizer
        view = Tokenizer(base.model)
        for part in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
            if (value := getattr(base, part)) is not None:
                setattr(view, part, value)
        added = base.get_added_tokens_decoder()
        view.add_tokens([added[index] for index in sorted(added)])
        if view.get_vocab_size() != base.get_vocab_size():
            view = Tokenizer.from_str(base.to_str())
            view.no_truncation()
            view.no_padding()
        return view

    def for_saving(self) -> Tokenizer:
        """The tokenizer as its file described it, truncation and padding included."""
        if self.truncation is None and self.padding is None:
            return self.tokenizer
        view = self.copy()
        if self.truncation is not None:
            view.enable_truncation(**self.truncation)
        if self.padding is not None:
            view.enable_padding(**self.padding)
        return view

    def frame(self, pair: bool) -> Frame:
        """The special tokens that the post-processor puts around one text or two."""
        if pair not in self._frames or self.exposed:
            self._frames[pair] = _probe(self.tokenizer.post_processor, pair)
        return self._frames[pair]


def _probe(post_processor: Any, pair: bool) -> Frame:
    """What ``post_processor`` adds, seen by letting it process texts of one token each."""
    texts = [_one_token(segment) for segment in range(1 + pair)]
    if post_processor is None:
        return frame([(index, 0, index) for index in range(1 + pair)])
    done = post_processor.process(*texts, add_special_tokens=True)
    return frame(list(zip(done.sequence_ids, done.ids, done.type_ids, strict=True)))


def _one_token(segment: int) -> Encoding:
    from tokenizers.models import WordLevel

    # The token starts and ends in a letter: byte-level processors trim blanks from offsets.
    probe = Tokenizer(WordLevel({"x": 0}, unk_token="x"))
    encoding = probe.encode("x", "x") if segment else probe.encode("x")
    if segment:
        encoding.truncate(1, direction="left")
    return encoding
