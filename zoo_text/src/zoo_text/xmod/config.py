"""Configuration of X-MOD."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config.fields import field
from zoo_text.bert.config import BertConfig


class XmodConfig(BertConfig):
    """Sizes and switches of an X-MOD.

    languages: names of the adapters, in the order of `lang_ids`; default_language is used without these.
    adapter_layer_norm: adapters have a norm of their own; adapter_reuse_layer_norm: they use the layer's.
    ln_before_adapter: what the adapter's output is added to is normalised too.
    """

    model_type = "xmod"

    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    pre_norm: bool = False
    adapter_reduction_factor: int = 2
    adapter_layer_norm: bool = False
    adapter_reuse_layer_norm: bool = True
    ln_before_adapter: bool = True
    languages: list[str] = field(["en_XX"])
    default_language: str | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        if self.default_language is not None and self.default_language not in self.languages:
            yield "default_language", f"must be one of languages ({', '.join(self.languages)})"
