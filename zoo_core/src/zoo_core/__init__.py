"""A plugin-based model zoo: Auto classes over architectures that installed packages advertise."""

from __future__ import annotations

__version__ = "0.1.0"
