"""Pickles that build more than tensors, opened in the sandbox."""

from __future__ import annotations

import argparse
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from zoo_core.errors import SandboxError, UnsafeCheckpoint
from zoo_core.remote import SandboxPolicy, convert_pickle, read_pickle_in_sandbox


class Evil:
    """Runs a command when it is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    return {"a.weight": torch.randn(3, 4), "b": torch.arange(5), "c": torch.tensor(1.5, dtype=torch.bfloat16)}


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_are_taken_out(tmp_path: Path, tensors: dict[str, torch.Tensor], legacy: bool) -> None:
    path = tmp_path / "model.bin"
    content = {"state_dict": tensors, "args": argparse.Namespace(lr=1), "version": 3}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(UnsafeCheckpoint, match="trust_pickle=True"):
        read_pickle_in_sandbox(path)
    assert convert_pickle(path, tmp_path / "model.safetensors", trust_pickle=True) == list(tensors)
    found = load_file(tmp_path / "model.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_what_it_runs_does_not_reach_the_user(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path, proof = tmp_path / "evil.bin", tmp_path / "proof"
    torch.save({"state_dict": tensors, "x": Evil(f"touch {proof}")}, path)
    found = read_pickle_in_sandbox(path, trust_pickle=True)
    assert found.keys() == tensors.keys() and not proof.exists()
    torch.load(path, weights_only=False)
    assert proof.exists(), "without the sandbox the same file acts"


def test_classes_that_are_not_here_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    torch.save({"w": torch.ones(2), "o": argparse.Namespace(x=1)}, path)
    data = path.read_bytes().replace(b"Namespace", b"Vanished!")
    path.write_bytes(data)
    try:
        found = read_pickle_in_sandbox(path, trust_pickle=True)
    except SandboxError as error:
        assert "crc" in str(error).lower()  # torch checks the archive before it unpickles
    else:
        assert torch.equal(found["w"], torch.ones(2))


def test_bombs_and_rubbish(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(pickle.dumps({"a": 1})[:-1])
    with pytest.raises(SandboxError):
        read_pickle_in_sandbox(path, trust_pickle=True)
    path.write_bytes(b"")
    with pytest.raises(SandboxError):
        read_pickle_in_sandbox(path, trust_pickle=True)
    policy = SandboxPolicy(memory=1 << 29, start_deadline=20)
    path.write_bytes(b"\x80\x02" + b"(" * 3_000_000 + b".")
    with pytest.raises(SandboxError):
        read_pickle_in_sandbox(path, trust_pickle=True, policy=policy)
