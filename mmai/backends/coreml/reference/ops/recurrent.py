"""Recurrent layers: a loop over time around one product with the state; that with the input is made for all steps at once.

A layer in reverse begins with the last step, and its first output is that of the last step. Only the second half of a layer
that goes both ways has its outputs in the order of the inputs. Source: coremltools' tests of `rnn`, `gru` and `lstm`.
"""

from collections.abc import Callable

import numpy as np

from mmai.backends.coreml.reference.kernel import Array, Table
from mmai.backends.coreml.reference.ops.activation import sigmoid

Function = Callable[[Array], Array]

ACTIVATIONS: dict[str, Function] = {
    "tanh": np.tanh,
    # With its default factors, which are 1. Source: coremltools' tests of `lstm`.
    "scaled_tanh": np.tanh,
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: np.clip(x * np.float32(0.2) + np.float32(0.5), 0, 1),
    "sigmoid_hard": lambda x: np.clip(x * np.float32(0.2) + np.float32(0.5), 0, 1),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
}


def rnn(
    x: Array,
    *,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    direction: str = "forward",
    output_sequence: Array | bool = False,
    activation: str = "tanh",
) -> tuple[Array, Array]:
    """h = activation(W x + R h + b).

    Args:
        x: steps x batch x inputs.
        initial_h: batch x hidden.

    Returns:
        The states of all steps, or of the last (steps x batch x hidden); and the last state (batch x hidden).
    """
    function = _activation(activation)

    def step(given: Array, h: Array) -> Array:
        return function(given + h @ weight_hh.T)

    return _run(_inputs(x, weight_ih, bias), initial_h, step, direction, sequence=bool(output_sequence))


def gru(
    x: Array,
    *,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    input_bias: Array | None = None,
    direction: str = "forward",
    output_sequence: Array | bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: Array | bool = False,
) -> tuple[Array, Array]:
    """Gates r, o and z in this order in weights and biases: h = (1 - z) o + z h. Shapes as in `rnn`.

    The reset gate is applied to the state before its product, or to the product if `reset_after` (iOS 18), where `bias` is that
    of the state and `input_bias` that of the input.
    """
    size = weight_hh.shape[1]
    gate, output = _activation(recurrent_activation), _activation(activation)
    after = bool(reset_after)
    none = np.zeros(3 * size, np.float32)
    of_state, of_input = (none if each is None else each for each in (bias, input_bias))
    if not after:
        of_state, of_input = none, of_state + of_input
    reset_weights, output_weights, update_weights = (part.T for part in np.split(weight_hh, 3))
    reset_bias, output_bias, update_bias = np.split(of_state, 3)

    def step(given: Array, h: Array) -> Array:
        given_r, given_o, given_z = (given[:, at * size : (at + 1) * size] for at in range(3))
        r = gate(given_r + h @ reset_weights + reset_bias)
        z = gate(given_z + h @ update_weights + update_bias)
        inner = r * (h @ output_weights + output_bias) if after else (r * h) @ output_weights
        return (1 - z) * output(given_o + inner) + z * h

    return _run(_inputs(x, weight_ih, of_input), initial_h, step, direction, sequence=bool(output_sequence))


def lstm(
    x: Array,
    *,
    initial_h: Array,
    initial_c: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    peephole: Array | None = None,
    weight_ih_back: Array | None = None,
    weight_hh_back: Array | None = None,
    bias_back: Array | None = None,
    peephole_back: Array | None = None,
    direction: str = "forward",
    output_sequence: Array | bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: Array | float | None = None,
) -> tuple[Array, Array, Array]:
    """Gates i, f, o and z in this order in weights and biases: c = f c + i z, h = o activation(c). Shapes as in `rnn`.

    Both directions have their states side by side, the forward one first.

    Returns:
        The states of all steps, or of the last; the last state; and the last memory.
    """
    functions = (_activation(recurrent_activation), _activation(cell_activation), _activation(activation))
    limit = None if clip is None else np.float32(clip)
    sequence = bool(output_sequence)
    if direction != "bidirectional":
        cell = _Cell(weight_hh, peephole, functions, limit)
        return cell.run(_inputs(x, weight_ih, bias), initial_h, initial_c, direction, sequence=sequence)
    if weight_ih_back is None or weight_hh_back is None:
        raise ValueError("it goes both ways and has weights for one")
    size = weight_hh.shape[1]
    there = _Cell(weight_hh, peephole, functions, limit).run(
        _inputs(x, weight_ih, bias), initial_h[:, :size], initial_c[:, :size], "forward", sequence=sequence
    )
    back = _Cell(weight_hh_back, peephole_back, functions, limit).run(
        _inputs(x, weight_ih_back, bias_back), initial_h[:, size:], initial_c[:, size:], "reverse", sequence=sequence
    )
    in_order = (back[0][::-1], *back[1:])
    y, h, c = (np.concatenate(pair, axis=-1) for pair in zip(there, in_order, strict=True))
    return y, h, c


class _Cell:
    """One direction of an LSTM."""

    def __init__(
        self, weight: Array, peephole: Array | None, functions: tuple[Function, Function, Function], clip: np.float32 | None
    ) -> None:
        self._weight = np.ascontiguousarray(weight.T)
        self._size = weight.shape[1]
        self._peephole = None if peephole is None else peephole.reshape(3, self._size)
        self._gate, self._cell, self._output = functions
        self._clip = clip

    def run(self, given: Array, h: Array, c: Array, direction: str, *, sequence: bool) -> tuple[Array, Array, Array]:
        memory = c

        def step(now: Array, state: Array) -> Array:
            nonlocal memory
            state, memory = self._step(now, state, memory)
            return state

        states, last = _run(given, h, step, direction, sequence=sequence)
        return states, last, memory

    def _step(self, given: Array, h: Array, c: Array) -> tuple[Array, Array]:
        size = self._size
        gates = given + h @ self._weight
        i, f, o, z = (gates[:, at * size : (at + 1) * size] for at in range(4))
        if self._peephole is not None:
            i, f = i + self._peephole[0] * c, f + self._peephole[1] * c
        memory = self._gate(f) * c + self._gate(i) * self._cell(z)
        if self._clip is not None:
            memory = np.clip(memory, -self._clip, self._clip)
        if self._peephole is not None:
            o = o + self._peephole[2] * memory
        return self._gate(o) * self._output(memory), memory


def _inputs(x: Array, weight: Array, bias: Array | None) -> Array:
    """What every step is given: steps x batch x gates."""
    out = x @ weight.T
    if bias is not None:
        out += bias
    return out


def _run(
    given: Array, h: Array, step: Callable[[Array, Array], Array], direction: str, *, sequence: bool
) -> tuple[Array, Array]:
    if direction not in ("forward", "reverse"):
        raise ValueError(f"there is no direction `{direction}`")
    states = np.empty((len(given) if sequence else 1, *h.shape), np.float32)
    for at, now in enumerate(given if direction == "forward" else given[::-1]):
        h = step(now, h)
        states[at if sequence else 0] = h
    return states, h


def _activation(name: str) -> Function:
    function = ACTIVATIONS.get(name.lower())
    if function is None:
        raise ValueError(f"there is no activation `{name}`")
    return function


OPS: Table = {"gru": gru, "lstm": lstm, "rnn": rnn}
