"""Processor of Segment Anything in High Quality."""

from __future__ import annotations

from zoo_vision.sam.processor import SamProcessor


class SamHQProcessor(SamProcessor):
    """That of Segment Anything."""
