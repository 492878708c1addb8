"""Configuration of ShieldGemma 2."""

from __future__ import annotations

from zoo_multimodal.gemma3.config import Gemma3Config


class ShieldGemma2Config(Gemma3Config):
    """As of Gemma 3; `yes_token_index` and `no_token_index`, where given, are the tokens that answer."""

    model_type = "shieldgemma2"
