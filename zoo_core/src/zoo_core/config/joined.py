"""Configs of an encoder and a decoder of any two types under one roof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config.base import PretrainedConfig
from zoo_core.config.fields import sub_config


class JoinedConfig(PretrainedConfig):
    """An `encoder` and a `decoder`, each a config of any registered type."""

    is_encoder_decoder: bool = True
    encoder: PretrainedConfig = sub_config(None)
    decoder: PretrainedConfig = sub_config(None)

    def check(self) -> Iterator[tuple[str, str]]:
        for side in ("encoder", "decoder"):
            if getattr(self, side) is None:
                yield side, f"must be given; use from_encoder_decoder_configs, or pass {side}={{...}}"

    @classmethod
    def from_encoder_decoder_configs(
        cls, encoder_config: PretrainedConfig, decoder_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """The joint config; the decoder's is switched to decoding with cross-attention."""
        decoder_config.is_decoder = True
        decoder_config.add_cross_attention = True
        return cls(encoder=encoder_config, decoder=decoder_config, **kwargs)
