"""Kernels against what PyTorch 2.13 gave for the same numbers, rounded to six places."""

from typing import Any

import numpy as np
import pytest
from packages.waves import wave

from mmai.backends.coreml.reference.ops import KERNELS


def f32(values: Any) -> Any:
    return np.array(values, np.float32)


def agree(found: Any, recorded: Any) -> None:
    np.testing.assert_allclose(found, f32(recorded), atol=2e-6)


X = wave(3, 2, 2, step=0.7)
H = wave(2, 4, step=0.3)
C = wave(2, 4, step=0.5)

LSTM: dict[str, Any] = {
    "weight_ih": wave(8, 2, step=1.1),
    "weight_hh": wave(8, 2, step=1.3),
    "bias": wave(8, step=2.1),
    "weight_ih_back": wave(8, 2, step=1.7),
    "weight_hh_back": wave(8, 2, step=1.9),
    "bias_back": wave(8, step=2.3),
}
LSTM_STATES = (
    ((0.082672, 0.378601, -0.061994, 0.066317), (0.071908, 0.069693, -0.26607, -0.123734)),
    ((0.302756, 0.205378, 0.195549, -0.035572), (0.143917, 0.132345, -0.188187, -0.327059)),
    ((0.109112, 0.178333, 0.004202, 0.368453), (0.073587, 0.063843, -0.078581, -0.474373)),
)
LSTM_LAST = ((0.109112, 0.178333, -0.061994, 0.066317), (0.073587, 0.063843, -0.26607, -0.123734))
LSTM_MEMORY = ((0.866741, 0.270151, -0.45274, 0.075149), (1.008481, 0.113977, -1.133093, -0.16167))


def test_an_lstm_that_goes_both_ways() -> None:
    states, last, memory = KERNELS["lstm"](X, initial_h=H, initial_c=C, direction="bidirectional", output_sequence=True, **LSTM)
    agree(states, LSTM_STATES)
    agree(last, LSTM_LAST)
    agree(memory, LSTM_MEMORY)


def test_the_way_back_alone_begins_with_the_last_step() -> None:
    back = {name.removesuffix("_back"): value for name, value in LSTM.items() if name.endswith("_back")}
    states, last, memory = KERNELS["lstm"](
        X, initial_h=H[:, 2:], initial_c=C[:, 2:], direction="reverse", output_sequence=True, **back
    )
    agree(states, f32(LSTM_STATES)[::-1, :, 2:])
    agree(last, f32(LSTM_LAST)[:, 2:])
    agree(memory, f32(LSTM_MEMORY)[:, 2:])


def test_a_gru_whose_reset_comes_after_the_product() -> None:
    states, last = KERNELS["gru"](
        X,
        initial_h=H[:, :2],
        weight_ih=wave(6, 2, step=1.1),
        weight_hh=wave(6, 2, step=1.3),
        input_bias=wave(6, step=2.1),
        bias=wave(6, step=2.3),
        reset_after=True,
        output_sequence=True,
    )
    recorded = f32(
        [
            [[0.756132, 0.631124], [0.856329, 0.971488]],
            [[0.799703, 0.507939], [0.930232, 0.799128]],
            [[0.884018, 0.542009], [0.819611, 0.820022]],
        ]
    )
    agree(states, recorded)
    agree(last, recorded[-1])


def test_a_plain_recurrent_layer() -> None:
    weights = {"weight_ih": wave(2, 2, step=1.1), "weight_hh": wave(2, 2, step=1.3), "bias": wave(2, step=2.1)}
    states, last = KERNELS["rnn"](X, initial_h=H[:, :2], output_sequence=True, **weights)
    recorded = f32(
        [
            [[0.992775, -0.989308], [0.997621, -0.993628]],
            [[0.284462, 0.201566], [-0.073554, 0.075667]],
            [[0.945482, -0.953878], [0.98377, -0.952397]],
        ]
    )
    agree(states, recorded)
    agree(last, recorded[-1])


POINTS = f32([-6, -3, -1.5, -0.5, -1e-3, 0, 0.25, 1, 2.5, 7])
ACTIVATIONS: dict[str, tuple[dict[str, Any], tuple[float, ...]]] = {
    "gelu": ({}, (0, -0.00405, -0.100211, -0.154269, -0.0005, 0, 0.149677, 0.841345, 2.484476, 7)),
    "elu": ({"alpha": 0.7}, (-0.698265, -0.665149, -0.543809, -0.275429, -0.0007, 0, 0.25, 1, 2.5, 7)),
    "softplus": ({}, (0.002476, 0.048587, 0.201413, 0.474077, 0.692647, 0.693147, 0.825939, 1.313262, 2.57889, 7.000912)),
    "silu": ({}, (-0.014836, -0.142278, -0.273638, -0.18877, -0.0005, 0, 0.140544, 0.731059, 2.310354, 6.993623)),
    "softsign": ({}, (-0.857143, -0.75, -0.6, -0.333333, -0.000999, 0, 0.2, 0.5, 0.714286, 0.875)),
    "leaky_relu": ({"alpha": 0.2}, (-1.2, -0.6, -0.3, -0.1, -0.0002, 0, 0.25, 1, 2.5, 7)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation(name: str) -> None:
    parameters, recorded = ACTIVATIONS[name]
    agree(KERNELS[name](POINTS, **parameters), recorded)


def test_gelu_by_the_tangent() -> None:
    recorded = (0, -0.003637, -0.100428, -0.154286, -0.0005, 0, 0.149675, 0.841192, 2.484916, 7)
    agree(KERNELS["gelu"](POINTS, mode="TANH_APPROXIMATION"), recorded)


MASKS: dict[str, tuple[Any, Any]] = {
    "none": (
        None,
        (
            ((0.412002, 0.711763, -0.03121, -0.72846), (-0.117631, 0.540843, 0.406981, -0.323109), (0.184756, 0.786032, 0.235769, -0.659896)),
            ((-0.509449, -0.619369, 0.178088, 0.714646), (0.333545, -0.583492, -0.645712, 0.238038), (-0.580725, -0.662574, 0.22625, 0.783617)),
        ),
    ),
    "of truths": (
        np.array([[True, False, True], [True, True, False], [False, True, True]]),
        (
            ((0.561972, 0.493314, -0.29805, -0.65277), (0.68995, 0.692088, -0.319684, -0.863119), (-0.022355, 0.857975, 0.481369, -0.600444)),
            ((-0.585994, -0.549178, 0.292185, 0.705496), (-0.276147, -0.90891, -0.210118, 0.796497), (0.171553, -0.78725, -0.59273, 0.470141)),
        ),
    ),
    "of numbers": (
        wave(3, 3, step=2.9),
        (
            ((0.366405, 0.614274, -0.03777, -0.634481), (0.068605, 0.757694, 0.336759, -0.577529), (0.212665, 0.573351, 0.094076, -0.52302)),
            ((-0.426689, -0.563978, 0.124962, 0.630833), (0.029158, -0.855048, -0.486606, 0.594715), (-0.719299, -0.591683, 0.40275, 0.807153)),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mask", MASKS)
def test_attention(mask: str) -> None:
    given, recorded = MASKS[mask]
    query, key, value = (wave(1, 2, 3, 4, step=step) for step in (0.7, 1.1, 1.3))
    agree(KERNELS["scaled_dot_product_attention"](query=query, key=key, value=value, attn_mask=given)[0], recorded)


SCATTERED = {
    "update": ((-0.70554, 0.808496, -0.157746, 0.334988), (-0.350783, 0.311541, -0.982453, 0.584917), (0.891207, 0.656987, 0.988168, 0.854599)),
    "add": ((-0.061323, 1.793946, 0.705464, 0.334988), (-0.350783, -0.560034, -0.982453, -0.997952), (0.908021, 0.656987, 1.976336, 0.854599)),
    "mul": ((-0.454522, 0.796733, -0.136168, 0.334988), (-0.350783, -0.271532, -0.982453, 0.351368), (0.014985, 0.656987, 0.976476, 0.854599)),
    "max": ((0.644218, 0.98545, 0.863209, 0.334988), (-0.350783, 0.311541, -0.982453, 0.584917), (0.891207, 0.656987, 0.988168, 0.854599)),
    "min": ((-0.70554, 0.808496, -0.157746, 0.334988), (-0.350783, -0.871576, -0.982453, -0.951602), (0.016814, 0.656987, 0.988168, 0.854599)),
}  # fmt: skip


@pytest.mark.parametrize("mode", SCATTERED)
def test_scattering_along_an_axis(mode: str) -> None:
    indices = np.array([[2, 0, 0, 1], [0, 1, 2, 1]], np.int32)
    updates = wave(2, 4, step=1.1)
    found = KERNELS["scatter_along_axis"](data=wave(3, 4, step=0.7), indices=indices, updates=updates, axis=0, mode=mode)
    agree(found, SCATTERED[mode])


def test_scattering_rows_of_the_second_axis() -> None:
    indices = np.array([3, 0, 3], np.int32)
    found = KERNELS["scatter"](data=wave(3, 4, step=0.7), indices=indices, updates=wave(3, 3, step=1.1), axis=1, mode="add")
    agree(
        found,
        [
            [1.452714, 0.98545, 0.863209, 1.06845],
            [-1.056324, -0.871576, -0.982453, -1.271327],
            [0.601731, 0.656987, 0.988168, 1.385231],
        ],
    )


def test_scattering_at_points() -> None:
    indices = np.array([[0, 1], [2, 3], [0, 1]], np.int32)
    found = KERNELS["scatter_nd"](data=wave(3, 4, step=0.7), indices=indices, updates=wave(3, step=1.1), mode="add")
    agree(
        found,
        [
            [0.644218, 1.718911, 0.863209, 0.334988],
            [-0.350783, -0.871576, -0.982453, -0.631267],
            [0.016814, 0.656987, 0.988168, 1.663095],
        ],
    )


def test_a_sum_over_named_axes() -> None:
    values = [wave(1, 2, 1, 2, step=0.7), wave(1, 3, 1, 2, step=1.1)]
    found = KERNELS["einsum"](values=values, equation="bchq,bkhc->bkhq")
    agree(found[0, :, 0], [[1.272033, 1.149077], [-0.923054, -0.474226], [-0.185596, -0.590912]])
