"""How models perform, from three sources: declared in the settings, measured by `mmai bench`, seen in everyday runs. Pure."""

from collections.abc import Mapping

from msgspec.structs import asdict, replace

from mmai.values.model import Profile
from mmai.values.registry import Registry

NOTHING_KNOWN = Profile()


def effective(registry: Registry, seen: Mapping[str, Profile]) -> dict[str, Profile]:
    """The profile to go by, for each model of the registry of which anything is known.

    Figure by figure what was measured wins over what was declared. Of the registry's own measurements and those `seen` in the
    history the later ones win.
    """
    profiles = {}
    for ref, card in registry.models.items():
        measured = sorted(
            filter(None, (registry.profiles.get(ref), seen.get(ref))), key=lambda profile: profile.updated_at or 0.0
        )
        profile = NOTHING_KNOWN
        for layer in (card.profile, *measured):
            profile = over(profile, layer)
        if profile != NOTHING_KNOWN:
            profiles[ref] = profile
    return profiles


def over(below: Profile, above: Profile | None) -> Profile:
    """`below`, with every figure that `above` has; the two counts stay a pair, since reliability is read from both."""
    if above is None:
        return below
    figures = {name: value for name, value in asdict(above).items() if value is not None}
    if not above.runs and not above.failures:
        del figures["runs"], figures["failures"]
    return replace(below, **figures)
