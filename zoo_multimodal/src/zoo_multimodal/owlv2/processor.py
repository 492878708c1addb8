"""Processor of OWLv2: that of OWL-ViT."""

from __future__ import annotations

from zoo_multimodal.owlvit.processor import OwlViTProcessor


class Owlv2Processor(OwlViTProcessor):
    """An OWLv2 image processor and a CLIP tokenizer."""
