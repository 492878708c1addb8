"""Imports fine; its parts do not."""
