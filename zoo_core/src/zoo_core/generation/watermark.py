"""Watermarks by a keyed hash of the tokens before (https://arxiv.org/abs/2301.10226), and their detection."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.logits.base import LogitsProcessor
from zoo_core.modeling.outputs import ModelOutput

_TABLE_SIZE = 1_000_003
_SEEDS = 2**64 - 1


@dataclass
class WatermarkingConfig:
    """How a text is marked.

    greenlist_ratio: share of the vocabulary that is preferred after a token. bias: added to its scores.
    hashing_key: the secret. seeding_scheme: "lefthash", from the last token, or "selfhash", from the
    candidate too. context_width: tokens that the hash reads.
    """

    greenlist_ratio: float = 0.25
    bias: float = 2.0
    hashing_key: int = 15485863
    seeding_scheme: str = "lefthash"
    context_width: int = 1

    def __post_init__(self) -> None:
        if self.seeding_scheme not in ("lefthash", "selfhash"):
            raise GenerationError(f"seeding_scheme={self.seeding_scheme!r} must be 'lefthash' or 'selfhash'")
        if not 0 <= self.greenlist_ratio <= 1:
            raise GenerationError(f"greenlist_ratio={self.greenlist_ratio} must lie between 0 and 1")
        if not isinstance(self.context_width, int) or self.context_width < 1:
            raise GenerationError(f"context_width={self.context_width!r} must be a whole number from 1 up")

    @classmethod
    def of(cls, value: WatermarkingConfig | dict[str, Any]) -> WatermarkingConfig:
        """`value`, made from a dictionary where it is one."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise GenerationError(
                f"watermarking_config is a {type(value).__name__}; pass a WatermarkingConfig"
            )
        unknown = [name for name in value if name not in cls.__dataclass_fields__]
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            raise GenerationError(f"watermarking_config has no field {unknown[0]!r}; it has {known}")
        return cls(**value)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data."""
        return asdict(self)

    def processor(self, vocab_size: int) -> WatermarkLogitsProcessor:
        """What marks generated text."""
        return WatermarkLogitsProcessor(vocab_size, **self.to_dict())


class WatermarkLogitsProcessor(LogitsProcessor):
    """Adds `bias` to the tokens of the green list that the tokens before name."""

    def __init__(
        self,
        vocab_size: int,
        device: Any = "cpu",
        greenlist_ratio: float = 0.25,
        bias: float = 2.0,
        hashing_key: int = 15485863,
        seeding_scheme: str = "lefthash",
        context_width: int = 1,
    ) -> None:
        self.config = WatermarkingConfig(greenlist_ratio, bias, hashing_key, seeding_scheme, context_width)
        self.vocab_size = vocab_size
        self.generator = torch.Generator()
        self.generator.manual_seed(hashing_key)
        self.table = torch.randperm(_TABLE_SIZE, generator=self.generator)

    def green(self, context: Tensor) -> Tensor:
        """Ids of the green list after context (tokens,)."""
        context = context.cpu()[-self.config.context_width :]
        key = self.config.hashing_key
        if self.config.seeding_scheme == "selfhash":
            own = self.table[context % _TABLE_SIZE] + 1
            last = self.table[context[-1] % _TABLE_SIZE] + 1
            seed = int((key * own * last).min())
        else:
            seed = key * int(context[-1])
        self.generator.manual_seed(seed % _SEEDS)
        size = int(self.vocab_size * self.config.greenlist_ratio)
        return torch.randperm(self.vocab_size, generator=self.generator)[:size]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        width = self.config.context_width
        if input_ids.shape[1] < width:
            return scores
        marked = scores.clone()
        for row, ids in enumerate(input_ids[:, -width:].tolist()):
            context = torch.tensor(ids)
            if self.config.seeding_scheme == "lefthash":
                marked[row, self.green(context).to(scores.device)] += self.config.bias
                continue
            best = scores[row].topk(min(40, self.vocab_size)).indices.tolist()
            chosen = [t for t in best if t in self.green(torch.cat((context, torch.tensor([t]))))]
            marked[row, chosen] += self.config.bias
        return marked


class WatermarkDetectorOutput(ModelOutput):
    """Of each row: tokens scored, green ones, their share, z-score, p-value, verdict and confidence."""

    num_tokens_scored: Tensor
    num_green_tokens: Tensor
    green_fraction: Tensor
    z_score: Tensor
    p_value: Tensor
    prediction: Tensor | None = None
    confidence: Tensor | None = None


class WatermarkDetector:
    """Tells marked text from other text by its share of green tokens.

    Args:
        model_config: of the model that wrote; gives the vocabulary and the bos token.
        watermarking_config: how it marked. ignore_repeated_ngrams: count each context once.
    """

    def __init__(
        self,
        model_config: Any,
        device: Any = "cpu",
        watermarking_config: WatermarkingConfig | dict[str, Any] | None = None,
        ignore_repeated_ngrams: bool = False,
        max_cache_size: int = 128,
    ) -> None:
        text = model_config.get_text_config(decoder=True)
        self.config = WatermarkingConfig.of(watermarking_config or {})
        self.bos = model_config.bos_token_id
        self.ignore_repeated = ignore_repeated_ngrams
        self.processor = self.config.processor(text.vocab_size)
        self._greens: dict[tuple[int, ...], frozenset[int]] = {}

    def __call__(
        self, input_ids: Tensor, z_threshold: float = 3.0, return_dict: bool = False
    ) -> WatermarkDetectorOutput | Tensor:
        """The verdict (rows,) on ids (rows, length), more with return_dict.

        Raises:
            GenerationError: rows too short to score.
        """
        if self.bos is not None and bool((input_ids[:, 0] == self.bos).all()):
            input_ids = input_ids[:, 1:]
        width = self.config.context_width
        if input_ids.shape[1] - width < 1:
            raise GenerationError(
                f"rows of {input_ids.shape[1]} tokens are too short: scoring begins after {width}"
            )
        counts = torch.tensor([self._count(row) for row in input_ids.tolist()], dtype=torch.float64)
        scored, green = counts[:, 0], counts[:, 1]
        share = self.config.greenlist_ratio
        z = (green - share * scored) / (scored * share * (1 - share)).sqrt()
        p = 0.5 * torch.erfc(z / math.sqrt(2))
        prediction = z > z_threshold
        if not return_dict:
            return prediction
        return WatermarkDetectorOutput(
            num_tokens_scored=scored,
            num_green_tokens=green,
            green_fraction=green / scored,
            z_score=z,
            p_value=p,
            prediction=prediction,
            confidence=1 - p,
        )

    def _count(self, row: list[int]) -> tuple[int, int]:
        selfhash = self.config.seeding_scheme == "selfhash"
        size = self.config.context_width + (0 if selfhash else 1)
        grams = [tuple(row[i : i + size]) for i in range(len(row) - size + 1)]
        if self.ignore_repeated:
            grams = list(dict.fromkeys(grams))
        green = 0
        for gram in grams:
            context = gram if selfhash else gram[:-1]
            if context not in self._greens:
                self._greens[context] = frozenset(self.processor.green(torch.tensor(context)).tolist())
            green += gram[-1] in self._greens[context]
        return len(grams), green
