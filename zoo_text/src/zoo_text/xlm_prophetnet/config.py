"""Configuration of XLM-ProphetNet."""

from __future__ import annotations

from zoo_text.prophetnet.config import ProphetNetConfig


class XLMProphetNetConfig(ProphetNetConfig):
    """Sizes and switches of an XLM-ProphetNet."""

    model_type = "xlm-prophetnet"
