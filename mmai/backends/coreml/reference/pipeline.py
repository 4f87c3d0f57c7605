"""Models that run one after the other, each taking by name what was handed in or what one before it gave."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from mmai.backends.coreml.reference.feeds import take
from mmai.backends.coreml.reference.outputs import give
from mmai.backends.coreml.reference.stages import Stage, States
from mmai.values.package import Function


class Chain(Struct, frozen=True):
    """A model of one stage or of several."""

    interface: Function
    stages: tuple[Stage, ...]

    @property
    def stateful(self) -> bool:
        """Something stays from one prediction to the next."""
        return any(stage.ready.states for stage in self.stages)

    def fresh_states(self) -> States:
        """All zero."""
        return {name: state for stage in self.stages for name, state in stage.fresh_states().items()}

    def run(self, feeds: Mapping[str, Any], states: States, stopped: Callable[[], bool]) -> dict[str, Any]:
        """One prediction; raises as `Stage.run` does."""
        if len(self.stages) == 1:
            return self.stages[0].run(feeds, states, stopped)
        take(self.interface, feeds)  # what is wrong with them is said in the names of the pipeline
        known = dict(feeds)
        for stage in self.stages:
            wanted = {feature.name for feature in stage.interface.inputs}
            known.update(stage.run({name: value for name, value in known.items() if name in wanted}, states, stopped))
        return give(self.interface, known)
