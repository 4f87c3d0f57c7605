"""Why a model scored what it scored: one sentence a term, with the figures behind it."""

from collections.abc import Mapping

import msgspec

from mmai.selection.candidates import tokens_needed
from mmai.selection.expectations import pace, profile_of, weights_bytes
from mmai.selection.fit import adequacy, match, strength, suited_tasks
from mmai.selection.scoring import peer_cost_usd
from mmai.values.decision import Candidate, Decision
from mmai.values.model import ModelCard, Profile
from mmai.values.task import TaskAnalysis, TaskType


def explain(decision: Decision, *, profiles: Mapping[str, Profile] | None = None) -> Decision:
    """The same decision with `reasons` for every ranked candidate. `profiles` are those it was made with.

    Kept apart from ranking, since the sentences for 2,000 models cost far more than their scores.
    """
    peers_usd = peer_cost_usd(candidate.cost_usd for candidate in decision.ranked)
    ranked = tuple(
        msgspec.structs.replace(candidate, reasons=_reasons(candidate, decision.analysis, profiles or {}, peers_usd))
        for candidate in decision.ranked
    )
    return msgspec.structs.replace(decision, ranked=ranked)


def _reasons(candidate: Candidate, analysis: TaskAnalysis, profiles: Mapping[str, Profile], peers_usd: float) -> dict[str, str]:
    card = candidate.card
    profile = profile_of(card, profiles)
    reasons = {
        "performance": _performance(card, profile, analysis),
        "cost": _cost(candidate, analysis, peers_usd),
        "reliability": _reliability(profile),
        "capability": _capability(card, analysis),
        "context": _context(card, analysis),
    }
    if card.locality == "embedded":
        reasons["rank"] = "embedded models come after every other model that fits"
    if card.deprecated:
        reasons["deprecated"] = f"its provider retires it: {card.deprecated}"
    return reasons


def _performance(card: ModelCard, profile: Profile | None, analysis: TaskAnalysis) -> str:
    first_ms, token_ms, load_ms = pace(card, profile, analysis.context_tokens)
    steps = [f"{_time(load_ms)} to load"] if load_ms else []
    steps.append(f"{_time(first_ms)} to the first token" if token_ms else f"{_time(first_ms)} for the call")
    if token_ms and analysis.output_tokens:
        steps.append(f"{analysis.output_tokens} tokens at {1_000 / token_ms:.0f} tokens/s")
    total_ms = load_ms + first_ms + token_ms * analysis.output_tokens
    return f"about {_time(total_ms)}: {', '.join(steps)} ({_basis(card, profile)})"


def _basis(card: ModelCard, profile: Profile | None) -> str:
    if profile is not None and profile.runs:
        return f"measured over {profile.runs} run{'s' * (profile.runs > 1)}"
    if profile is not None and (profile.ttft_ms, profile.tokens_per_second, profile.latency_ms) != (None, None, None):
        return "declared in the settings"
    if card.locality == "cloud":
        return "not measured; assumed as for hosted models"
    if card.locality == "embedded":
        return "not measured; assumed as for embedded models"
    weights = weights_bytes(card)
    return (
        f"not measured; assumed from {weights / 1e9:.1f} GB of weights"
        if weights
        else "not measured, size unknown; assumed 5 GB"
    )


def _cost(candidate: Candidate, analysis: TaskAnalysis, peers_usd: float) -> str:
    price = candidate.card.price
    if candidate.cost_usd is None:
        return f"price unknown; taken as its peers' median, {_money(peers_usd)}"
    if candidate.cost_usd == 0:
        return "free" + (f": {price.reason}" if price is not None and price.reason else "")
    return f"about {_money(candidate.cost_usd)} for {_billed(analysis)}"


def _billed(analysis: TaskAnalysis) -> str:
    match analysis.task_type:
        case TaskType.IMAGE_GENERATION:
            return "one image"
        case TaskType.SPEECH_TRANSCRIPTION:
            return "a recording of this size"
        case _:
            return f"{analysis.context_tokens} tokens sent and {analysis.output_tokens} answered"


def _reliability(profile: Profile | None) -> str:
    if profile is None or not profile.runs + profile.failures:
        return "no calls seen; counted as 19 of 20 answered"
    calls = profile.runs + profile.failures
    return f"{profile.runs} of {calls} call{'s' * (calls > 1)} answered, smoothed with 19 of 20"


def _capability(card: ModelCard, analysis: TaskAnalysis) -> str:
    tasks = suited_tasks(card)
    purpose = f"{'declared' if card.tasks else 'named'} for {', '.join(tasks)}" if tasks else "a general model"
    known = "" if card.parameter_count or card.size_bytes else ", size unknown and assumed"
    return (
        f"strength {strength(card):.2f} for complexity {analysis.complexity:.2f} ({adequacy(card, analysis):.2f}{known});"
        f" {purpose} ({match(card, analysis):.2f})"
    )


def _context(card: ModelCard, analysis: TaskAnalysis) -> str:
    needed = f"needs about {tokens_needed(card, analysis)} tokens"
    return f"{needed}; its window is {'not known' if card.context_tokens is None else card.context_tokens}"


def _time(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s"


def _money(usd: float) -> str:
    return f"${usd:.2g}" if usd < 0.1 else f"${usd:.2f}"
