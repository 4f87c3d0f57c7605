"""What the user set: files, environment and defaults as one `Settings` value, and the endpoints it names."""

from mmai.settings.endpoints import endpoints
from mmai.settings.loading import check, load
from mmai.settings.schema import (
    BackendSettings,
    BalanceSettings,
    BudgetSettings,
    Origin,
    RegistrySettings,
    ResourceSettings,
    SelectionSettings,
    Settings,
)

__all__ = [
    "BackendSettings",
    "BalanceSettings",
    "BudgetSettings",
    "Origin",
    "RegistrySettings",
    "ResourceSettings",
    "SelectionSettings",
    "Settings",
    "check",
    "endpoints",
    "load",
]
