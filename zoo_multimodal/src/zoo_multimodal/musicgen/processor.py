"""Processor of MusicGen: texts, and sounds to continue; and what was made, without its padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo_core.processing import BatchFeature, ProcessorMixin

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


class MusicgenProcessor(ProcessorMixin):
    """An EnCodec feature extractor and a T5 tokenizer."""

    attributes = ("feature_extractor", "tokenizer")

    def __call__(self, audio: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """`input_values` and `padding_mask` of sounds, `input_ids` of texts.

        Args:
            **kwargs: of the feature extractor (`sampling_rate`, ...) and of the tokenizer.
        """
        return super().__call__(text=text, audio=audio, **kwargs)

    def batch_decode(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Texts of ids; or of waveforms arrays (channels, samples), without what `padding_mask` hides.

        Args:
            args: ids (batch, length), or waveforms (batch, channels, samples) that `generate` returned and
                their padding_mask; also by name, as `audio` and `padding_mask`.
        """
        values, mask = kwargs.pop("audio", None), kwargs.pop("padding_mask", None)
        if values is None and args and getattr(args[0], "ndim", 0) == 3:
            values, mask, args = args[0], args[1] if len(args) > 1 else mask, ()
        if values is None:
            return super().batch_decode(*args, **kwargs)
        return self.without_padding(values, mask)

    @staticmethod
    def without_padding(values: Tensor | np.ndarray, mask: Tensor | np.ndarray | None) -> list[np.ndarray]:
        """Arrays (channels, samples); the mask covers the prompts, which `values` go on from."""
        import torch

        waves = torch.as_tensor(values).float().cpu()
        if mask is None:
            return [wave.numpy() for wave in waves]
        prompts = torch.as_tensor(mask).cpu().bool()
        prompts = prompts[:, 0] if prompts.dim() == 3 else prompts
        made = torch.ones(len(waves), max(waves.shape[-1] - prompts.shape[-1], 0), dtype=torch.bool)
        kept = torch.cat((prompts, made), dim=1)[:, : waves.shape[-1]]
        return [wave[:, own].numpy() for wave, own in zip(waves, kept, strict=True)]
