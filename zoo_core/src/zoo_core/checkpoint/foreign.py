"""Checkpoints of TensorFlow and Flax as sources, under the names that PyTorch files would have."""

from __future__ import annotations

from zoo_core.checkpoint.shards import WeightFiles
from zoo_core.checkpoint.sources import WeightSource
from zoo_core.errors import CheckpointError


def foreign_source(files: WeightFiles) -> WeightSource:
    """The source for TensorFlow or Flax files."""
    raise CheckpointError(f"{files.files[0]}: {files.format.value} files cannot be read yet.")
