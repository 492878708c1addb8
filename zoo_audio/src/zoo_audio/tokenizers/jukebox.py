"""Jukebox's labels: an artist, genres and lyrics as one row of numbers for each prior."""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.pipelines import read_vocab
from zoo_core.tokenization.python import PreTrainedTokenizer

_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + ".,:;!?-+'\"()[] \t\n"
#: the letters of the lyrics that priors of version "v2" read, whatever lyrics.json says
_V2_LYRICS = {"<unk>": 0, **{letter: index for index, letter in enumerate(_ALPHABET, start=1)}}
_PLAIN_NAME = frozenset(string.ascii_letters + string.digits + ".")


def _plain_name(text: str) -> str:
    """`text` in lower case, one underscore for any run of what is no letter, digit or dot."""
    kept = "".join(letter if letter in _PLAIN_NAME else "_" for letter in text.lower())
    return re.sub("_+", "_", kept).strip("_")


class JukeboxTokenizer(PreTrainedTokenizer):
    """An artist, genres and lyrics as labels (Dhariwal et al., 2020).

    version: for each prior, how its artists and genres are spelt: "v3" in lower case, one genre; "v2" with
    underscores and ".v2", the genres joined by underscores. The first also decides the letters of the lyrics,
    which only the first prior reads. n_genres: room for genres in a row.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "artists_file": "artists.json",
        "genres_file": "genres.json",
        "lyrics_file": "lyrics.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {"unk_token": "<|endoftext|>"}
    settings: ClassVar[Mapping[str, Any]] = {
        "version": ["v3", "v2", "v2"],
        "max_n_lyric_tokens": 512,
        "n_genres": 5,
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    version: list[str]
    max_n_lyric_tokens: int
    n_genres: int

    def __init__(
        self,
        artists_file: str | Path | None = None,
        genres_file: str | Path | None = None,
        lyrics_file: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        if artists_file is None or genres_file is None or lyrics_file is None:
            raise TokenizerError("JukeboxTokenizer needs artists.json, genres.json and lyrics.json.")
        self.artists_encoder = read_vocab(Path(artists_file))
        self.genres_encoder = read_vocab(Path(genres_file))
        self.lyrics_encoder = read_vocab(Path(lyrics_file))
        super().__init__(**kwargs)
        if not self.version or set(self.version) - {"v2", "v3"}:
            raise TokenizerError(f'version lists "v2" or "v3" for each prior, not {self.version!r}.')

    @property
    def vocab_size(self) -> int:
        return len(self.artists_encoder) + len(self.genres_encoder) + len(self.lyrics_encoder)

    def get_vocab(self) -> dict[str, Any]:
        """The three vocabularies, by name."""
        return {
            "artists_encoder": self.artists_encoder,
            "genres_encoder": self.genres_encoder,
            "lyrics_encoder": self.lyrics_encoder,
        }

    def _spell(self, version: str, artist: str, genres: str) -> tuple[str, list[str]]:
        if version == "v3":
            return artist.lower(), [genres.lower()]
        return f"{_plain_name(artist)}.v2", [f"{_plain_name(genre)}.v2" for genre in genres.split("_")]

    def _letters(self, lyrics: str) -> list[int]:
        """Lyrics as ids: accents off, other letters than those of English texts left out."""
        bare = [c for c in unicodedata.normalize("NFD", lyrics) if unicodedata.category(c) != "Mn"]
        old = self.version[0] == "v2"
        encoder = _V2_LYRICS if old else self.lyrics_encoder
        known = _ALPHABET.replace("+", "") if old else _ALPHABET
        text = "".join(c for c in "".join(bare).replace("\\", "\n") if c in known)
        return [encoder.get(letter, encoder.get("<unk>", 0)) for letter in text]

    def __call__(  # type: ignore[override]
        self, artist: str, genres: str, lyrics: str = "", return_tensors: str | None = "pt"
    ) -> BatchEncoding:
        """`input_ids`: for each prior a row (1, 4 + n_genres + lyrics): total length, offset and length, all

        0 until a model sets them, the artist, the genres (-1 where none), for the first prior the lyrics.
        """
        for name, value in (("artist", artist), ("genres", genres), ("lyrics", lyrics)):
            if not isinstance(value, str):
                raise TokenizerError(
                    f"JukeboxTokenizer takes one song: {name} is a string, not {value!r:.80}."
                )
        rows = []
        for index, version in enumerate(self.version):
            name, styles = self._spell(version, artist, genres)
            if len(styles) > self.n_genres:
                raise TokenizerError(
                    f"{genres!r} names {len(styles)} genres; these priors have room for {self.n_genres}."
                )
            ids = [self.genres_encoder.get(style, 0) for style in styles]
            ids += [-1] * (self.n_genres - len(ids))
            letters = [] if index else self._letters(lyrics)
            rows.append([0, 0, 0, self.artists_encoder.get(name, 0), *ids, *letters])
        tensors = [BatchEncoding({"row": [row]}, tensor_type=return_tensors)["row"] for row in rows]
        return BatchEncoding({"input_ids": tensors, "attention_masks": []})

    def _convert_id_to_token(  # type: ignore[override]
        self, artists_index: int, genres_index: Sequence[int] = (), lyric_index: Sequence[int] = ()
    ) -> tuple[str | None, list[str | None], list[str | None]]:
        """The artist, the genres and the letters of a row's ids."""
        encoders = (self.artists_encoder, self.genres_encoder, self.lyrics_encoder)
        artists, genres, letters = ({index: name for name, index in e.items()} for e in encoders)
        return artists.get(artists_index), [*map(genres.get, genres_index)], [*map(letters.get, lyric_index)]

    def convert_lyric_tokens_to_string(self, lyrics: list[str]) -> str:
        return " ".join(lyrics)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        texts = {
            f"{name.removesuffix('_encoder')}_file": json.dumps(encoder, ensure_ascii=False) + "\n"
            for name, encoder in self.get_vocab().items()
        }
        return self._write_vocabulary(save_directory, filename_prefix, texts)
