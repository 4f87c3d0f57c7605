"""Every way `mmai` can fail: one tree, each class with its exit code.

    MmaiError                     1  unexpected
    ├── UsageError                2  the command line or its input cannot be taken
    │   ├── ConfigError           2  a settings file, with file, line and key
    │   └── AmbiguousModel        2  a bare name that several providers offer
    ├── NoEligibleModel           3  every candidate was excluded
    │   ├── UnknownModel          3  no such model, here or at the provider
    │   └── CannotRun             3  the model is here, and nothing on this machine can run it
    ├── AuthError                 4  key missing, refused, or not allowed
    │   └── NoKey                 4  nothing was sent: the provider takes no call without one
    ├── RateLimited               5  429 and its kin; `retry_after_s` when told
    │   └── QuotaExceeded         5  no retry will help until someone pays or waits
    ├── TimedOut                  6  connect, first token, stall or total: `phase` says which
    ├── CannotConnect             7  refused, reset, unresolvable
    ├── ProviderError             8  the provider answered, and the answer is a failure
    │   ├── InvalidRequest        8  the provider will never take this request
    │   │   ├── ContextOverflow   8  the prompt does not fit the model's window
    │   │   └── UnsupportedOption 8  the model has no such option; `option` names it
    │   └── ProtocolError         8  bytes that do not follow the provider's own protocol
    ├── IncompleteAnswer          9  cut, length or filter: `reason` says which
    ├── SchemaMismatch           10  the answer is not the JSON that was asked for
    ├── BudgetExceeded           11  refused before sending
    ├── StorageError              1  a state file or folder cannot be read or written
    └── Interrupted             130  Ctrl-C; 143 on SIGTERM, 141 on a closed stdout

Only `cli/bridge.py` turns these into text and exit codes. A message says what happened, the value, and what would fit; the
hint is a command to type. Neither ever holds a key.
"""


class MmaiError(Exception):
    """Something a user can read.

    `message` is one sentence without a full stop; `hint` is the next thing to type, or None.
    """

    exit_code = 1
    code = "unexpected"
    """The name of the failure in JSON (`error.code`); stable across versions."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MmaiError):
    """The command line, or what it points at, cannot be taken as it is."""

    exit_code = 2
    code = "usage"


class ConfigError(UsageError):
    """A settings file is wrong; the message names file, line and key."""

    code = "config"


class AmbiguousModel(UsageError):
    """A bare model name fits more than one provider; the message lists the full names."""

    code = "ambiguous_model"


class NoEligibleModel(MmaiError):
    """No model passed the filters; the message says what the nearest one lacked."""

    exit_code = 3
    code = "no_eligible_model"


class UnknownModel(NoEligibleModel):
    """The model named does not exist, here or at its provider."""

    code = "unknown_model"


class CannotRun(NoEligibleModel):
    """The model is here, and cannot be run: its files are damaged, or no executor of this machine takes it."""

    code = "cannot_run"


class CallError(MmaiError):
    """A call to a provider failed. Base of everything an adapter raises, so that the engine can weigh it.

    `status` is the HTTP status when there was one; `retry_after_s` is the provider's own wish in seconds; `body` is the start of
    what it said, without keys, at most 2,000 characters.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after_s = retry_after_s
        self.body = body


class AuthError(CallError):
    """The provider refused the credential, or none was found."""

    exit_code = 4
    code = "auth"


class NoKey(AuthError):
    """The provider answers nobody without a key, and nobody has set one; nothing was sent."""


class RateLimited(CallError):
    """The provider asks for fewer calls."""

    exit_code = 5
    code = "rate_limited"


class QuotaExceeded(RateLimited):
    """The account has nothing left; waiting a little will not help."""

    code = "quota"


class TimedOut(CallError):
    """A deadline passed; `phase` is `connect`, `load`, `first_token`, `stall` or `total`."""

    exit_code = 6
    code = "timeout"

    def __init__(self, message: str, *, phase: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.phase = phase


class CannotConnect(CallError):
    """No connection, or it was reset before the first byte of an answer."""

    exit_code = 7
    code = "cannot_connect"


class ProviderError(CallError):
    """The provider answered with a failure of its own."""

    exit_code = 8
    code = "provider"


class InvalidRequest(ProviderError):
    """The provider will never take this request; sending it elsewhere is the caller's choice."""

    code = "invalid_request"


class ContextOverflow(InvalidRequest):
    """The prompt is longer than the model's window."""

    code = "context_length_exceeded"


class UnsupportedOption(InvalidRequest):
    """The provider refused one tuning option; `option` is its name in the request."""

    code = "unsupported_option"

    def __init__(self, message: str, *, option: str, status: int | None = None, body: str | None = None) -> None:
        super().__init__(message, status=status, body=body)
        self.option = option


class ProtocolError(ProviderError):
    """The provider sent bytes that do not follow its own protocol."""

    code = "protocol"


class IncompleteAnswer(CallError):
    """The answer stopped early; `reason` is `cut`, `length` or `filter`. What came is kept and shown."""

    exit_code = 9
    code = "incomplete"

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class SchemaMismatch(MmaiError):
    """The answer is not JSON, or not the JSON the schema asks for; the message names the path."""

    exit_code = 10
    code = "schema_mismatch"


class BudgetExceeded(MmaiError):
    """The call could cost more than allowed, so it was not sent."""

    exit_code = 11
    code = "budget_exceeded"


class StorageError(MmaiError):
    """A state file or its folder cannot be read or written; the message names the path and the reason."""

    code = "storage"


class Interrupted(MmaiError):
    """The user or the system stopped the call; `exit_code` is 128 plus the signal."""

    code = "interrupted"

    def __init__(self, message: str, *, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code
