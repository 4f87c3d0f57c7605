"""Every key of the settings file: what it takes, what it means, what it is by default. `config init` writes this out."""

from mmai.settings.fillings import plain_path
from mmai.settings.models import declared
from mmai.settings.service import auth, request, response, response_compiles
from mmai.settings.shapes import (
    address,
    alone,
    boolean,
    choice,
    duration,
    file,
    headers,
    keep_alive,
    listed,
    mapping,
    number,
    policy,
    secret,
    size,
    strategy,
    text,
    whole,
    words,
)
from mmai.settings.table import ANY_NAME, Key, Table

BACKEND: Table = {
    "kind": Key(text, "which adapter speaks to it; the provider's own name by default"),
    "endpoint": Key(alone(address), "base URL", alias_of="endpoints"),
    "endpoints": Key(listed(address), "several base URLs that serve the same models"),
    "api_key": Key(secret, "better: `mmai keys set`, or a variable as in `${OPENAI_API_KEY}`", secret=True, personal=True),
    "key_cmd": Key(text, "a command whose first line of output is the key; it runs without a shell", personal=True),
    "api_keys": Key(listed(secret), "several keys of one service; calls are spread over them", secret=True, personal=True),
    "timeout_ms": Key(number(1), "longest silence in milliseconds, for the next two where they are not given"),
    "first_token_timeout_ms": Key(
        number(1), "longest wait for the first token; 300000 by default, so that a server can load a model, 120000 of services"
    ),
    "stall_timeout_ms": Key(number(1), "longest silence within an answer; 60000 by default"),
    "connect_timeout_ms": Key(number(1), "longest wait for a connection in milliseconds; 5000 by default"),
    "total_timeout_ms": Key(number(1), "longest time of one call; by default that of the whole request, `run.timeout`"),
    "max_parallel": Key(whole(), "most calls at a time of each endpoint; what is wise below that is found out"),
    "costs": Key(
        listed(number()), "what a call of each endpoint costs beside the others, for `balance.strategy: cost_optimised`"
    ),
    "regions": Key(words, "where the endpoints stand, in their order, for `balance.strategy: geographic`"),
    "headers": Key(headers, "HTTP headers to send with every call", secret=True),
    "models": Key(listed(declared), "names of models, or rows that describe them"),
    "keep_alive": Key(keep_alive, "how long the server keeps weights loaded: `10m`, seconds, or -1 for ever", kind="ollama"),
    "options": Key(mapping, "further keys of the adapter's own"),
    "executor": Key(
        choice("auto", "apple", "reference"),
        "what runs models: Apple's Core ML, or mmai's own NumPy executor; auto takes the first where there is one",
        kind="coreml",
    ),
    "compute_units": Key(
        choice("all", "cpu_only", "cpu_and_gpu", "neural_engine"), "what Core ML may compute on", kind="coreml"
    ),
    "load_timeout_ms": Key(number(1), "longest time to load a model in milliseconds; 600000 by default", kind="coreml"),
    "predict_timeout_ms": Key(number(1), "longest time of one prediction in milliseconds; 60000 by default", kind="coreml"),
    "cache_dir": Key(text, "folder for compiled models", kind="coreml"),
    "model_cache_dir": Key(text, "folder for compiled models", alias_of="cache_dir", kind="coreml"),
    "directories": Key(words, "folders to look for models in", kind="coreml"),
    "auth": Key(auth, "header that carries the key; `bearer`, the default, is `Authorization: Bearer KEY`", kind="custom"),
    "request": Key(request, "how the service is asked", kind="custom"),
    "response": Key(response, "where in its answer is what", kind="custom", proof=response_compiles),
    "health": Key(plain_path, "path that answers while the service is well, and costs nothing to ask", kind="custom"),
}

SECTIONS: Table = {
    "run": {
        "model": Key(text, "the model `mmai run` takes: a reference, or `auto` to choose one for each prompt", "auto"),
        "timeout": Key(duration, "for a whole request with its fallbacks", "10m"),
        "stdin_timeout": Key(duration, "how long an open pipe may stay silent", "1m"),
        "log": Key(boolean, "keep prompts and answers in the history; a budget counts what is in it", "true"),
    },
    "registry": {
        "discovery_interval": Key(duration, "how often models are looked for while watching", "30s"),
        "health_check_interval": Key(duration, "how often servers are asked whether they are well", "10s"),
        "cache_ttl": Key(duration, "after which time what is known of models is looked up again", "1h"),
        "price_file": Key(
            file, "prices of your own, YAML or LiteLLM's JSON: an absolute path, or one under `~`", personal=True
        ),
    },
    "backends": {ANY_NAME: BACKEND},
    "selection": {
        "algorithm": Key(choice("multi_criteria"), "how candidates are ranked", "multi_criteria"),
        "policy": Key(
            policy,
            "what counts: `balanced`, `quality`, `fast`, `cheap`; `local` keeps to your own machines, `private` to this one",
            "balanced",
        ),
        "exploration": Key(
            number(0, 1), "share of automatic choices that may take another model to learn about it, 0 to 1", "0", personal=True
        ),
        "exploration_usd": Key(
            number(), "what such a choice may cost more than the best one, in US dollars", "0.001", personal=True
        ),
        "weights": {
            "performance": Key(number(), "what speed counts for, beside the other three", "0.4"),
            "cost": Key(number(), "what the price counts for", "0.3"),
            "reliability": Key(number(), "what the share of calls that succeed counts for", "0.2"),
            "capabilities": Key(number(), "what fitness for the task counts for", "0.1", field="capability"),
        },
        "constraints": {
            "max_latency_ms": Key(number(1), "longest expected time of one request, in milliseconds"),
            "max_cost_per_request": Key(number(), "highest price of one request, in US dollars", field="max_cost_usd"),
            "min_reliability": Key(number(0, 1), "smallest share of calls that succeed, 0 to 1"),
            "preferred_backend": Key(text, "provider to prefer where scores are equal"),
            "required_capabilities": Key(
                words, "what every chosen model must be able to do, such as `vision`", "[]", field="require"
            ),
            "excluded_models": Key(words, "references that are never chosen; `*` matches anything", "[]", field="exclude"),
            "local_only": Key(boolean, "never choose a model outside this machine", "false"),
        },
    },
    "hot_swap": {
        "enabled": Key(boolean, "models may be replaced while calls are in flight", "true"),
        "grace_period_ms": Key(number(), "how long calls of the old model may take to finish, in milliseconds", "30000"),
        "validation_timeout_ms": Key(number(1), "how long a new model may take to prove itself, in milliseconds", "5000"),
    },
    "monitoring": {
        "metrics_interval": Key(duration, "how often figures are gathered", "5s"),
        "health_check_interval": Key(duration, "how often health is looked at", "30s"),
        "alert_thresholds": {
            "error_rate": Key(number(0, 1), "share of failed calls that is called out, 0 to 1", "0.05"),
            "latency_p95_ms": Key(number(), "slowest twentieth of calls that is called out, in milliseconds", "2000"),
        },
    },
    "budget": {
        "daily_usd": Key(
            number(), "what calls may cost in one day, in US dollars, as far as they are in the history", personal=True
        ),
        "monthly_usd": Key(number(), "what calls may cost in one calendar month, in US dollars", personal=True),
        "warn_at": Key(number(0, 1), "share of a limit from which every run says how much is spent", "0.8", personal=True),
    },
    "balance": {
        "strategy": Key(
            strategy,
            "how calls are spread over the places of one model: `adaptive`, `round_robin`, `least_loaded`,"
            " `performance_weighted`, `geographic`, `cost_optimised`",
            "adaptive",
        ),
        "region": Key(text, "where this machine stands, as `regions` of the backends call it"),
    },
    "resources": {
        "max_concurrency": Key(whole(), "most calls of one command at a time to one backend", "64"),
        "memory_budget": Key(
            size,
            "what local models may hold of memory together, such as `16GB`; by default their server decides",
            field="memory_budget_bytes",
        ),
    },
}

# The specification writes provider blocks in four places; all of them mean `backends`.
BARE: Table = {**SECTIONS, "api_backends": {ANY_NAME: BACKEND}, "ollama": BACKEND, "coreml": BACKEND}
ROOT: Table = {"model_system": BARE, **BARE}
