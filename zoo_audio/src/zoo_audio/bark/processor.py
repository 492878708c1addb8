"""Processor of Bark: text for the first step, and the voice that all three steps continue."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.hub import HubOptions, Repository
from zoo_core.processing import BatchFeature, ProcessorMixin

#: what a voice holds, and the dimensions of each array
VOICE = {"semantic_prompt": 1, "coarse_prompt": 2, "fine_prompt": 2}
PRESETS_FILE = "speaker_embeddings_path.json"


class BarkProcessor(ProcessorMixin):
    """A tokenizer and voices.

    Args:
        speaker_embeddings: name of each voice to the files of its arrays, as `from_pretrained` reads them;
            `repo_or_path` says where the files are.
    """

    attributes = ("tokenizer",)

    def __init__(
        self, *components: Any, speaker_embeddings: Mapping[str, Any] | None = None, **values: Any
    ) -> None:
        super().__init__(*components, **values)
        self.speaker_embeddings = dict(speaker_embeddings or {})
        self._repository: Repository | None = None

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in super().to_dict().items() if name != "speaker_embeddings"}

    @property
    def available_voice_presets(self) -> list[str]:
        """Names that `voice_preset` takes."""
        return [name for name in self.speaker_embeddings if name != "repo_or_path"]

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        speaker_embeddings_dict_path: str | None = PRESETS_FILE,
        **kwargs: Any,
    ) -> Any:
        """As `ProcessorMixin.from_pretrained`; `speaker_embeddings_dict_path` lists the voices."""
        options = HubOptions.pop_from(dict(kwargs))
        repository = Repository(pretrained_model_name_or_path, options=options)
        found = super().from_pretrained(pretrained_model_name_or_path, **kwargs)
        made = found[0] if isinstance(found, tuple) else found
        made.speaker_embeddings, made._repository = {}, repository
        if speaker_embeddings_dict_path and repository.find(speaker_embeddings_dict_path) is not None:
            made.speaker_embeddings = repository.read_json(speaker_embeddings_dict_path)
            # The files are those of the repository that was asked for, whatever its list says.
            made.speaker_embeddings["repo_or_path"] = str(pretrained_model_name_or_path)
        return found

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        speaker_embeddings_dict_path: str = PRESETS_FILE,
        speaker_embeddings_directory: str = "speaker_embeddings",
        *,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> list[str]:
        """Write the tokenizer, and every voice as .npy files with a list of them."""
        folder = Path(save_directory)
        written = super().save_pretrained(folder)
        listed: dict[str, Any] = {"repo_or_path": str(save_directory)}
        for name in self.available_voice_presets:
            files = {}
            for part, array in self.load_voice_preset(name).items():
                files[part] = f"{speaker_embeddings_directory}/{name}_{part}.npy"
                path = folder / files[part]
                if not path.resolve().is_relative_to(folder.resolve()):
                    raise ProcessingError(f"the voice {name!r} would be written outside of {folder}")
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, array, allow_pickle=False)
                written.append(str(path))
            listed[name] = files
        if len(listed) > 1:
            path = folder / speaker_embeddings_dict_path
            path.write_text(json.dumps(listed), encoding="utf-8")
            written.append(str(path))
        if push_to_hub:
            self.push_to_hub(kwargs.pop("repo_id", folder.name), **kwargs)
        return written

    def load_voice_preset(self, name: str) -> dict[str, Any]:
        """The arrays of a voice in `available_voice_presets`.

        Raises:
            ProcessingError: the list lacks the voice or a part of it, or a file holds no such array.
        """
        files = self.speaker_embeddings.get(name)
        if not isinstance(files, Mapping):
            known = ", ".join(self.available_voice_presets[:8]) or "none"
            raise ProcessingError(f"there is no voice {name!r}; known ones begin: {known}")
        if missing := [part for part in VOICE if not isinstance(files.get(part), str)]:
            raise ProcessingError(f"the voice {name!r} is listed without a file of {', '.join(missing)}")
        where = self._repository or Repository(self.speaker_embeddings.get("repo_or_path", ""))
        paths = where.paths([files[part] for part in VOICE])
        return checked({part: loaded(path) for part, path in zip(VOICE, paths, strict=True)}, name)

    def __call__(  # type: ignore[override]
        self,
        text: Any = None,
        voice_preset: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        return_tensors: Any = "pt",
        max_length: int = 256,
        add_special_tokens: bool = False,
        return_attention_mask: bool = True,
        return_token_type_ids: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Ids (batch, max_length) of `text`, and a voice as `history_prompt`.

        Args:
            voice_preset: a name in `available_voice_presets`, the path of an .npz file, or the arrays
                `semantic_prompt` (tokens,), `coarse_prompt` and `fine_prompt` (codebooks, frames).
            **kwargs: of the tokenizer.
        """
        batch = self.tokenizer(
            text,
            return_tensors=return_tensors,
            padding="max_length",
            max_length=max_length,
            return_attention_mask=return_attention_mask,
            return_token_type_ids=return_token_type_ids,
            add_special_tokens=add_special_tokens,
            **kwargs,
        )
        if voice_preset is not None:
            batch["history_prompt"] = BatchFeature(self.voice(voice_preset), tensor_type=return_tensors)
        return batch

    def voice(self, given: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
        """The arrays that `voice_preset` of a call means."""
        if isinstance(given, Mapping):
            return checked(given, "voice_preset")
        name = os.fspath(given)
        if name in self.available_voice_presets:
            return self.load_voice_preset(name)
        path = Path(name if name.endswith(".npz") else f"{name}.npz")
        if not path.is_file():
            known = ", ".join(self.available_voice_presets[:8]) or "none"
            raise ProcessingError(
                f"there is neither a voice {name!r} nor a file {path}; known voices begin: {known}"
            )
        return checked(loaded(path), name)


def loaded(path: Path) -> Any:
    """The array of an .npy file, or the arrays of an .npz file by name; nothing is unpickled."""
    try:
        found = np.load(path, allow_pickle=False)
        return found if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ProcessingError(f"{path} holds no arrays that can be read: {error}") from error


def checked(voice: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The three arrays of a voice.

    Raises:
        ProcessingError: one is missing, is not of whole numbers, or has other dimensions.
    """
    found = {}
    for part, dimensions in VOICE.items():
        if part not in voice:
            raise ProcessingError(
                f"the voice {name!r} lacks {part}; it holds {', '.join(voice) or 'nothing'}"
            )
        array = voice[part]
        if not hasattr(array, "shape"):
            array = np.asarray(array)
        if len(array.shape) != dimensions or "int" not in str(array.dtype):
            raise ProcessingError(
                f"{part} of the voice {name!r} is {tuple(array.shape)} of {array.dtype}; expected "
                f"{dimensions} dimension{'s' * (dimensions > 1)} of whole numbers"
            )
        found[part] = array
    return found
