"""Operations with blocks of their own: branches and loops."""

from msgspec import Struct

from mmai.backends.coreml.reference.interpreter import Stopped, compute
from mmai.backends.coreml.reference.steps import Plan, Run, Slots


class Branch(Struct, frozen=True):
    """`cond`: one of two blocks."""

    choice: int
    blocks: tuple[Plan, Plan]
    """If true, if false."""
    outputs: tuple[int, ...]

    def act(self, slots: Slots, run: Run) -> None:
        """Compute the block that is chosen, and only that."""
        chosen = self.blocks[0 if bool(slots[self.choice]) else 1]
        compute(chosen, slots, run)
        _hand_over(slots, chosen.outputs, self.outputs)
        _clear(slots, chosen.own)


class Loop(Struct, frozen=True):
    """`while_loop`: a block that says whether to go on, and one that computes the next values."""

    first: tuple[int, ...]
    condition: Plan
    body: Plan
    outputs: tuple[int, ...]

    def act(self, slots: Slots, run: Run) -> None:
        """Go on while the condition holds, if it ever does."""
        values = [slots[slot] for slot in self.first]
        while self._goes_on(values, slots, run):
            _place(slots, self.body.inputs, values)
            compute(self.body, slots, run)
            values = [slots[slot] for slot in self.body.outputs]
        _clear(slots, self.condition.own + self.body.own)
        _place(slots, self.outputs, values)

    def _goes_on(self, values: Slots, slots: Slots, run: Run) -> bool:
        if run.stopped():
            raise Stopped
        _place(slots, self.condition.inputs, values)
        compute(self.condition, slots, run)
        return bool(slots[self.condition.outputs[0]])


def _place(slots: Slots, where: tuple[int, ...], values: Slots) -> None:
    for slot, value in zip(where, values, strict=False):
        slots[slot] = value


def _hand_over(slots: Slots, sources: tuple[int, ...], targets: tuple[int, ...]) -> None:
    _place(slots, targets, [slots[slot] for slot in sources])


def _clear(slots: Slots, own: tuple[int, ...]) -> None:
    for slot in own:
        slots[slot] = None
