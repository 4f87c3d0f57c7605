"""A decision: the analysis, the ranking, and what every figure in it rests on."""

from collections.abc import Sequence
from typing import Any

from mmai.render.notes import explored_line
from mmai.render.table import Cell, Column, Table, Value
from mmai.render.units import UNKNOWN, duration, money, share, tokens
from mmai.values.decision import Candidate, Decision, Terms, Weights
from mmai.values.task import TaskAnalysis

TERMS = ("performance", "cost", "reliability", "capability")

_RANKING = (
    Column("model"),
    Column("score", justify="right"),
    *(Column(term, justify="right", drop=1) for term in TERMS),
    Column("cost_usd", "charge", justify="right", drop=2),
    Column("latency_ms", "time", justify="right", drop=3),
)

_EXPLANATION = (
    Column("model"),
    Column("term"),
    Column("value", justify="right"),
    Column("weight", justify="right"),
    Column("share", "adds", justify="right", drop=1),
    Column("why", wrap=True),
)


def selection_table(decision: Decision) -> Table:
    """Eligible models, best first, under what the prompt was taken for."""
    return Table(
        columns=_RANKING,
        rows=[_ranked_row(candidate, best=at == 0) for at, candidate in enumerate(decision.ranked)],
        caption=analysis_line(decision.analysis),
        notes=_notes(decision),
    )


def explanation_table(decision: Decision) -> Table:
    """What `--explain` shows: each candidate's score term by term, then every exclusion with its reason."""
    weights = normalised(decision.weights)
    rows = [row for candidate in decision.ranked for row in _explained(candidate, weights)]
    excluded = [_excluded_row(candidate) for candidate in decision.excluded]
    caption = "\n".join(filter(None, (analysis_line(decision.analysis), decision.why)))
    return Table(columns=_EXPLANATION, rows=[*rows, *excluded], caption=caption)


def selection_data(decision: Decision, *, with_excluded: bool = True, pareto: Sequence[Candidate] = ()) -> dict[str, Any]:
    """The `data` of `select`. Candidates: the eligible ones, best first, then the excluded; `pareto` are those no other beats."""
    excluded = decision.excluded if with_excluded else ()
    return {
        "choice": None if decision.choice is None else str(decision.choice.card.ref),
        "analysis": decision.analysis,
        "policy": decision.policy,
        "weights": normalised(decision.weights),
        "explored": decision.explored,
        "why": decision.why,
        "counterfactuals": decision.counterfactuals,
        "why_not": decision.why_not,
        "pareto": [str(candidate.card.ref) for candidate in pareto],
        "candidates": [_candidate(candidate) for candidate in (*decision.ranked, *excluded)],
    }


def analysis_line(analysis: TaskAnalysis) -> str:
    """`summarization 0.92 · complexity 0.20 · general · 812 tokens in, about 120 out`."""
    probability = analysis.task_probabilities.get(analysis.task_type)
    needs = [capability for capability in analysis.required_capabilities if capability != "text_generation"]
    parts = [
        analysis.task_type.value + ("" if probability is None else f" {share(probability)}"),
        f"complexity {share(analysis.complexity)}",
        *([f"needs {', '.join(needs)}"] if needs else []),
        analysis.domain,
        *([analysis.language] if analysis.language else []),
        f"about {tokens(analysis.context_tokens)} tokens in, {tokens(analysis.output_tokens)} out",
    ]
    return " · ".join(parts)


def normalised(weights: Weights) -> Weights:
    """The weights as the score uses them: they sum to 1, unless all are 0."""
    total = sum(getattr(weights, term) for term in TERMS)
    return Weights(**{term: getattr(weights, term) / total for term in TERMS}) if total else weights


def _ranked_row(candidate: Candidate, *, best: bool) -> list[Value | Cell]:
    style = "strong" if best else None
    return [
        Cell(str(candidate.card.ref), style=style),
        Cell(candidate.score, share(candidate.score), style=style),
        *(Cell(value, share(value)) for value in _values(candidate.terms)),
        Cell(candidate.cost_usd, money(candidate.cost_usd)),
        Cell(candidate.latency_ms, duration(candidate.latency_ms)),
    ]


def _values(terms: Terms | None) -> list[float | None]:
    return [None if terms is None else getattr(terms, term) for term in TERMS]


def _explained(candidate: Candidate, weights: Weights) -> list[list[Value | Cell]]:
    ref = str(candidate.card.ref)
    total: list[Value | Cell] = [
        Cell(ref, style="strong"),
        Cell("score", style="strong"),
        Cell(candidate.score, share(candidate.score), style="strong"),
        Cell(1.0, ""),
        Cell(candidate.score, ""),
        _expected(candidate),
    ]
    rows = [total]
    for term, value in zip(TERMS, _values(candidate.terms), strict=True):
        weight = getattr(weights, term)
        adds = None if value is None else value * weight
        rows.append(
            [
                Cell(ref, ""),
                term,
                Cell(value, share(value)),
                Cell(weight, share(weight)),
                Cell(adds, share(adds)),
                candidate.reasons.get(term),
            ]
        )
    return rows


def _expected(candidate: Candidate) -> Cell:
    if candidate.cost_usd is None and candidate.latency_ms is None:
        return Cell(None, f"expected cost and time {UNKNOWN}", style="dim")
    return Cell(f"expected: {money(candidate.cost_usd)}, {duration(candidate.latency_ms)}", style="dim")


def _excluded_row(candidate: Candidate) -> list[Value | Cell]:
    nothing = Cell(None, "")
    return [
        Cell(str(candidate.card.ref), style="dim"),
        Cell("excluded", style="warn"),
        nothing,
        nothing,
        nothing,
        candidate.excluded,
    ]


def _notes(decision: Decision) -> tuple[str, ...]:
    count = len(decision.excluded)
    drawn = [str(candidate.card.ref) for candidate in decision.ranked[:2]] if decision.explored else []
    return (
        *((explored_line(drawn[0], instead_of=drawn[1]),) if drawn else ()),
        *((f"{count} excluded; `mmai select --explain` says why",) if count else ()),
    )


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "model": str(candidate.card.ref),
        "score": candidate.score,
        "terms": candidate.terms,
        "reasons": candidate.reasons,
        "excluded": candidate.excluded,
        "excluded_by": candidate.excluded_by,
        "cost_usd": candidate.cost_usd,
        "latency_ms": candidate.latency_ms,
        "expected_quality": candidate.expected_quality,
        "quality": candidate.quality,
    }
