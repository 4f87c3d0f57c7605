"""From what a person types to the one model meant. Pure."""

from collections.abc import Collection, Iterable
from shlex import quote

from mmai.errors import AmbiguousModel, UnknownModel
from mmai.settings.models import CORE_ML_SUFFIXES
from mmai.values.model import ModelRef
from mmai.values.registry import Registry


def resolve(registry: Registry, text: str, *, providers: Collection[str]) -> ModelRef:
    """The model that `text` names: `provider:name`, or a name alone where only one provider offers it.

    A tag may be left out: `gemma3` is `gemma3:latest`, and a name alone may also be the only `gemma3:*` there is. What stands
    before the colon counts as a provider when it is one of `providers` or offers a model in the registry, and the whole is not
    the name of a model: `mistral:7b` is Ollama's where Ollama has it. A full reference need not be in the registry, which may
    be older than the model.

    Raises:
        UsageError: a full reference that is none, such as `ollama:`.
        AmbiguousModel: several models fit; the message lists their full names.
        UnknownModel: none does; the message names the closest.
    """
    for exact in (text, f"{text}:latest"):
        if exact in registry.models:
            return ModelRef.parse(exact)
    provider, colon, _ = text.partition(":")
    known = [card.ref for card in registry.models.values()]
    fitting = [ref for ref in known if ref.name in (text, f"{text}:latest")]
    if not fitting and colon and (provider in providers or any(ref.provider == provider for ref in known)):
        return ModelRef.parse(text)
    fitting = fitting or [ref for ref in known if ref.name.startswith(f"{text}:")]
    match fitting:
        case [ref]:
            return ref
        case [] if text in providers:
            raise UnknownModel(f"`{text}` is a provider; its models are `{text}:name`", hint=f"mmai models --provider {text}")
        case []:
            raise _unknown(text, registry.models)
    raise AmbiguousModel(f"`{text}` could be {_either(sorted(map(str, fitting)))}", hint=f"-m {min(fitting)}")


def _unknown(text: str, refs: Iterable[str]) -> UnknownModel:
    if text.rstrip("/").lower().endswith(CORE_ML_SUFFIXES):
        return UnknownModel(
            f"no model `{text}`: a file is named `coreml:{text}`", hint=f"mmai run -m {quote(f'coreml:{text}')}"
        )
    from difflib import get_close_matches  # noqa: PLC0415 - 1 ms that only this error pays

    by_spelling = {spelling: ref for ref in refs for spelling in (ref, ref.partition(":")[2])}
    close = dict.fromkeys(by_spelling[match] for match in get_close_matches(text, by_spelling, n=3))
    if close:
        return UnknownModel(f"no model `{text}`: did you mean {_either([*close])}?", hint="mmai models")
    return UnknownModel(f"no model `{text}` has been discovered", hint="mmai discover")


def _either(refs: list[str]) -> str:
    quoted = [f"`{ref}`" for ref in refs]
    return " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
