"""Configuration of Longformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.bert.config import BertConfig


class LongformerConfig(BertConfig):
    """Sizes and switches of a Longformer.

    `attention_window` is the even number of neighbours that a token sees, half of them on either side: one
    for all layers, or one for each.
    """

    model_type = "longformer"

    attention_window: int | list[int] = 512
    sep_token_id: int | None = 2
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    onnx_export: bool = False

    @property
    def windows(self) -> list[int]:
        """The window of each layer."""
        return windows_of(self.attention_window, self.num_hidden_layers)

    def check(self) -> Iterator[tuple[str, str]]:
        yield from check_windows(self.windows, self.num_hidden_layers)


def windows_of(attention_window: int | list[int], layers: int) -> list[int]:
    """The window of each layer."""
    return [attention_window] * layers if isinstance(attention_window, int) else attention_window


def check_windows(windows: list[int], layers: int) -> Iterator[tuple[str, str]]:
    """The rules that windows break."""
    if len(windows) != layers:
        yield "attention_window", f"must have an entry for each of the {layers} layers"
    if any(window < 2 or window % 2 for window in windows):
        yield "attention_window", "must be even and positive"
