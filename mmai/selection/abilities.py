"""How good a model is expected to be at each kind of task before anything was seen of it here.

`data/abilities.json` has what was published of some models, and a formula of age and size for all others; `tools/abilities.py`
makes it, and `data/abilities.md` says of what. All of it is in logits of the quality for a prompt of middling complexity.
"""

import re
from functools import cache
from math import exp, inf, log2
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from mmai.selection.lineage import FLAGSHIP, YEAR_UNKNOWN, Lineage, lineage
from mmai.values.decision import Basis, Prior
from mmai.values.model import ModelCard
from mmai.values.task import TaskType as T

TABLE = Path(__file__).parents[1] / "data" / "abilities.json"

Skill = Literal["writing", "reasoning", "mathematics", "knowledge", "code"]
SKILLS: tuple[Skill, ...] = ("writing", "reasoning", "mathematics", "knowledge", "code")
"""What published benchmarks tell apart, in the order of the table."""

TASKS: dict[T, tuple[dict[Skill, float], float]] = {
    T.CODE_GENERATION: ({"code": 1.0}, 0.0),
    T.MATH: ({"mathematics": 1.0}, 0.0),
    T.REASONING: ({"reasoning": 1.0}, 0.0),
    T.QUESTION_ANSWERING: ({"knowledge": 1.0}, 0.0),
    T.TEXT_ANALYSIS: ({"reasoning": 0.5, "knowledge": 0.5}, 0.2),
    T.INFORMATION_EXTRACTION: ({"reasoning": 0.5, "knowledge": 0.5}, 0.4),
    T.SUMMARIZATION: ({"writing": 0.5, "knowledge": 0.5}, 0.4),
    T.TRANSLATION: ({"writing": 0.5, "knowledge": 0.5}, 0.0),
    T.CREATIVE_WRITING: ({"writing": 1.0}, 0.0),
    T.PROFESSIONAL_WRITING: ({"writing": 1.0}, 0.1),
    T.TEXT_EDITING: ({"writing": 0.7, "reasoning": 0.3}, 0.3),
    T.DATA_ANALYSIS: ({"mathematics": 0.5, "code": 0.5}, 0.0),
    T.CONVERSATION: ({"writing": 0.7, "knowledge": 0.3}, 0.4),
    T.ADVICE_PLANNING: ({"knowledge": 0.5, "reasoning": 0.5}, 0.0),
    T.IMAGE_UNDERSTANDING: ({"knowledge": 0.5, "reasoning": 0.5}, -0.3),
}
"""Which skills a task takes, and how much easier it is than what they were measured with; judged by hand. Source of the skills'
bounds: WildBench's categories. Tasks that are not here are done by models made for them, at `SPECIALIST`."""
SPECIALIST = 0.7

MADE_FOR: tuple[tuple[str, dict[Skill, float]], ...] = (
    (r"cod(?:e|er|ing|ex|estral)|starcoder|devstral", {"code": 0.5, "writing": -0.4, "knowledge": -0.3}),
    (r"math", {"mathematics": 0.6, "writing": -0.5, "knowledge": -0.3}),
    (r"(?:^|[-_: ])(?:r1|qwq|reason(?:er|ing)?|think(?:er|ing)?|magistral|o[134])(?![a-z])", {"mathematics": 0.6, "reasoning": 0.4, "code": 0.2}),
    (r"non-reasoning", {"mathematics": -0.6, "reasoning": -0.4, "code": -0.2}),
    (r"(?:^|[-_: ])(?:base|text)(?:$|[-_: ])|-pt(?:$|[-_: ])", dict.fromkeys(SKILLS, -1.0)),
)  # fmt: skip
"""Part of a name, and what it says a model was made for, in logits; judged by hand. A base model answers as it happens."""
DECLARED = 0.3
"""Logits for a task the card says the model is good at."""
FEW_BITS = {1: -1.0, 2: -0.6, 3: -0.2}
"""Logits lost to weights of so few bits. Source, for its order: Dettmers & Zettlemoyer, The case for 4-bit precision, 2023."""

STRENGTH: dict[Basis, float] = {"published": 20.0, "family": 10.0, "size": 6.0, "tier": 5.0, "unknown": 3.0}
"""In ratings."""


_FORM = re.compile(
    r"(?:19|20)\d\d[-_]?\d\d[-_]?\d\d|:free|[:-]latest|\.gguf$|[-_:.](?:fp16|bf16|f16|gguf|awq|gptq|mlx|i?q\d[_a-z0-9]*|\d+bit)(?=$|[-_:.])"
)
_VARIANT = re.compile(r"^meta-|[-_: ](?:v0\.1|it|instruct|preview|versatile)(?=$|[-_: ])|[^a-z0-9.]")


HIGHEST = 2.2
"""Logits beyond which nothing is expected of any model: 0.9."""


NEAR_YEARS = 0.5
"""A relative this much older or younger counts for 0.37 of one of the same age."""
NO_RELATIVES = 0.5
"""What age and size alone count for beside them."""


class Relative(NamedTuple):
    """A model of the same line of which scores were published."""

    year: float
    billions: float
    level: float
    """Logits, the mean over skills."""


class Published(Struct, frozen=True):
    """What was measured of one model."""

    abilities: tuple[float, ...]
    """Of `SKILLS`, in logits."""
    source: str
    line: str | None = None
    """None where it says nothing of its relatives: others made it from a model of the line, or the line left it far behind."""
    year: float = YEAR_UNKNOWN
    billions: float = FLAGSHIP


class Formula(Struct, frozen=True):
    """Logits by age and size."""

    start: float
    """A billion parameters in mid-2024."""
    doubling: float
    early: float
    """A year before that."""
    late: float
    """A year after it."""


class Abilities(Struct, frozen=True):
    """The table."""

    formula: Formula
    skills: dict[Skill, float]
    """What is added for each skill."""
    models: dict[str, Published]
    """By `key`."""


def key(name: str) -> str:
    """What stays of a name between providers: letters, digits and points, without dates and forms of the weights."""
    return _VARIANT.sub("", _FORM.sub("", name.lower().rsplit("/", 1)[-1]))


@cache
def shipped() -> Abilities:
    """The table that comes with mmai, loaded once."""
    return msgspec.json.decode(TABLE.read_bytes(), type=Abilities)


def prior(card: ModelCard) -> Prior:
    """Published scores of the model itself, else what its line, age and size come to, else its place in a line, else its size."""
    return _prior(
        card.name,
        card.parameter_count or None,
        card.size_bytes or None,
        card.locality == "cloud",
        card.tasks,
        "text_generation" in card.capabilities,
    )


@cache
def _prior(
    name: str,
    parameters: int | None,
    size_bytes: int | None,
    hosted: bool,
    tasks: tuple[T, ...],
    generates: bool,
) -> Prior:
    if not generates:
        return Prior(
            by_task=dict.fromkeys(T, SPECIALIST), strength=STRENGTH["unknown"], basis="unknown", source="made for one task"
        )
    table, told = shipped(), lineage(name)
    published = table.models.get(key(name))
    if published is not None:
        skills = dict(zip(SKILLS, published.abilities, strict=True))
        basis: Basis = "published"
        source = published.source
    else:
        basis, source, general = _general(table, told, parameters, size_bytes, hosted)
        skills = {skill: general + table.skills[skill] for skill in SKILLS}
        for part, made in MADE_FOR:
            if re.search(part, name.lower()):
                skills = {skill: level + made.get(skill, 0.0) for skill, level in skills.items()}
    lost = FEW_BITS.get(told.bits or 4, 0.0)
    by_task = {str(task): _quality(skills, task, lost + DECLARED * (task in tasks)) for task in T}
    return Prior(by_task=by_task, strength=STRENGTH[basis], basis=basis, source=source)


def _general(
    table: Abilities, told: Lineage, parameters: int | None, size_bytes: int | None, hosted: bool
) -> tuple[Basis, str, float]:
    """(what it rests on, in words, logits)."""
    billions = told.billions or (parameters / 1e9 if parameters else None) or (size_bytes / 0.6e9 if size_bytes else None)
    place = told.tier or (FLAGSHIP if hosted and told.line else None)
    size = billions or place
    if size is None:
        return "unknown", "nothing that its name or its provider tells", _logits(table, told, 8.0)
    level = _logits(table, told, size)
    words = f"{size:.3g} billion parameters"
    if told.line is not None and billions:
        return "family", f"as {told.line} models of its age with {words}", level
    if billions:
        return "size", f"as models with {words}", level
    known = f"{told.line} models" if told.line else "hosted models"
    return "tier", f"as {known} of its age and place in the line, like {words}", level


def _logits(table: Abilities, told: Lineage, billions: float) -> float:
    """What age and size come to, and what models of the line have above or below theirs, those of about its age the most.

    At least what an older model of the line, no larger, has, with half of what age and size brought since.
    """
    by_rule = _by_age_and_size(table.formula, told.year, billions)
    year = told.year or YEAR_UNKNOWN
    weight = above = 0.0
    least = -inf
    for relative in _relatives(told.line) if told.line else ():
        theirs = _by_age_and_size(table.formula, relative.year, relative.billions)
        near = exp(-abs(year - relative.year) / NEAR_YEARS)
        weight += near
        above += near * (relative.level - theirs)
        if relative.year <= year and relative.billions <= billions:
            least = max(least, relative.level + 0.5 * (by_rule - theirs))
    return min(HIGHEST, max(least, by_rule + above / (weight + NO_RELATIVES)))


def _by_age_and_size(formula: Formula, year: float | None, billions: float) -> float:
    years = (year or YEAR_UNKNOWN) - YEAR_UNKNOWN
    aged = (formula.early if years < 0 else formula.late) * years
    return formula.start + formula.doubling * log2(max(0.05, billions)) + aged


@cache
def _relatives(line: str) -> tuple[Relative, ...]:
    """The models of a line, or of one whose name goes on from it, whose scores were published."""
    table, found = shipped(), []
    for each in table.models.values():
        if each.line and (each.line.startswith(line) or line.startswith(each.line)):
            level = (sum(each.abilities) - sum(table.skills.values())) / len(SKILLS)
            found.append(Relative(each.year, each.billions, level))
    return tuple(found)


def _quality(skills: dict[Skill, float], task: T, more: float) -> float:
    if task not in TASKS:
        return SPECIALIST
    mixed, easier = TASKS[task]
    logits = sum(share * skills[skill] for skill, share in mixed.items()) + easier + more
    return 1.0 / (1.0 + exp(-logits))
