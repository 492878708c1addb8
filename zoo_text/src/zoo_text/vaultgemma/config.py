"""Configuration of VaultGemma."""

from __future__ import annotations

from zoo_text.gemma2.config import Gemma2Config


class VaultGemmaConfig(Gemma2Config):
    """Sizes and switches of a VaultGemma."""

    model_type = "vaultgemma"
