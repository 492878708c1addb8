"""Reaching and resizing the input and output embeddings of a model."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

INPUT_NAMES = ("embed_tokens", "word_embeddings", "shared")
OUTPUT_NAMES = ("lm_head", "decoder", "generator_lm_head")


class EmbeddingAccess:
    """Mixin: the embeddings by the names that the building blocks and heads give them."""

    def get_input_embeddings(self) -> nn.Module:
        """The module that embeds token ids (or patches).

        Raises:
            NotImplementedError: the model has none under a known name and does not override this.
        """
        place = self._find_input()
        if place is not None:
            found: nn.Module = getattr(*place)
            return found
        if (inner := self._inner()) is not None:
            return inner.get_input_embeddings()
        raise NotImplementedError(f"{type(self).__name__} has no input embeddings under a known name")

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the module that embeds token ids."""
        place = self._find_input()
        if place is not None:
            setattr(*place, value)
        elif (inner := self._inner()) is not None:
            inner.set_input_embeddings(value)
        else:
            raise NotImplementedError(f"{type(self).__name__} has no input embeddings under a known name")
        self.tie_weights()  # type: ignore[attr-defined]

    def _inner(self) -> EmbeddingAccess | None:
        """The model inside that embeds for this one."""
        found = (getattr(self, name, None) for name in ("model", "language_model"))
        return next((inner for inner in found if isinstance(inner, EmbeddingAccess)), None)

    def _find_input(self) -> tuple[nn.Module, str] | None:
        assert isinstance(self, nn.Module)
        for owner in (self, getattr(self, "embeddings", None), getattr(self, "decoder", None)):
            for name in INPUT_NAMES:
                if isinstance(owner, nn.Module) and isinstance(getattr(owner, name, None), nn.Module):
                    return owner, name
        return None

    def get_output_embeddings(self) -> nn.Module | None:
        """The layer that maps hidden states to scores over the vocabulary, or None."""
        found = self._find_output()
        return None if found is None else getattr(*found)

    def set_output_embeddings(self, value: nn.Module) -> None:
        """Replace the layer that maps hidden states to scores over the vocabulary."""
        found = self._find_output()
        if found is None:
            raise ValueError(f"{type(self).__name__} has no output embeddings")
        setattr(*found, value)

    def _find_output(self) -> tuple[nn.Module, str] | None:
        assert isinstance(self, nn.Module)
        for name in OUTPUT_NAMES:
            found = getattr(self, name, None)
            if isinstance(found, nn.Linear):
                return self, name
            if isinstance(found, nn.Module) and isinstance(getattr(found, "decoder", None), nn.Linear):
                return found, "decoder"
        return None

    def resize_token_embeddings(
        self,
        new_num_tokens: int | None = None,
        pad_to_multiple_of: int | None = None,
        mean_resizing: bool = True,
    ) -> nn.Module:
        """Give input and output embeddings `new_num_tokens` rows and note it in the config.

        Args:
            new_num_tokens: rows; None keeps their number (and only pads).
            pad_to_multiple_of: round up, which accelerators with tensor cores like.
            mean_resizing: draw new rows close around the mean of the old ones
                (https://nlp.stanford.edu/~johnhew/vocab-expansion.html); else initialise them afresh.
        """
        embeddings = self.get_input_embeddings()
        assert isinstance(self, nn.Module) and isinstance(embeddings, nn.Embedding)
        rows = embeddings.num_embeddings if new_num_tokens is None else new_num_tokens
        if pad_to_multiple_of is not None:
            rows = -(-rows // pad_to_multiple_of) * pad_to_multiple_of
        if rows < 1:
            raise ValueError(f"new_num_tokens must be at least 1, not {new_num_tokens}")
        if rows == embeddings.num_embeddings:
            return embeddings
        resized = nn.Embedding(
            rows, embeddings.embedding_dim, padding_idx=_within(embeddings.padding_idx, rows)
        )
        resized.weight = self._resized(embeddings.weight, rows, mean_resizing)
        output = self.get_output_embeddings()
        tied = isinstance(output, nn.Linear) and output.weight is embeddings.weight
        self.set_input_embeddings(resized)
        if isinstance(output, nn.Linear):
            output.out_features = rows
            output.weight = resized.weight if tied else self._resized(output.weight, rows, mean_resizing)
            if output.bias is not None:
                output.bias = self._resized(output.bias, rows, False)
        config: Any = self.config
        text = config.get_text_config()
        for part in {id(config): config, id(text): text}.values():
            if hasattr(part, "vocab_size"):
                part.vocab_size = rows
        cast(Any, self).tie_weights()
        return resized

    @torch.no_grad()
    def _resized(self, old: Tensor, rows: int, mean_resizing: bool) -> nn.Parameter:
        new = old.new_zeros((rows, *old.shape[1:]))
        kept = min(rows, old.shape[0])
        new[:kept] = old[:kept]
        if rows > kept and old.dim() > 1:
            std = getattr(self.config, "initializer_range", None) or 0.02  # type: ignore[attr-defined]
            if mean_resizing:
                table = old.float()
                mean, spread = table.mean(0), (table - table.mean(0)).square().mean(0).sqrt()
                new[kept:] = (
                    mean + 1e-9**0.5 * spread * torch.randn(rows - kept, old.shape[1], device=old.device)
                ).to(old.dtype)
            else:
                new[kept:].normal_(std=std)
        return nn.Parameter(new, requires_grad=old.requires_grad)


def _within(padding_idx: int | None, rows: int) -> int | None:
    return padding_idx if padding_idx is not None and padding_idx < rows else None
