"""Keypoints of heat maps, more precise than their grid: distribution-aware decoding (Zhang et al. 2020)."""

from __future__ import annotations

import numpy as np

from zoo_vision.processing.antialias import gaussian


def heatmap_keypoints(heat: np.ndarray, kernel: int) -> tuple[np.ndarray, np.ndarray]:
    """Places (people, keypoints, 2) and scores (people, keypoints) of maps (people, keypoints, h, w)."""
    people, count, _, width = heat.shape
    flat = heat.reshape(people, count, -1)
    best = flat.argmax(-1)
    scores = flat.max(-1)
    points = np.stack([best % width, best // width], axis=-1).astype(np.float32)
    points[scores <= 0] = -1
    return refined(points, heat, kernel), scores


def refined(points: np.ndarray, heat: np.ndarray, kernel: int) -> np.ndarray:
    """``points`` moved by one Newton step on the logarithm of the smoothed maps."""
    people, count, height, width = heat.shape
    radius = (kernel - 1) // 2
    smooth = heat.astype(np.float64)
    for axis in (2, 3):
        smooth = gaussian(smooth, 0.8, axis, radius=radius, repeat_edge=True)
    logs = np.log(np.clip(smooth.astype(np.float32), 0.001, 50))
    padded = np.pad(logs, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    out = points.copy()
    for person in range(people):
        for number in range(count):
            x, y = points[person, number].astype(int)
            around = padded[person, number]
            row, column = y + 1, x + 1

            def at(
                dy: int, dx: int, around: np.ndarray = around, row: int = row, column: int = column
            ) -> float:
                return float(around[(row + dy) % (height + 2), (column + dx) % (width + 2)])

            slope = np.asarray([0.5 * (at(0, 1) - at(0, -1)), 0.5 * (at(1, 0) - at(-1, 0))])
            xx = at(0, 1) - 2 * at(0, 0) + at(0, -1)
            yy = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
            xy = 0.5 * (at(1, 1) - at(0, 1) - at(1, 0) + 2 * at(0, 0) - at(0, -1) - at(-1, 0) + at(-1, -1))
            curve = np.asarray([[xx, xy], [xy, yy]]) + np.eye(2) * np.finfo(np.float32).eps
            out[person, number] = points[person, number] - np.linalg.inv(curve) @ slope
    return out
