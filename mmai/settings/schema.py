"""The settings in force, as values. Field names are the keys of the file; durations in words there are seconds here (`_s`)."""

from typing import Any, Literal

from msgspec import Struct, field

from mmai.settings.providers import ALWAYS, PROVIDERS
from mmai.values.decision import PolicyName, Weights
from mmai.values.endpoint import Secret
from mmai.values.execution import ExecutorChoice
from mmai.values.model import ModelCard
from mmai.values.service import ServiceRequest, ServiceResponse
from mmai.values.task import Constraints
from mmai.values.traffic import Strategy


class Origin(Struct, frozen=True):
    """Where a value came from; `str()` of it is how people read it."""

    source: Literal["built-in", "user", "project", "environment"]
    where: str | None = None
    """Path of the file, or name of the variable."""
    line: int | None = None

    def __str__(self) -> str:
        if self.where is None:
            return self.source
        return f"{self.where} line {self.line}" if self.line else self.where


BUILT_IN = Origin("built-in")


class RegistrySettings(Struct, frozen=True, kw_only=True):
    """How long what is known of models stays fresh, and whose prices are believed."""

    discovery_interval_s: float = 30.0
    health_check_interval_s: float = 10.0
    cache_ttl_s: float = 3600.0
    price_file: str | None = None
    """Prices of the user's own, `~` not yet resolved; they win over what providers tell and over the catalogue."""


class BudgetSettings(Struct, frozen=True, kw_only=True):
    """What calls may cost together, in US dollars by the local calendar. None is no limit."""

    daily_usd: float | None = None
    monthly_usd: float | None = None
    warn_at: float = 0.8
    """Share of a limit from which a run is told of it."""


class DeclaredModel(Struct, frozen=True, kw_only=True):
    """A row of `models`. Its card has no endpoints or locality yet: those come with the endpoint."""

    card: ModelCard
    path: str | None = None
    """File or package of a model that runs inside mmai."""
    timeouts: dict[str, float] = {}
    """Fields of `Timeouts` that are its own."""
    input_shape: tuple[int, ...] = ()
    output_shape: tuple[int, ...] = ()


class BackendSettings(Struct, frozen=True, kw_only=True):
    """One provider. None and empty mean the adapter's own default."""

    kind: str | None = None
    """Which adapter speaks to it; None is the provider's name."""
    endpoints: tuple[str, ...] = ()
    api_key: Secret | None = None
    api_key_missing: str | None = None
    """Why `api_key`, though written, is None: the variable that is not set, with file and line."""
    key_cmd: str | None = None
    api_keys: tuple[Secret, ...] = ()
    """Several keys of one service; calls are spread over them."""
    timeout_ms: float | None = None
    """The longest silence: before the first token and between tokens, where those have no time of their own."""
    connect_timeout_ms: float | None = None
    first_token_timeout_ms: float | None = None
    stall_timeout_ms: float | None = None
    total_timeout_ms: float | None = None
    max_parallel: int | None = None
    """Most calls at a time of each endpoint."""
    regions: tuple[str, ...] = ()
    """Where the endpoints stand, in their order."""
    costs: tuple[float, ...] = ()
    """What a call of each endpoint costs beside the others, in their order."""
    headers: dict[str, str] = {}
    models: tuple[DeclaredModel, ...] = ()
    keep_alive: float | str | None = None
    options: dict[str, Any] = {}
    executor: ExecutorChoice | None = None
    compute_units: str | None = None
    load_timeout_ms: float | None = None
    predict_timeout_ms: float | None = None
    cache_dir: str | None = None
    directories: tuple[str, ...] = ()
    auth: str | None = None
    """The header that carries the key; `bearer` is `Authorization: Bearer KEY`."""
    request: ServiceRequest | None = None
    response: ServiceResponse | None = None
    health: str | None = None


class BalanceSettings(Struct, frozen=True, kw_only=True):
    """How calls are spread over the places that offer one model."""

    strategy: Strategy = Strategy.ADAPTIVE
    region: str | None = None
    """Where this machine stands, as `regions` of the backends call it."""


class ResourceSettings(Struct, frozen=True, kw_only=True):
    """What calls may take of this machine and of those they go to."""

    max_concurrency: int = 64
    """Most calls of one process at a time to one backend; how many of them are wise is found out."""
    memory_budget_bytes: int | None = None
    """What local models may hold of memory together; None leaves that to their servers."""


class StandingConstraints(Constraints, frozen=True, kw_only=True):
    """Limits every automatic choice keeps, and one wish."""

    preferred_backend: str | None = None
    """Provider to prefer where scores are equal."""


class SelectionSettings(Struct, frozen=True, kw_only=True):
    """How a model is chosen."""

    algorithm: str = "multi_criteria"
    policy: PolicyName = PolicyName.BALANCED
    weights: Weights = Weights()
    """In place of the policy's own, unless they are the built-in ones, or the policy was set nearer to the command line."""
    exploration: float = 0.0
    """Share of automatic choices that may take a model to learn about it, 0 to 1."""
    exploration_usd: float = 0.001
    """What such a choice may cost more than the best one, in US dollars."""
    constraints: StandingConstraints = StandingConstraints()


class HotSwapSettings(Struct, frozen=True, kw_only=True):
    """How a model is replaced while calls are in flight."""

    enabled: bool = True
    grace_period_ms: float = 30000.0
    validation_timeout_ms: float = 5000.0


class AlertSettings(Struct, frozen=True, kw_only=True):
    """Above which figures a model is called out."""

    error_rate: float = 0.05
    latency_p95_ms: float = 2000.0


class MonitoringSettings(Struct, frozen=True, kw_only=True):
    """What is watched, and how often."""

    metrics_interval_s: float = 5.0
    health_check_interval_s: float = 30.0
    alert_thresholds: AlertSettings = AlertSettings()


class RunSettings(Struct, frozen=True, kw_only=True):
    """Defaults of `mmai run`."""

    model: str = "auto"
    """A reference, or `auto`."""
    timeout_s: float = 600.0
    """For the whole request, fallbacks included."""
    stdin_timeout_s: float = 60.0
    log: bool = True


def _always_there() -> dict[str, BackendSettings]:
    return {name: BackendSettings(endpoints=(PROVIDERS[name].url,)) for name in ALWAYS}


class Settings(Struct, frozen=True, kw_only=True):
    """Everything a user can set, merged, and where each value came from."""

    registry: RegistrySettings = RegistrySettings()
    backends: dict[str, BackendSettings] = field(default_factory=_always_there)
    selection: SelectionSettings = SelectionSettings()
    hot_swap: HotSwapSettings = HotSwapSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    run: RunSettings = RunSettings()
    budget: BudgetSettings = BudgetSettings()
    balance: BalanceSettings = BalanceSettings()
    resources: ResourceSettings = ResourceSettings()
    files: tuple[str, ...] = ()
    """Those that were read, the user's own before the project's."""
    origins: dict[str, Origin] = {}
    """Dotted key to where it was set, for every key that is not built-in."""

    def origin(self, key: str) -> Origin:
        """Where the value of `key` came from, such as `backends.ollama.endpoints`."""
        return self.origins.get(key, BUILT_IN)
