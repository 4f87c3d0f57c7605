"""What mmai knows between two runs: models, the endpoints that offer them, how they perform, and which takes what."""

from typing import Any

from msgspec import Struct

from mmai.values.health import ProviderStatus
from mmai.values.model import ModelCard, Profile
from mmai.values.outcome import Tally

SCHEMA_VERSION = 1
"""Of `Registry`. A new field at the top leaves it alone, since older versions carry those along unread; anything else that an
older version could not decode, or would lose by rewriting, raises it."""


class Slot(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The model that takes one kind of task."""

    active: str
    """`provider:name`."""
    previous: str | None = None
    """What a rollback goes back to."""
    generation: int = 1
    """One more with each swap."""
    changed_at: float | None = None
    """Unix seconds."""


class Registry(Struct, frozen=True, kw_only=True):
    """The whole of `registry.json`."""

    schema_version: int = SCHEMA_VERSION
    generation: int = 0
    """One more with each write; 0 was never written."""
    discovered_at: float | None = None
    """Unix seconds of the latest discovery that any endpoint answered."""
    models: dict[str, ModelCard] = {}
    """By reference, as discovered; what the settings declare is laid over it where it is used."""
    providers: dict[str, ProviderStatus] = {}
    """By `ProviderStatus.key`."""
    profiles: dict[str, Profile] = {}
    """Measured ones, by reference. A model that is gone keeps its own, for the day it comes back."""
    slots: dict[str, Slot] = {}
    """By task type."""
    experiments: dict[str, Any] = {}
    """By name."""
    outcomes: dict[str, dict[str, Tally]] = {}
    """By reference, then by task type."""
    learning_since: float | None = None
    """Unix seconds of the latest `select --reset-learning`: nothing older counts. None is from the first run on."""


class Changes(Struct, frozen=True, kw_only=True):
    """What a discovery found to differ, by reference in alphabetical order. Loading and unloading weights is no change."""

    new: tuple[str, ...] = ()
    changed: dict[str, tuple[str, ...]] = {}
    """To the names of the fields of its card."""
    gone: tuple[str, ...] = ()
