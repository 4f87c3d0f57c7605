"""When a value is read for the last time, so that it can be let go: found from the end of a block."""

from mmai.backends.coreml.reference.steps import Line, Plan, Step, Told

Made = tuple[Step, set[int]]
"""A step, and every slot it reads or writes."""


def outer_slots(plan: Plan) -> set[int]:
    """Slots a block reads that are not its own: they must live until it is done."""
    touched = {slot for line in plan.lines for slot in line.used} | set(plan.outputs)
    return touched - set(plan.own)


def in_line(steps: list[tuple[Made, Told]], outputs: tuple[int, ...], own: set[int]) -> tuple[Line, ...]:
    """Each step with the slots that are read for the last time, found from the end."""
    alive = set(outputs)
    lines: list[Line] = []
    for (step, used), told in reversed(steps):
        lines.append(Line(step, told, tuple((used & own) - alive), tuple(used)))
        alive |= used
    return tuple(reversed(lines))
