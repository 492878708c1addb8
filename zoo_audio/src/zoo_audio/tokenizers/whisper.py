"""Whisper: byte-level BPE with languages, tasks and timestamps (Radford et al., 2022)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

from zoo_audio.tokenizers.whisper_languages import LANGUAGES, language_code
from zoo_core.errors import TokenizerError
from zoo_core.tokenization.decoding import id_list
from zoo_core.tokenization.families import ByteLevelTokenizer
from zoo_core.tokenization.templates import Template

TASKS = ("translate", "transcribe")
TIME_PRECISION = 0.02
"""Seconds between two timestamps."""
_TIMESTAMP = re.compile(r"<\|(\d+\.\d+)\|>")


class WhisperTokenizer(ByteLevelTokenizer):
    """Whisper's tokenizer.

    language, task, predict_timestamps: what the tokens in front of a text say; given or set later by
    ``set_prefix_tokens``. Without them tokenizer.json decides.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<|endoftext|>",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"language": None, "task": None, "predict_timestamps": False}

    language: str | None
    task: str | None
    predict_timestamps: bool

    def _current_template(self) -> Template:
        before = "".join(f'"{token}" ' for token in self._prefix())
        return f"{before}$A eos", f"{before}$A $B:1 eos:1"

    def _prefix(self) -> list[str]:
        tokens = ["<|startoftranscript|>"]
        if self.language is not None:
            tokens.append(f"<|{language_code(self.language)}|>")
        if self.task is not None:
            if self.task not in TASKS:
                raise TokenizerError(f"task is one of {', '.join(TASKS)}, not {self.task!r}.")
            tokens.append(f"<|{self.task}|>")
        if not self.predict_timestamps:
            tokens.append("<|notimestamps|>")
        ids = self._backend.tokenizer.token_to_id
        return [token if ids(token) is not None else str(self.unk_token) for token in tokens]

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        super()._apply_settings(explicit)
        if any(explicit.get(name) for name in ("language", "task", "predict_timestamps")):
            self._set_template()

    @property
    def prefix_tokens(self) -> list[int]:
        """Ids of the tokens that language, task and timestamps put in front of a text."""
        return [self.convert_tokens_to_ids(token) for token in self._prefix()]

    def set_prefix_tokens(
        self, language: str | None = None, task: str | None = None, predict_timestamps: bool | None = None
    ) -> None:
        """Change what stands in front of texts; None leaves a setting as it is."""
        before = (self.language, self.task, self.predict_timestamps)
        self.language = self.language if language is None else language
        self.task = self.task if task is None else task
        self.predict_timestamps = before[2] if predict_timestamps is None else predict_timestamps
        try:
            self._set_template()
        except TokenizerError:
            self.language, self.task, self.predict_timestamps = before
            raise

    def get_decoder_prompt_ids(
        self, task: str | None = None, language: str | None = None, no_timestamps: bool = True
    ) -> list[tuple[int, int]]:
        """``(position, id)`` pairs that force generation to begin with this language and task."""
        self.set_prefix_tokens(task=task, language=language, predict_timestamps=not no_timestamps)
        return list(enumerate(self.prefix_tokens))[1:]

    def get_prompt_ids(self, text: str, return_tensors: str | None = "np") -> Any:
        """Ids of a prompt before the transcript. Raises TokenizerError for special tokens in it."""
        encoded = self(f"<|startofprev|> {text.strip()}", add_special_tokens=False)
        first = self.convert_tokens_to_ids("<|startofprev|>")
        special = set(self.all_special_ids)
        for index in encoded["input_ids"][1:]:
            if index in special:
                raise TokenizerError(f"A prompt is plain text; {self.convert_ids_to_tokens(index)!r} is not.")
        if encoded["input_ids"][0] != first:
            raise TokenizerError("This vocabulary has no <|startofprev|>, so it takes no prompts.")
        encoded.convert_to_tensors(return_tensors)
        return encoded["input_ids"]

    # Ids to text

    def timestamp_ids(self, time_precision: float = TIME_PRECISION) -> list[int]:
        """Ids of the 1,501 timestamps from 0 to 30 seconds."""
        return [self.convert_tokens_to_ids(f"<|{step * time_precision:.2f}|>") for step in range(1501)]

    @property
    def _timestamp_begin(self) -> int:
        found = self._backend.tokenizer.token_to_id("<|notimestamps|>")
        return len(self) if found is None else int(found) + 1

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_offsets: bool = False,
        time_precision: float = TIME_PRECISION,
        decode_with_timestamps: bool = False,
        basic_normalize: bool = False,
        remove_diacritics: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Ids as text, timestamps left out unless ``decode_with_timestamps``.

        output_offsets: a dict of ``text`` and ``offsets``, a list of ``{"text", "timestamp": (from, to)}`` in
        seconds. basic_normalize: lower case without punctuation, for scoring.
        """
        ids = id_list(token_ids)
        kept = self._without_prompt(ids) if skip_special_tokens else ids
        begin = self._timestamp_begin
        if decode_with_timestamps:
            text = self._decode_with_timestamps(kept, skip_special_tokens, time_precision)
        else:
            plain = [index for index in kept if index < begin]
            text = super().decode(plain, skip_special_tokens, clean_up_tokenization_spaces, **kwargs)
        if basic_normalize:
            text = self.basic_normalize(text, remove_diacritics=remove_diacritics)
        if output_offsets:
            return {"text": text, "offsets": self._offsets(ids, time_precision)}
        return text

    def _without_prompt(self, ids: list[int]) -> list[int]:
        """The ids from the start of the transcript on, where a prompt comes before it."""
        prompt, start = map(self._backend.tokenizer.token_to_id, ("<|startofprev|>", "<|startoftranscript|>"))
        if not ids or prompt is None or ids[0] != prompt:
            return ids
        return ids[ids.index(start) :] if start in ids else []

    def _decode_with_timestamps(self, ids: list[int], skip_special_tokens: bool, precision: float) -> str:
        begin = self._timestamp_begin
        parts: list[str] = []
        run: list[int] = []
        last, past = 0.0, 0.0
        for index in [*ids, None]:
            if index is not None and index < begin:
                run.append(index)
                continue
            if run:
                parts.append(super().decode(run, skip_special_tokens))
                run = []
            if index is not None:
                moment = (index - begin) * precision
                if moment < last:  # the next window of a long recording
                    past += last
                last = moment
                parts.append(f"<|{moment + past:.2f}|>")
        return "".join(parts)

    def _offsets(self, ids: list[int], precision: float) -> list[dict[str, Any]]:
        """The stretches between two timestamps that follow each other at their ends."""
        begin = self._timestamp_begin
        segments: list[dict[str, Any]] = []
        start: int | None = None
        run: list[int] = []
        for index in ids:
            if index < begin:
                run.append(index)
                continue
            if start is not None and run:
                text = super().decode(run, skip_special_tokens=True)
                span = ((start - begin) * precision, (index - begin) * precision)
                segments.append({"text": text, "timestamp": span})
                start = None
            else:
                start = index
            run = []
        return segments

    @staticmethod
    def basic_normalize(text: str, remove_diacritics: bool = False) -> str:
        """Lower case, no brackets and their contents, punctuation as blanks."""
        text = re.sub(r"[<\[][^>\]]*[>\]]", "", text.lower())
        text = re.sub(r"\(([^)]+?)\)", "", text)
        form = "NFKD" if remove_diacritics else "NFKC"
        signs = []
        for char in unicodedata.normalize(form, text):
            kind = unicodedata.category(char)
            if remove_diacritics and kind == "Mn":
                continue
            signs.append(" " if kind[0] in "MSP" else char)
        return re.sub(r"\s+", " ", "".join(signs).lower())


__all__ = ["LANGUAGES", "TASKS", "TIME_PRECISION", "WhisperTokenizer"]
