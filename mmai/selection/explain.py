"""Why a model scored what it scored, one sentence a term with the figures behind it, and what else is told of a decision."""

import msgspec

from mmai.selection.beta import quantile
from mmai.selection.candidates import tokens_needed
from mmai.selection.counterfactuals import Again, counterfactuals
from mmai.selection.expectations import confidence, profile_of, speed, successes, weights_bytes
from mmai.selection.quality import quality
from mmai.selection.roster import Roster
from mmai.selection.scoring import peer_cost_usd, peer_quality
from mmai.selection.verdict import why, why_not
from mmai.values.decision import Candidate, Decision, Quality
from mmai.values.model import ModelCard, Profile
from mmai.values.task import TaskAnalysis, TaskType


def explain(
    decision: Decision, roster: Roster, again: Again, *, max_tokens: int | None = None, against: str | None = None
) -> Decision:
    """The same decision with everything that is told of one: `reasons` and `quality` of every ranked candidate, `why` the choice
    won and what would change it, and `why_not` the model `against`, if there is one.

    `roster` is the one it was made from, `again` makes it once more with something changed, and `max_tokens` is what the request
    asks for. Kept apart from ranking, since the sentences for 2,000 models cost far more than their scores.

    Raises:
        UsageError: no model goes by the name `against`, or several do.
    """
    changes = counterfactuals(decision, again, max_tokens=max_tokens)
    peers = Peers(
        cost_usd=peer_cost_usd(candidate.cost_usd for candidate in decision.ranked),
        quality=peer_quality(candidate.expected_quality for candidate in decision.ranked),
    )
    ranked = tuple(
        msgspec.structs.replace(
            candidate,
            reasons=_reasons(candidate, decision.analysis, roster, peers),
            quality=_quality(candidate, decision.analysis, roster),
        )
        for candidate in decision.ranked
    )
    return msgspec.structs.replace(
        decision,
        ranked=ranked,
        why=why(decision, changes),
        counterfactuals=changes,
        why_not=None if against is None else why_not(decision, against, again),
    )


def _quality(candidate: Candidate, analysis: TaskAnalysis, roster: Roster) -> Quality | None:
    if candidate.expected_quality is None:
        return None
    return quality(*roster.ability(candidate.card), analysis)


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """The medians that stand in for what is not known of a model."""

    cost_usd: float
    quality: float


def _reasons(candidate: Candidate, analysis: TaskAnalysis, roster: Roster, peers: Peers) -> dict[str, str]:
    card = candidate.card
    profile = profile_of(card, roster.profiles)
    reasons = {
        "performance": _performance(candidate, profile, analysis, roster.now),
        "cost": _cost(candidate, analysis, peers.cost_usd),
        "reliability": _reliability(profile, roster.now),
        "capability": _capability(candidate, peers.quality),
        "context": _context(card, analysis),
    }
    if card.locality == "embedded":
        reasons["rank"] = "embedded models come after every other model that fits"
    if card.deprecated:
        reasons["deprecated"] = f"its provider retires it: {card.deprecated}"
    return reasons


def _performance(candidate: Candidate, profile: Profile | None, analysis: TaskAnalysis, now: float | None) -> str:
    if candidate.latency_ms is None:
        return "not measured and of unknown size; taken as the median of the models on your machines"
    load_ms, first_ms, input_token_ms, token_ms, _ = speed(candidate.card, profile, now=now)
    first_ms += input_token_ms * analysis.context_tokens
    steps = [f"{_time(load_ms)} to load"] if load_ms else []
    steps.append(f"{_time(first_ms)} to the first token" if token_ms else f"{_time(first_ms)} for the call")
    if token_ms and analysis.output_tokens:
        steps.append(f"{analysis.output_tokens} tokens at {1_000 / token_ms:.0f} tokens/s")
    return f"about {_time(candidate.latency_ms)}: {', '.join(steps)} ({_basis(candidate.card, profile, now)})"


def _basis(card: ModelCard, profile: Profile | None, now: float | None) -> str:
    if profile is not None and profile.runs:
        weight = confidence(profile, now=now)
        return f"measured over {profile.runs} run{'s' * (profile.runs > 1)}, which weigh {weight:.2f} beside what is assumed"
    if profile is not None and (profile.ttft_ms, profile.tokens_per_second, profile.latency_ms) != (None, None, None):
        return "declared in the settings"
    if card.locality == "cloud":
        return "not measured; assumed as for hosted models"
    if card.locality == "embedded":
        return "not measured; assumed as for embedded models"
    return f"not measured; assumed from {(weights_bytes(card) or 0) / 1e9:.1f} GB of weights"


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


def _reliability(profile: Profile | None, now: float | None) -> str:
    low, high = (quantile(share, *successes(profile, now=now)) for share in (0.05, 0.95))
    between = f"{low:.0%} to {high:.0%} of calls, with 90% probability"
    if profile is None or not profile.runs + profile.failures:
        return f"no calls seen; counted as 19 of 20 answered: {between}"
    calls = profile.runs + profile.failures
    return f"{profile.runs} of {calls} call{'s' * (calls > 1)} answered, smoothed with 19 of 20: {between}"


def _capability(candidate: Candidate, peers: float) -> str:
    if candidate.expected_quality is None:
        return f"nothing is known of its quality; taken as its peers' median, {peers:.2f}"
    return f"expected quality {candidate.expected_quality:.2f} for this prompt"


def _context(card: ModelCard, analysis: TaskAnalysis) -> str:
    needed = f"needs about {tokens_needed(card, analysis)} tokens"
    return f"{needed}; its window is {'not known' if card.context_tokens is None else card.context_tokens}"


def _time(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1_000 else f"{ms / 1_000:.1f} s"


def _money(usd: float) -> str:
    return f"${usd:.2g}" if usd < 0.1 else f"${usd:.2f}"
