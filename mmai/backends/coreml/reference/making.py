"""A function of a program made ready to run: names become slots, constants are read once, compressed weights unpacked."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from mmai.backends.coreml.reference.constants import Constant
from mmai.backends.coreml.reference.control import Branch, Loop
from mmai.backends.coreml.reference.coverage import refuse_unknown
from mmai.backends.coreml.reference.interpreter import Stopped, sentence
from mmai.backends.coreml.reference.liveness import Made, in_line, outer_slots
from mmai.backends.coreml.reference.ops import KERNELS
from mmai.backends.coreml.reference.scope import Known, Scope, Source, State, Unpacked
from mmai.backends.coreml.reference.steps import Apply, Plan, ReadState, Told, WriteState
from mmai.backends.coreml.reference.types import held_type
from mmai.backends.coreml.reference.weights import Weights
from mmai.dialects.coreml.mil import Binding, Block, Function, Operation, StateType, Type
from mmai.errors import CannotRun, MmaiError

COMPRESSED = "constexpr_"
"""How operations begin that unpack weights; they are computed once, when the model is loaded."""

ROWS = {"values", "loop_vars", "elem_shape", "ref_tensors", "begins", "ends", "end_masks"}
"""Inputs that are several values even where there is one. Source: coremltools, `TupleInputType`."""

PLAIN = {"classify"}
"""Operations whose results are no tensors, whatever the program declares."""


class Ready(Struct, frozen=True):
    """A function that can be run."""

    inputs: tuple[tuple[str, int], ...]
    """Name and slot of each input that is no state."""
    outputs: tuple[tuple[str, int], ...]
    states: tuple[tuple[str, Type], ...]
    plan: Plan
    slots: tuple[Any, ...]
    """As they are before the first operation: constants in their places."""


def make_ready(function: Function, weights: Weights, *, stopped: Callable[[], bool]) -> Ready:
    """Everything that can be known before there is an input.

    Raises:
        CannotRun: an operation is unknown, or the program does not hold together.
        Stopped: it was given up.
    """
    refuse_unknown(function.block)
    return _Making(weights, stopped).function(function)


class _Making:
    def __init__(self, weights: Weights, stopped: Callable[[], bool]) -> None:
        self._weights = weights
        self._stopped = stopped
        self._slots: list[Any] = []

    def function(self, function: Function) -> Ready:
        scope = Scope()
        inputs, states = [], []
        for each in function.inputs:
            if isinstance(each.type, StateType):
                scope.put(each.name, State(each.name, held_type(each.type)))
                states.append((each.name, each.type))
            else:
                inputs.append((each.name, self._new(scope, each.name)))
        plan = self._block(function.block, scope)
        outputs = tuple(zip(function.block.outputs, plan.outputs, strict=True))
        return Ready(tuple(inputs), outputs, tuple(states), plan, tuple(self._slots))

    def _new(self, scope: Scope, name: str) -> int:
        slot = self._filled(None)
        scope.put(name, slot)
        return slot

    def _filled(self, value: Any) -> int:
        self._slots.append(value)
        return len(self._slots) - 1

    def _block(self, block: Block, scope: Scope) -> Plan:
        inputs = tuple(self._new(scope, each.name) for each in block.inputs)
        steps: list[tuple[Made, Told]] = []
        for operation in block.operations:
            if self._stopped():
                raise Stopped
            told = Told(operation.type, operation.name or ", ".join(each.name for each in operation.outputs))
            if made := self._tried(operation, told, scope):
                steps.append((made, told))
        outputs = tuple(self._slot(name, scope) for name in block.outputs)
        own = tuple(scope.own)
        return Plan(inputs, in_line(steps, outputs, set(own)), outputs, own)

    def _tried(self, operation: Operation, told: Told, scope: Scope) -> Made | None:
        try:
            return self._made(operation, scope)
        except (MmaiError, MemoryError):
            raise
        except Exception as exc:  # a kernel that unpacks weights, or an operation without what it must have
            raise CannotRun(f"its operation `{told.type}` (`{told.name}`) is damaged: {sentence(exc)}") from exc

    def _made(self, operation: Operation, scope: Scope) -> Made | None:
        match operation.type:
            case "const":
                scope.put(operation.outputs[0].name, Constant(operation.attributes["val"], self._weights))
            case kind if kind.startswith(COMPRESSED):
                self._compressed(operation, scope)
            case "cond":
                return self._cond(operation, scope)
            case "while_loop":
                return self._loop(operation, scope)
            case "read_state":
                step = ReadState(self._state(operation, "input", scope).name, self._new(scope, operation.outputs[0].name))
                return step, {step.output}
            case "write_state":
                return self._write(operation, "input", "data", scope)
            case "coreml_update_state":
                return self._write(operation, "state", "value", scope)
            case _:
                return self._apply(operation, scope)
        return None

    def _compressed(self, operation: Operation, scope: Scope) -> None:
        """Their inputs are attributes in packages for iOS 16 and 17, and bindings in later ones."""
        inputs: dict[str, Known] = {name: Constant(value, self._weights) for name, value in operation.attributes.items()}
        for name, bindings in operation.inputs.items():
            source = self._source(bindings[0], scope)
            if not isinstance(source, Constant | Unpacked):
                raise CannotRun(f"its program has `{operation.type}` of what is no constant")
            inputs[name] = source
        for index, output in enumerate(operation.outputs):
            scope.put(output.name, Unpacked(KERNELS[operation.type], inputs, index))

    def _apply(self, operation: Operation, scope: Scope) -> Made:
        fixed: dict[str, Any] = {}
        bound: list[tuple[str, int]] = []
        rows: list[tuple[str, tuple[int, ...]]] = []
        for name, bindings in operation.inputs.items():
            if name in ROWS or len(bindings) != 1:
                rows.append((name, tuple(self._slot(binding, scope) for binding in bindings)))
                continue
            match self._source(bindings[0], scope):
                case int(slot):
                    bound.append((name, slot))
                case State(name=state):
                    raise _misplaced(state)
                case known:
                    fixed[name] = known.held
        plain = operation.type in PLAIN
        outputs = tuple((self._new(scope, each.name), None if plain else held_type(each.type)) for each in operation.outputs)
        used = {slot for _, slot in bound} | {slot for _, row in rows for slot in row} | {slot for slot, _ in outputs}
        return Apply(KERNELS[operation.type], fixed, tuple(bound), tuple(rows), outputs), used

    def _cond(self, operation: Operation, scope: Scope) -> Made:
        choice = self._slot(operation.inputs["pred"][0], scope)
        yes, no = (self._block(block, Scope(scope)) for block in operation.blocks)
        outputs = tuple(self._new(scope, each.name) for each in operation.outputs)
        if not len(outputs) == len(yes.outputs) == len(no.outputs):
            raise CannotRun("its program has branches that differ in what they give")
        return Branch(choice, (yes, no), outputs), {choice, *outputs, *outer_slots(yes), *outer_slots(no)}

    def _loop(self, operation: Operation, scope: Scope) -> Made:
        first = tuple(self._slot(binding, scope) for binding in operation.inputs["loop_vars"])
        condition, body = (self._block(block, Scope(scope)) for block in operation.blocks)
        outputs = tuple(self._new(scope, each.name) for each in operation.outputs)
        if {len(first), len(condition.inputs), len(body.inputs), len(body.outputs)} != {len(outputs)} or not condition.outputs:
            raise CannotRun("its program has a loop whose values differ in number")
        return Loop(first, condition, body, outputs), {*first, *outputs, *outer_slots(condition), *outer_slots(body)}

    def _write(self, operation: Operation, state: str, value: str, scope: Scope) -> Made:
        kept = self._state(operation, state, scope)
        slot = self._slot(operation.inputs[value][0], scope)
        outputs = tuple(self._new(scope, each.name) for each in operation.outputs)
        return WriteState(kept.name, slot, kept.dtype, outputs), {slot, *outputs}

    def _state(self, operation: Operation, name: str, scope: Scope) -> State:
        source = self._source(operation.inputs[name][0], scope)
        if not isinstance(source, State):
            raise CannotRun(f"its operation `{operation.type}` is given what is no state")
        return source

    def _source(self, binding: Binding, scope: Scope) -> Source:
        return scope.find(binding) if isinstance(binding, str) else Constant(binding, self._weights)

    def _slot(self, binding: Binding, scope: Scope) -> int:
        match self._source(binding, scope):
            case int(slot):
                return slot
            case State(name=state):
                raise _misplaced(state)
            case known:
                return self._filled(known.held)


def _misplaced(state: str) -> CannotRun:
    return CannotRun(f"its program takes the state `{state}` where a value belongs")
