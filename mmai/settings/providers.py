"""Providers known by name: which adapter speaks to them, where they are, and when they are there without a setting."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from mmai.values.endpoint import key_variables
from mmai.values.url import is_loopback

OLLAMA_URL = "http://127.0.0.1:11434"


class KnownProvider(Struct, frozen=True):
    """A name that needs no address in the settings."""

    kind: str
    url: str

    @property
    def is_cloud(self) -> bool:
        """It is a company's service, wherever calls of that name are sent to."""
        return not is_loopback(self.url)


PROVIDERS = {
    "ollama": KnownProvider("ollama", OLLAMA_URL),
    "openai": KnownProvider("openai", "https://api.openai.com/v1"),
    "anthropic": KnownProvider("anthropic", "https://api.anthropic.com"),
    "google": KnownProvider("google", "https://generativelanguage.googleapis.com"),
    "deepseek": KnownProvider("openai", "https://api.deepseek.com/v1"),
    "groq": KnownProvider("openai", "https://api.groq.com/openai/v1"),
    "mistral": KnownProvider("openai", "https://api.mistral.ai/v1"),
    "openrouter": KnownProvider("openai", "https://openrouter.ai/api/v1"),
    "together": KnownProvider("openai", "https://api.together.xyz/v1"),
    "xai": KnownProvider("openai", "https://api.x.ai/v1"),
    "llamacpp": KnownProvider("openai", "http://127.0.0.1:8080/v1"),
    "lmstudio": KnownProvider("openai", "http://127.0.0.1:1234/v1"),
    "vllm": KnownProvider("openai", "http://127.0.0.1:8000/v1"),
}
"""Name to what is known of it. Local servers are there when the settings name them."""

ALWAYS = ("ollama", "openai", "anthropic", "google")
"""Those that are listed without any setting, so that a newcomer sees what a key would open."""


def present(env: Mapping[str, str]) -> Iterator[str]:
    """The providers that need no setting: those of `ALWAYS`, and every service whose variable holds a key."""
    for name, known in PROVIDERS.items():
        if name in ALWAYS or (known.is_cloud and any(env.get(variable, "").strip() for variable in key_variables(name))):
            yield name


def is_own_site(provider: str, url: str | None) -> bool:
    """Whether an address is the provider's own, by scheme, host and port as written."""
    known = PROVIDERS.get(provider)
    return known is not None and url is not None and _site(url) == _site(known.url)


def _site(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
