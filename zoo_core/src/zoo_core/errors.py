"""Every exception that the zoo raises on purpose.

A message says what was seen, which rule it broke, and the exact spelling that works. Each class also
derives from the built-in exception that callers of such libraries expect to catch.
"""

from __future__ import annotations

from typing import Any


class ZooError(Exception):
    """Base of all errors below."""


# Registry


class RegistryError(ZooError):
    """A plugin or its registration is at fault."""


class UnknownArchitecture(RegistryError, ValueError):
    """No installed distribution advertises this ``model_type``, or not for this Auto class."""


class UnknownComponent(RegistryError, ValueError):
    """A class named in a JSON file is provided by no installed distribution."""


class ArchitectureConflict(RegistryError, ValueError):
    """Two distributions advertise one name and the user has not said which to prefer."""


class PluginError(RegistryError, ImportError):
    """A distribution cannot serve what it advertises; ``distribution`` and ``version`` say which."""

    def __init__(self, message: str, *, distribution: str = "", version: str = "") -> None:
        super().__init__(message)
        self.distribution = distribution
        self.version = version


class PluginLoadError(PluginError):
    """A distribution advertises something that cannot be imported; the cause is chained."""


class PluginVersionError(PluginError):
    """A distribution was made for another zoo-core or another plugin API."""


class MissingDependency(ZooError, ImportError):
    """An optional package is needed; the message carries its ``pip install``."""


# Data from outside


class ConfigError(ZooError, ValueError):
    """A configuration names impossible values: file, field, value and rule are in the message.

    ``problems`` holds one (field, value, rule) for each broken rule, ``class_name`` the config's class.
    """

    def __init__(self, message: str, *, class_name: str = "", problems: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.class_name = class_name
        self.problems = problems


class HubError(ZooError, OSError):
    """Files of a repository could not be had."""


class RepositoryNotFound(HubError):
    """There is no such repository, or this token may not know of it."""


class RevisionNotFound(HubError):
    """The repository exists, this branch, tag or commit does not."""


class GatedRepository(HubError):
    """The repository asks for its terms to be accepted first."""


class FileNotInRepository(HubError, FileNotFoundError):
    """The repository or folder exists, this file does not."""


class InvalidRepositoryId(HubError, ValueError):
    """The name is neither a local path nor a well-formed repository id; the broken rule is named."""


class HubUnreachable(HubError, ConnectionError):
    """The hub did not answer, and the cache does not hold what was asked for."""


class OfflineError(HubError):
    """Offline mode or ``local_files_only`` forbids the request that would be needed."""


class MalformedFile(ConfigError, HubError):
    """A JSON file is too large, not UTF-8, not JSON or not an object; file and position are named."""


class CheckpointError(ZooError):
    """Weights could not be loaded or saved."""


class CheckpointFormatError(CheckpointError, ValueError):
    """A weight file or index is truncated, oversized, contradictory or not what it claims to be."""


class UnsafeCheckpoint(CheckpointError, ValueError):
    """A checkpoint would run code or leave its folder."""


class UnsafePath(HubError, UnsafeCheckpoint):
    """A file name would leave its folder: absolute, with ``..``, or through a symbolic link."""


class WeightsMismatch(CheckpointError, RuntimeError):
    """Shapes, names or coverage of the weights do not fit the model; all are listed once."""


class UninitializedWeights(CheckpointError, RuntimeError):
    """A tensor has neither a file, a computation nor an initialiser behind it."""


class TokenizerError(ZooError, ValueError):
    """Tokenizer files or calls that cannot be served."""


class ProcessingError(ZooError, ValueError):
    """An image, sound or text that a processor cannot take; names the item in the batch."""


class GenerationError(ZooError, ValueError):
    """Contradictory or impossible generation settings."""


# Remote code


class UntrustedCode(ZooError, ValueError):
    """Code of a repository would be needed and the caller has not trusted it."""


class SandboxUnavailable(ZooError, RuntimeError):
    """This platform cannot isolate remote code; says what is missing."""


class SandboxError(ZooError, RuntimeError):
    """Sandboxed code failed, was stopped or answered nonsense."""
