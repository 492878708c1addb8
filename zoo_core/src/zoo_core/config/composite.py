"""A config's parts: configs under fields of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from zoo_core.config.base import PretrainedConfig


class Composite:
    """Access to the parts of a config, and what is passed on to them."""

    @property
    def sub_configs(self) -> dict[str, PretrainedConfig]:
        """The parts that are configs themselves, by field name."""
        return {name: value for name, value in self.__dict__.items() if _is_part(value)}

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PretrainedConfig:
        """The part that configures the text model, or the config itself when it has no such part.

        ``decoder`` or ``encoder`` restricts the search to that side; raises ``ValueError`` when two parts
        remain.
        """
        names = ["text_config"]
        if decoder or not encoder:
            names += ["decoder", "generator"]
        if encoder or not decoder:
            names += ["text_encoder"]
        found = [name for name in names if name in self.sub_configs]
        if len(found) > 1:
            raise ValueError(
                f"{type(self).__name__} has several text parts: {', '.join(found)}. Say which is meant: "
                f"get_text_config(decoder=True), get_text_config(encoder=True), or config.{found[0]}."
            )
        whole: Any = self
        part: PretrainedConfig = self.sub_configs[found[0]] if found else whole
        return part

    @property
    def _attn_implementation(self) -> str | None:
        return self.__dict__.get("_attn")

    @_attn_implementation.setter
    def _attn_implementation(self, value: str | Mapping[str, str] | None) -> None:
        chosen = value if isinstance(value, Mapping) else None
        self.__dict__["_attn"] = chosen.get("", None) if chosen is not None else value
        if value is not None:
            for name, part in self.sub_configs.items():
                part._attn_implementation = chosen.get(name) if chosen is not None else value


def _is_part(value: object) -> TypeGuard[PretrainedConfig]:
    return isinstance(value, Composite)
