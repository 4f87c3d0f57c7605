"""What happened to a worker, in words for whoever asked it."""

from mmai.backends.coreml.apple.messages import Failed
from mmai.backends.coreml.apple.process import Lost
from mmai.errors import CallError, CannotRun, MmaiError, ProviderError, TimedOut
from mmai.values.package import Package

CRASHES = ("SIGABRT", "SIGSEGV", "SIGBUS", "SIGILL", "SIGTRAP", "SIGFPE")
"""How code ends that fails by itself. Of those that are ended from outside (SIGKILL by a system short of memory) the next may live."""

LOAD_SETTING = "backends.coreml.load_timeout_ms"
PREDICT_SETTING = "backends.coreml.predict_timeout_ms"


def load_failure(lost: Lost, *, model: str, units: str, timeout_s: float, way_out: str) -> CallError:
    """Why a model could not be loaded; the hint is the command that may."""
    if lost.how == "slow":
        return TimedOut(
            f"`{model}` was not loaded with `compute_units={units}` after {timeout_s:g} s; to specialize a model for the Neural Engine"
            f" may take minutes the first time: `{LOAD_SETTING}` says how long it has",
            phase="load",
            hint=way_out,
        )
    return _failure(lost, f"was loading `{model}`", units=units, way_out=way_out)


def predict_failure(lost: Lost, *, model: str, units: str, timeout_s: float, way_out: str) -> CallError:
    """Why a model gave no answer; it has to be loaded anew."""
    if lost.how == "slow":
        return TimedOut(
            f"`{model}` gave no answer with `compute_units={units}` after {timeout_s:g} s, which is `{PREDICT_SETTING}`",
            phase="predict",
            hint=way_out,
        )
    return _failure(lost, f"was running `{model}`", units=units, way_out=way_out)


def refusal(failed: Failed, package: Package, *, model: str) -> MmaiError:
    """What the framework itself said against it."""
    if failed.never:
        needs = f"; it needs {package.min_os}" if package.min_os else ""
        return CannotRun(f"`{model}` cannot be run: {failed.message}{needs}", hint="mmai run --executor reference")
    return ProviderError(f"`{model}` failed: {failed.message[:500]}", body=failed.message[:2000])


def ended(lost: Lost) -> str:
    """How a worker came to its end, half a sentence."""
    if lost.how == "slow":
        return "did not come up in time"
    return f"ended its worker ({lost.signal})" if lost.signal else f"ended its worker (exit code {lost.code})"


def _failure(lost: Lost, doing: str, *, units: str, way_out: str) -> ProviderError:
    if lost.how == "closed":
        return ProviderError(f"the worker that {doing} was let go; the model has to be loaded anew")
    if lost.how == "junk":
        return ProviderError(
            f"the worker that {doing} with `compute_units={units}` wrote no answer: {lost.detail}", hint=way_out
        )
    said = f": {lost.detail}" if lost.detail else ""
    return ProviderError(
        f"the worker that {doing} with `compute_units={units}` {_end(lost)}{said}", hint=way_out, body=lost.detail
    )


def _end(lost: Lost) -> str:
    if lost.signal == "SIGKILL":
        return "was ended by SIGKILL, as a system does that is short of memory"
    if lost.signal:
        return f"died of {lost.signal}"
    return "ended by itself" + (f" with exit code {lost.code}" if lost.code else "")
