"""Losses of detection and segmentation."""
