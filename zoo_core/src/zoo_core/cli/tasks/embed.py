"""Texts, pictures and sounds as vectors."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli.tasks.base import Answer, Task, kind_of, picture_of, text_of
from zoo_core.errors import ProcessingError
from zoo_core.hub import Repository

if TYPE_CHECKING:
    from torch import Tensor

    from zoo_core.cli.terminal import Terminal

POOLINGS = ("mean", "first", "last", "pooler")
_SENTENCE_POOLING = "1_Pooling/config.json"
_SENTENCE_KEYS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
}


class Embed(Task):
    """One vector for each input, of length 1 unless ``--raw``."""

    auto_classes = ("AutoModel",)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--pooling", choices=POOLINGS, help="how states become one vector; the checkpoint's own, or mean"
        )
        parser.add_argument("--raw", action="store_true", help="as it comes, not of length 1")

    def prepare(self) -> None:
        self.readers: dict[str, Any] = {}
        self.pooling = self.arguments.pooling or self._own_pooling() or "mean"

    def _own_pooling(self) -> str | None:
        """What the checkpoint of a sentence encoder says (https://arxiv.org/abs/1908.10084)."""
        repository = Repository(self.arguments.model)
        if repository.find(_SENTENCE_POOLING) is None:
            return None
        said = repository.read_json(_SENTENCE_POOLING)
        return next((name for key, name in _SENTENCE_KEYS.items() if said.get(key) is True), None)

    def answer(self, item: str) -> Answer:
        kind = kind_of(item)
        vector = getattr(self, f"of_{kind}")(item)[0].float()
        if not self.arguments.raw:
            vector = vector / vector.norm().clamp(min=1e-12)
        return {"kind": kind, "size": vector.numel(), "vector": vector.tolist()}

    def of_text(self, item: str) -> Tensor:
        """(1, size) of a text."""
        inputs = self.reader("AutoTokenizer")(text_of(item), truncation=True, return_tensors="pt")
        return self.vector(inputs, "get_text_features")

    def of_picture(self, item: str) -> Tensor:
        """(1, size) of a picture."""
        inputs = self.reader("AutoImageProcessor")(picture_of(item), return_tensors="pt")
        return self.vector(inputs, "get_image_features")

    def of_sound(self, item: str) -> Tensor:
        """(1, size) of a sound."""
        inputs = self.reader("AutoFeatureExtractor")([item], resample=True, return_tensors="pt")
        return self.vector(inputs, "get_audio_features")

    def reader(self, auto_class: str) -> Any:
        """A preprocessor, loaded when the first input of its kind comes."""
        if auto_class not in self.readers:
            self.readers[auto_class] = self.part(auto_class)
        return self.readers[auto_class]

    def vector(self, inputs: Any, own: str) -> Tensor:
        """A model of several kinds has one vector for each; others pool their states."""
        placed = self.placed(inputs)
        if hasattr(self.model, own):
            found: Tensor = getattr(self.model, own)(**placed)
            return found
        encoder = self.model.get_encoder() if self.config.is_encoder_decoder else self.model
        out = encoder(**placed)
        states = out.last_hidden_state
        if self.pooling == "pooler":
            if out.get("pooler_output") is None:
                raise ProcessingError(
                    f"{type(self.model).__name__} has no pooler: use --pooling {' or '.join(POOLINGS[:3])}"
                )
            pooled: Tensor = out.pooler_output.flatten(1)
            return pooled
        if states.ndim == 4:  # maps (1, channels, height, width)
            states = states.flatten(2).transpose(1, 2)
        mask = placed.get("attention_mask")
        if mask is not None and mask.shape == states.shape[:2]:
            states = states[mask.bool()][None]
        vectors: dict[str, Tensor] = {"mean": states.mean(1), "first": states[:, 0], "last": states[:, -1]}
        return vectors[self.pooling]

    def show(self, answer: Answer, terminal: Terminal) -> None:
        start = ", ".join(f"{value:.6f}" for value in answer["vector"][:6])
        terminal.line(f"  {answer['size']} numbers of a {answer['kind']}: {start}, ...")
