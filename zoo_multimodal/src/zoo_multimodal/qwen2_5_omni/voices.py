"""The voices of a checkpoint: spk_dict.pt, read as tensors and numbers alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo_core.checkpoint.pickles import load_plain
from zoo_core.errors import CheckpointError
from zoo_core.generation import GenerationMixin

if TYPE_CHECKING:
    from zoo_core.hub import Repository

FILE = "spk_dict.pt"


class VoicesFile(GenerationMixin):
    """A model whose folder holds voices by name: `cond` (1, enc_emb_dim), `ref_mel`, `bos_token`."""

    voices: dict[str, dict[str, Any]]

    @property
    def speaker_map(self) -> dict[str, dict[str, Any]]:
        """The voices, under another name."""
        return self.voices

    def load_speakers(self, path: str | Path) -> None:
        """Add the voices of a file.

        Raises:
            CheckpointError: it holds something else. UnsafeCheckpoint: loading it would run code.
        """
        for name, voice in load_plain(Path(path)).items():
            parts = voice if isinstance(voice, Mapping) else {}
            if not all(isinstance(parts.get(part), Tensor) for part in ("cond", "ref_mel")):
                raise CheckpointError(f"the voice {name!r} in {path} lacks a tensor, cond or ref_mel")
            if not isinstance(parts.get("bos_token"), int):
                raise CheckpointError(f"the voice {name!r} in {path} lacks a bos_token")
            self.voices[str(name)] = dict(parts)

    def read_generation_config(self, repository: Repository) -> None:
        super().read_generation_config(repository)
        path = repository.find(FILE) if self.config.enable_audio_output else None
        if path is not None:
            self.load_speakers(path)

    def write_generation_config(self, folder: Path) -> None:
        super().write_generation_config(folder)
        if self.voices:
            torch.save(self.voices, folder / FILE)
