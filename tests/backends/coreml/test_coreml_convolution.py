"""Convolutions against sums written out, on shapes that take every way of computing one."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packages.spatial import assert_close, counted, floats, ints, naive_conv

from mmai.backends.coreml.reference.ops import dense, depthwise
from mmai.backends.coreml.reference.ops.convolution import conv, conv_quantized
from mmai.backends.coreml.reference.ops.tiles import pieces, run


def test_a_kernel_of_ones_sums_each_window() -> None:
    assert conv(counted(1, 1, 3, 3), np.ones((1, 1, 2, 2), np.float32)).tolist() == [[[[12, 16], [24, 28]]]]


def test_the_bias_is_added_to_its_own_channel() -> None:
    out = conv(np.zeros((1, 1, 2), np.float32), np.ones((2, 1, 1), np.float32), np.array([5, -1], np.float32))
    assert out.tolist() == [[[5, 5], [-1, -1]]]


def test_same_padding_has_the_odd_element_behind_and_same_lower_ahead() -> None:
    x, weight = counted(1, 1, 3), np.array([[[1, 10]]], np.float32)
    assert conv(x, weight, pad_type="same").tolist() == [[[21, 32, 3]]]
    assert conv(x, weight, pad_type="same_lower").tolist() == [[[10, 21, 32]]]


def test_same_padding_with_a_stride_gives_the_size_over_the_stride_rounded_up() -> None:
    out = conv(counted(1, 1, 5), np.array([[[1, 10, 100]]], np.float32), strides=ints(2), pad_type="same")
    assert out.tolist() == [[[210, 432, 54]]]


def test_custom_padding_may_differ_at_every_side() -> None:
    out = conv(counted(1, 1, 2, 2), np.ones((1, 1, 2, 2), np.float32), pad_type="custom", pad=ints(1, 0, 0, 2))
    assert out.tolist() == [[[[3, 2, 0], [10, 6, 0]]]]


def test_padding_is_not_looked_at_unless_the_type_is_custom() -> None:
    assert conv(counted(1, 1, 3), np.ones((1, 1, 3), np.float32), pad_type="valid", pad=ints(1, 1)).tolist() == [[[6]]]


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    rank = draw(st.integers(1, 3))
    groups, each_in, each_out = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    kernel = [draw(st.integers(1, 5 if axis == rank - 1 else 3)) for axis in range(rank)]
    dilations = [draw(st.integers(1, 2)) for _ in range(rank)]
    sizes = [(length - 1) * dilation + draw(st.integers(1, 4)) for length, dilation in zip(kernel, dilations, strict=True)]
    sizes[-1] += draw(st.sampled_from([0, 0, 20]))
    return {
        "x": floats(draw(st.integers(1, 2)), groups * each_in, *sizes, seed=1),
        "weight": floats(groups * each_out, each_in, *kernel, seed=2),
        "strides": [draw(st.integers(1, 3)) for _ in range(rank)],
        "dilations": dilations,
        "pad": [draw(st.integers(0, 2)) for _ in range(2 * rank)],
        "groups": groups,
    }


def convolved(case: dict[str, Any]) -> Any:
    lists = {name: ints(*case[name]) for name in ("strides", "dilations", "pad")}
    return conv(case["x"], case["weight"], pad_type="custom", groups=ints(case["groups"])[0], **lists)


@given(convolutions())
def test_a_convolution_is_the_sum_that_its_definition_says(case: dict[str, Any]) -> None:
    assert_close(
        convolved(case), naive_conv(case["x"], case["weight"], **{k: case[k] for k in case if k not in ("x", "weight")})
    )


@pytest.mark.parametrize("spoiled", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("channels", [1, 4])
def test_what_is_infinite_spreads_as_far_as_the_kernel_and_no_further(spoiled: float, channels: int) -> None:
    x, weight = floats(1, channels, 9, 40), floats(channels, 1, 3, 7)
    expected = conv(x, weight, groups=channels)
    x[0, 0, 4, 20] = spoiled
    with np.errstate(invalid="ignore"):  # as the interpreter has it
        out = conv(x, weight, groups=channels)
    met = np.zeros(out.shape, np.bool_)
    met[0, 0, 2:5, 14:21] = True
    assert not np.isfinite(out[met]).any()
    if np.isinf(spoiled):
        assert not np.isnan(out).any()
    assert_close(out[~met], expected[~met])


@pytest.mark.parametrize("floats_at_once", [1, 40, 700])
@pytest.mark.parametrize(("channels", "kernel"), [((4, 2), (3, 3)), ((4, 1), (2, 3)), ((4, 1), (3, 6))])
def test_the_pieces_it_is_computed_in_do_not_show(
    monkeypatch: pytest.MonkeyPatch, floats_at_once: int, channels: tuple[int, int], kernel: tuple[int, int]
) -> None:
    out_channels, each_in = channels
    case: dict[str, Any] = {"x": floats(3, 4, 7, 23), "weight": floats(out_channels, each_in, *kernel), "groups": 4 // each_in}
    settings = {"strides": [2, 1], "dilations": [1, 1], "pad": [1, 1, 2, 0]}
    whole = convolved({**case, **settings})
    monkeypatch.setattr(dense, "GATHERED_FLOATS", floats_at_once)
    monkeypatch.setattr(dense, "FEWEST_PLACES", 1)
    monkeypatch.setattr(depthwise, "GATHERED_FLOATS", floats_at_once)
    assert_close(convolved({**case, **settings}), whole)


def test_an_input_is_never_written_to() -> None:
    for x, weight, groups in ((floats(1, 4, 6), floats(4, 4, 1), 1), (floats(1, 4, 6), floats(4, 1, 5), 4)):
        x.flags.writeable = weight.flags.writeable = False
        out = conv(x, weight, floats(4), groups=groups)
        assert not np.shares_memory(out, x)


def test_gathering_stays_within_bounds_for_a_large_image() -> None:
    x, weight = np.zeros((1, 16, 512, 512), np.float32), np.zeros((4, 16, 3, 3), np.float32)
    tracemalloc.start()
    try:
        conv(x, weight, pad_type="same")
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2.5 * x.nbytes  # gathered at once it would be nine times the input


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 40))
def test_pieces_are_runs_that_cover_a_grid_once_and_in_order(steps: list[int], most: int) -> None:
    order = np.arange(np.prod(steps)).reshape(steps)
    runs = [(order[piece].ravel().tolist(), run(piece, steps)) for piece in pieces(steps, most)]
    assert [place for places, _ in runs for place in places] == order.ravel().tolist()
    assert all(places == list(range(part.start, part.stop)) and len(places) <= most for places, part in runs)


def test_no_examples_give_no_results() -> None:
    assert conv(floats(0, 2, 4), floats(3, 2, 1)).shape == (0, 3, 4)


def test_a_kernel_of_one_element_for_each_channel_scales_it() -> None:
    x, weight = floats(2, 6, 3, 3), floats(6, 1, 1, 1)
    assert_close(conv(x, weight, groups=6), x * weight[:, 0])


def test_what_does_not_fit_together_is_said() -> None:
    with pytest.raises(ValueError, match=r"conv of 3 channels in 1 groups cannot take a weight of shape \(2, 4, 1\)"):
        conv(floats(1, 3, 5), floats(2, 4, 1))
    with pytest.raises(ValueError, match="as many axes in the input"):
        conv(floats(1, 3, 5), floats(2, 3, 1, 1))
    with pytest.raises(ValueError, match="a window of 7 does not fit an axis of 5 padded with 0 and 0"):
        conv(floats(1, 1, 5), floats(1, 1, 4), dilations=ints(2))
    with pytest.raises(ValueError, match="`strides` has 1 numbers, 2 are needed"):
        conv(floats(1, 1, 5, 5), floats(1, 1, 1, 1), strides=ints(1))
    with pytest.raises(ValueError, match="pad_type `full` is none of"):
        conv(floats(1, 1, 5), floats(1, 1, 1), pad_type="full")


def test_a_quantized_weight_is_scaled_by_channel() -> None:
    weight = np.array([[[1]], [[3]]], np.uint8)
    scale, offset = np.array([2, 10], np.float32), np.array([0, 1], np.float32)
    given_scale: dict[str, Any] = {"quantization_type": "linear", "quant_scale": scale, "quant_bias": offset}
    assert conv_quantized(counted(1, 1, 2), weight, **given_scale).tolist() == [[[2, 4], [31, 62]]]
    with pytest.raises(ValueError, match="of type `lut` is not taken"):
        conv_quantized(counted(1, 1, 2), weight, **{**given_scale, "quantization_type": "lut"})
