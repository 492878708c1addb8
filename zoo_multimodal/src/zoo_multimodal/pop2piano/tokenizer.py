"""Notes as tokens: times, velocities and pitches (Pop2Piano, https://arxiv.org/abs/2211.00895)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo_core.errors import MissingDependency, ProcessingError, TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.pipelines import read_vocab
from zoo_core.tokenization.python import VocabularyTokenizer

if TYPE_CHECKING:
    import numpy as np

_STEPS = 4  # of a bar
_SPECIAL, _NOTE, _VELOCITY, _TIME = "TOKEN_SPECIAL", "TOKEN_NOTE", "TOKEN_VELOCITY", "TOKEN_TIME"
_MASKS = ("attention_mask", "attention_mask_beatsteps", "attention_mask_extrapolated_beatstep")


def _pretty_midi() -> Any:
    try:
        import pretty_midi  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise MissingDependency(
            "notes as MIDI need pretty_midi: pip install 'zoo-multimodal[music]'"
        ) from error
    return pretty_midi


def _array(values: Any) -> np.ndarray:
    import numpy as np

    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


class Pop2PianoTokenizer(VocabularyTokenizer):
    """Notes to tokens "60_TOKEN_NOTE", "1_TOKEN_VELOCITY", "3_TOKEN_TIME", and tokens to notes.

    A note is (onset, offset, pitch, velocity), times in steps. default_velocity: of notes that are decoded.
    num_bars: bars in each row of tokens.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab": "vocab.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "2",
        "eos_token": "1",
        "unk_token": "-1",
        "pad_token": "0",
    }
    settings: ClassVar[Mapping[str, Any]] = {"default_velocity": 77, "num_bars": 2}
    model_input_names: Sequence[str] = ("token_ids", "attention_mask")

    default_velocity: int
    num_bars: int

    def __init__(self, vocab: str | Path | None = None, **kwargs: Any) -> None:
        if vocab is None:
            raise TokenizerError("Pop2PianoTokenizer needs vocab.json.")
        super().__init__(read_vocab(Path(vocab)), **kwargs)

    def _convert_id_to_token(self, index: int) -> list[Any]:  # type: ignore[override]
        """The kind and the number of an id: ["TOKEN_NOTE", 60]; of no id ["TOKEN_TIME", -1]."""
        number, _, kind = self._names.get(index, f"{self.unk_token}_{_TIME}").partition("_")
        return [kind, int(number)]

    def _convert_token_to_id(self, token: Any, token_type: str = _TIME) -> int:
        """The id of a number of a kind; -1 where there is none."""
        return self.encoder.get(f"{token}_{token_type}", int(str(self.unk_token)))

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """Notes are no text: this raises TokenizerError."""
        raise TokenizerError("Pop2Piano's tokens are notes: use batch_decode(ids, feature_extractor_output).")

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab": json.dumps(self.encoder)})

    # Notes to ids

    def _ids_of(self, notes: Any) -> list[int]:
        """Ids of one song: at each time what begins and what ends, in the order of the notes."""
        import numpy as np

        rows = [_row(note) for note in notes] if len(notes) else []
        table = np.asarray(rows, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != 4 or not np.isfinite(table).all():
            raise TokenizerError(
                "notes are rows (onset, offset, pitch, velocity), or objects with start, end, pitch and "
                f"velocity; got an array of shape {table.shape}"
            )
        events = []
        for onset, offset, pitch, velocity in table.round().astype(int).tolist():
            events += [(onset, pitch, int(velocity > 0)), (offset, pitch, 0)]
        events.sort(key=lambda event: event[0])
        ids: list[int] = []
        now, loud = None, 0
        for time, pitch, velocity in events:
            if time != now:
                now = time
                ids.append(self._convert_token_to_id(time, _TIME))
            if velocity != loud:
                loud = velocity
                ids.append(self._convert_token_to_id(velocity, _VELOCITY))
            ids.append(self._convert_token_to_id(pitch, _NOTE))
        return ids

    def __call__(  # type: ignore[override]
        self,
        notes: Any,
        padding: Any = False,
        truncation: Any = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: Any = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """`token_ids` and `attention_mask` of the notes of one song, or of a list of songs.

        Args:
            notes: an array (notes, 4) or (songs, notes, 4), or lists of pretty_midi.Note.
            padding, truncation, max_length, pad_to_multiple_of, return_attention_mask, return_tensors: as
                of tokenizers of text.
        """
        single = not _is_batch(notes)
        limit = self.model_max_length if max_length is None else max_length
        cut = truncation not in (None, False, "do_not_truncate")
        rows = [self._ids_of(song)[: limit if cut else None] for song in ([notes] if single else notes)]
        asked = True if return_attention_mask is None else return_attention_mask
        masks = {"attention_mask": [[1] * len(row) for row in rows]} if asked else {}
        found = self.pad(
            {"token_ids": rows, **masks},
            padding=padding,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            return_attention_mask=asked,
        )
        data = {name: values[0] if single else values for name, values in found.items()}
        return BatchEncoding(data, tensor_type=return_tensors)

    def encode_plus(self, notes: Any, **kwargs: Any) -> BatchEncoding:  # type: ignore[override]
        """As a call, without a mask unless asked for."""
        return self(notes, **{"return_attention_mask": False, **kwargs})

    def batch_encode_plus(self, notes: Any, **kwargs: Any) -> BatchEncoding:  # type: ignore[override]
        """As a call with several songs, without a mask unless asked for."""
        return self(notes, **{"return_attention_mask": False, **kwargs})

    # Ids to notes

    def relative_tokens_ids_to_notes(
        self, tokens: Any, start_idx: float, cutoff_time_idx: float | None = None
    ) -> np.ndarray:
        """Notes (notes, 4) of ids (length,), by onset; times are steps from `start_idx` on.

        A pitch that sounds ends where it stands again, and begins anew unless the velocity is 0. What still
        sounds at the end, or after `cutoff_time_idx`, ends there.
        """
        import numpy as np

        now, loud, found = int(start_idx), 0, []
        begun: dict[int, int] = {}
        for kind, number in map(self._convert_id_to_token, _array(tokens).tolist()):
            if kind == _SPECIAL and number == 1:
                break
            if kind == _TIME:
                now += number
                now = now if cutoff_time_idx is None else min(now, int(cutoff_time_idx))
            elif kind == _VELOCITY:
                loud = number
            elif kind == _NOTE:
                if number not in begun:
                    begun[number] = now
                elif begun[number] < now:
                    found.append((begun.pop(number), now, number))
                    if loud:
                        begun[number] = now
        end = now if cutoff_time_idx is None else int(cutoff_time_idx)
        found += [(onset, max(onset + 1, end), pitch) for pitch, onset in sorted(begun.items())]
        rows = [(onset, offset, pitch, self.default_velocity) for onset, offset, pitch in found]
        rows.sort(key=lambda row: row[0])
        return np.asarray(rows, dtype=np.int64).reshape(-1, 4)

    def relative_batch_tokens_ids_to_notes(
        self, tokens: Any, beat_offset_idx: int, bars_per_batch: int, cutoff_time_idx: int
    ) -> np.ndarray:
        """Notes (notes, 4) of rows of ids (rows, length), each `bars_per_batch` bars after the one before."""
        import numpy as np

        starts = (beat_offset_idx + place * bars_per_batch * _STEPS for place in range(len(tokens)))
        notes = [
            self.relative_tokens_ids_to_notes(row, start, start + cutoff_time_idx)
            for row, start in zip(_array(tokens), starts, strict=True)
        ]
        return np.concatenate(notes) if notes else np.zeros((0, 4), dtype=np.int64)

    def notes_to_midi(self, notes: Any, beatstep: Any, offset_sec: float = 0.0) -> Any:
        """A pretty_midi.PrettyMIDI with one piano.

        Args:
            notes: (notes, 4). beatstep: (steps,), the time of each step in seconds.
            offset_sec: what is taken from all times.

        Raises:
            ProcessingError: a note at a step that has no time.
        """
        pretty_midi = _pretty_midi()
        times, table = _array(beatstep), _array(notes).reshape(-1, 4)
        if len(table) and int(table[:, :2].max()) >= len(times):
            raise ProcessingError(
                f"a note is at step {int(table[:, :2].max())}, and beatstep has {len(times)} steps"
            )
        midi = pretty_midi.PrettyMIDI(resolution=384, initial_tempo=120.0)
        piano = pretty_midi.Instrument(program=0)
        piano.notes = [
            pretty_midi.Note(
                velocity=velocity,
                pitch=pitch,
                start=float(times[onset]) - offset_sec,
                end=float(times[offset]) - offset_sec,
            )
            for onset, offset, pitch, velocity in table.tolist()
        ]
        midi.instruments.append(piano)
        midi.remove_invalid_notes()
        return midi

    def relative_batch_tokens_ids_to_midi(
        self,
        tokens: Any,
        beatstep: Any,
        beat_offset_idx: int = 0,
        bars_per_batch: int = 2,
        cutoff_time_idx: int = 12,
    ) -> Any:
        """A pretty_midi.PrettyMIDI of rows of ids; see `relative_batch_tokens_ids_to_notes`."""
        notes = self.relative_batch_tokens_ids_to_notes(
            tokens, beat_offset_idx or 0, bars_per_batch, cutoff_time_idx
        )
        return self.notes_to_midi(notes, beatstep, float(_array(beatstep)[beat_offset_idx or 0]))

    def batch_decode(  # type: ignore[override]
        self, token_ids: Any, feature_extractor_output: Mapping[str, Any], return_midi: bool = True
    ) -> BatchEncoding:
        """`notes` of all songs, and with `return_midi` `pretty_midi_objects`, one for each song.

        Args:
            token_ids: (segments, length) that `generate` returned.
            feature_extractor_output: what Pop2PianoFeatureExtractor returned, with masks for several songs.

        Raises:
            ProcessingError: numbers that do not fit one another, or several songs without masks.
            MissingDependency: pretty_midi is not installed.
        """
        midis = [
            self._song(rows, steps, further)
            for rows, steps, further in self._songs(_array(token_ids), feature_extractor_output)
        ]
        found: dict[str, Any] = {"notes": [note for midi in midis for note in midi.instruments[0].notes]}
        if return_midi:
            found["pretty_midi_objects"] = midis
        return BatchEncoding(found)

    def _song(self, rows: np.ndarray, steps: np.ndarray, further: np.ndarray) -> Any:
        """One song as MIDI, from the time of its first beat on."""
        cutoff = (self.num_bars + 1) * _STEPS
        midi = self.relative_batch_tokens_ids_to_midi(
            rows, further, bars_per_batch=self.num_bars, cutoff_time_idx=cutoff
        )
        for note in midi.instruments[0].notes:
            note.start += float(steps[0])
            note.end += float(steps[0])
        return midi

    def _songs(
        self, ids: np.ndarray, output: Mapping[str, Any]
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Of each song the rows of ids, its steps and the steps that go on beyond them."""
        steps, further = _array(output["beatsteps"]), _array(output["extrapolated_beatstep"])
        missing = [name for name in _MASKS if name not in output]
        if missing:
            if len(steps) > 1 or len(further) > 1:
                raise ProcessingError(f"several songs need {', '.join(missing)}; they are missing")
            return [(self._closed(ids), steps[0], further[0])]
        mask, of_steps, of_further = (_array(output[name]) for name in _MASKS)
        if len(mask) != len(ids):
            raise ProcessingError(f"attention_mask is of {len(mask)} segments, token_ids of {len(ids)}")
        ends = [place for place, kept in enumerate(mask[:, 0]) if not kept]
        if not len(ends) == len(steps) == len(further):
            raise ProcessingError(
                f"attention_mask parts {len(ends)} songs, beatsteps are of {len(steps)} and "
                f"extrapolated_beatstep of {len(further)}"
            )
        songs = []
        for place, (start, end) in enumerate(zip([0, *(one + 1 for one in ends)], ends, strict=False)):
            rows = self._closed(ids[start:end])
            songs.append((rows, steps[place][of_steps[place] == 1], further[place][of_further[place] == 1]))
        return songs

    def _closed(self, rows: np.ndarray) -> np.ndarray:
        """Rows without what is behind the last end of any."""
        closed = (rows == int(str(self.eos_token))).any(0).nonzero()[0]
        return rows[:, : int(closed[-1]) + 1] if len(closed) else rows


def _row(note: Any) -> Any:
    return (note.start, note.end, note.pitch, note.velocity) if hasattr(note, "pitch") else note


def _is_batch(notes: Any) -> bool:
    """Whether these are the notes of several songs."""
    if not len(notes):
        raise TokenizerError("there are no notes: the list is empty")
    first = notes[0]
    if hasattr(first, "pitch"):
        return False
    return not len(first) or hasattr(first[0], "pitch") or hasattr(first[0], "__len__")
