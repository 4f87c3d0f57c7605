"""Kernels against what can be worked out by hand, or written down in a plain loop."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.coreml.reference.ops import KERNELS

RANDOM = np.random.default_rng(3)


def floats(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


def ints(*values: Any) -> Any:
    return np.array(values, np.int32)


def test_the_error_function_is_exact_to_float32() -> None:
    from math import erf

    x = np.linspace(-6, 6, 100_001).astype(np.float32)
    exact = np.array([erf(float(each)) for each in x])
    assert np.abs(KERNELS["erf"](x) - exact).max() < 4e-7
    assert KERNELS["erf"](np.float32([0, np.inf, -np.inf])).tolist() == [0, 1, -1]


def test_an_activation_of_a_huge_number_does_not_overflow() -> None:
    huge = np.float32([-1e4, 1e4])
    assert KERNELS["sigmoid"](huge).tolist() == [0, 1]
    assert KERNELS["softplus"](huge).tolist() == [0, 1e4]
    assert KERNELS["softmax"](huge, axis=-1).tolist() == [0, 1]
    assert KERNELS["gelu"](huge, mode="EXACT").tolist() == [0, 1e4]
    assert KERNELS["reduce_log_sum_exp"](huge, axes=ints(0)).tolist() == 1e4


def test_fp16_is_rounded_and_kept_in_float32() -> None:
    with np.errstate(over="ignore"):  # as the interpreter has it
        out = KERNELS["cast"](np.float32([2049, 1e6, 0.1]), dtype="fp16")
    assert out.dtype == np.float32
    assert out.tolist() == [2048, np.inf, float(np.float16(0.1))]


def test_whole_numbers_are_cut_off_towards_zero() -> None:
    assert KERNELS["cast"](np.float32([-1.7, 1.7]), dtype="int32").tolist() == [-1, 1]
    assert KERNELS["real_div"](ints(-7, 7), y=ints(2, 2)).tolist() == [-3, 3]
    assert KERNELS["floor_div"](ints(-7, 7), y=ints(2, 2)).tolist() == [-4, 3]


def test_interleaving_takes_one_of_each_in_turn() -> None:
    pairs = [np.float32([[1, 2]]), np.float32([[3, 4]])]
    assert KERNELS["concat"](values=pairs, axis=1, interleave=True).tolist() == [[1, 3, 2, 4]]


def test_a_zero_in_a_shape_keeps_the_size_that_is_there() -> None:
    assert KERNELS["reshape"](floats(2, 3, 4), shape=ints(0, -1)).shape == (2, 12)


def test_attention_looks_where_its_mask_says() -> None:
    query, key, value = floats(1, 2, 4), floats(1, 3, 4), floats(1, 3, 5)
    attend = KERNELS["scaled_dot_product_attention"]
    first = np.array([[True, False, False]] * 2)
    np.testing.assert_allclose(
        attend(query=query, key=key, value=value, attn_mask=first), np.repeat(value[:, :1], 2, 1), rtol=1e-6
    )
    scores = query @ key.transpose(0, 2, 1) / 2
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(attend(query=query, key=key, value=value), shares @ value, rtol=1e-5)
    added = np.where(first, 0, -np.inf).astype(np.float32)
    np.testing.assert_allclose(
        attend(query=query, key=key, value=value, attn_mask=added), np.repeat(value[:, :1], 2, 1), rtol=1e-6
    )


def test_one_hot_has_no_row_for_an_index_outside() -> None:
    out = KERNELS["one_hot"](
        indices=ints(1, 3, -1), one_hot_vector_size=3, axis=-1, on_value=np.float32(5), off_value=np.float32(0)
    )
    assert out.tolist() == [[0, 5, 0], [0, 0, 0], [0, 0, 0]]
    assert KERNELS["one_hot"](indices=ints(1), one_hot_vector_size=2, axis=0).tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("update", [1, 30, 3]),
        ("add", [1, 52, 3]),
        ("sub", [1, -48, 3]),
        ("mul", [1, 1200, 3]),
        ("max", [1, 30, 3]),
        ("min", [1, 2, 3]),
    ],
)
def test_scattering_changes_the_same_element_as_often_as_it_is_named(mode: str, expected: list[int]) -> None:
    out = KERNELS["scatter"](data=np.float32([1, 2, 3]), indices=ints(1, 1), updates=np.float32([20, 30]), axis=0, mode=mode)
    assert out.tolist() == expected


def test_scattering_leaves_what_it_was_given() -> None:
    data = np.float32([1, 2, 3])
    KERNELS["scatter_nd"](data=data, indices=ints([0]), updates=np.float32([9]), mode="update")
    KERNELS["slice_update"](data, update=np.float32([9]), begin=ints(0), end=ints(1))
    assert data.tolist() == [1, 2, 3]


def test_scattering_along_an_axis_stays_in_its_line() -> None:
    out = KERNELS["scatter_along_axis"](
        data=np.zeros((2, 3), np.float32),
        indices=ints([2, 0], [1, 1]),
        updates=np.float32([[1, 2], [3, 4]]),
        axis=1,
        mode="add",
    )
    assert out.tolist() == [[2, 0, 1], [0, 7, 0]]


def test_points_are_gathered_batch_by_batch() -> None:
    x = np.arange(12).reshape(3, 4).astype(np.float32)
    assert KERNELS["gather_nd"](x, indices=ints([1, 2], [0, 3])).tolist() == [6, 3]
    assert KERNELS["gather_nd"](x, indices=ints([1], [0], [3]), batch_dims=1).tolist() == [1, 4, 11]
    assert KERNELS["scatter_nd"](data=x, indices=ints([0, 0]), updates=np.float32([7]), mode="update")[0, 0] == 7


def test_an_index_outside_is_named() -> None:
    for operation, more in (("gather", {"axis": 0}), ("gather_along_axis", {"axis": 0}), ("gather_nd", {})):
        with pytest.raises(ValueError, match="there is no index 5 in an axis of 3"):
            KERNELS[operation](floats(3), indices=ints(5) if operation != "gather_nd" else ints([5]), **more)


def test_negative_indices_count_from_the_end() -> None:
    assert KERNELS["gather"](np.float32([1, 2, 3]), indices=ints(-1), axis=0).tolist() == [3]


def test_a_slice_is_replaced() -> None:
    out = KERNELS["slice_update"](
        np.zeros((3, 4), np.float32), update=np.ones((2, 2), np.float32), begin=ints(1, 0), end=ints(3, 4), stride=ints(1, 2)
    )
    assert out.tolist() == [[0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]]


def test_sequences_are_reversed_over_their_own_length() -> None:
    x = np.float32([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert KERNELS["reverse_sequence"](x, lengths=ints(2, 4), seq_axis=1, batch_axis=0).tolist() == [[2, 1, 3, 4], [8, 7, 6, 5]]


def test_running_sums_leave_themselves_out_where_asked() -> None:
    x = np.float32([1, 2, 3])
    assert KERNELS["cumsum"](x, exclusive=True).tolist() == [0, 1, 3]
    assert KERNELS["cumsum"](x, exclusive=True, reverse=True).tolist() == [5, 3, 0]


def test_equals_keep_their_order() -> None:
    x = np.float32([1, 3, 3, 2])
    values, indices = KERNELS["topk"](x, k=3, axis=0)
    assert (values.tolist(), indices.tolist()) == ([3, 3, 2], [1, 2, 3])
    assert KERNELS["topk"](x, k=1, axis=0, return_indices=False).tolist() == [3]
    assert KERNELS["argsort"](x, axis=0, ascending=True).tolist() == [0, 3, 1, 2]


def test_boxes_that_overlap_a_better_one_are_left_out() -> None:
    boxes = np.float32([[[5, 5, 10, 10], [6, 5, 10, 10], [50, 50, 10, 10], [80, 80, 4, 4]]])
    scores = np.float32([[[0.9], [0.8], [0.7], [0.01]]])
    kept, kept_scores, indices, count = KERNELS["non_maximum_suppression"](
        boxes=boxes, scores=scores, iou_threshold=0.5, score_threshold=0.1, max_boxes=3
    )
    assert indices.tolist() == [[0, 2, -1]]
    assert count.tolist() == [2]
    assert kept[0, :2].tolist() == boxes[0, [0, 2]].tolist()
    assert kept_scores[0, :, 0].tolist() == [np.float32(0.9), np.float32(0.7), 0]


def test_boxes_of_other_classes_are_kept_where_each_class_is_for_itself() -> None:
    boxes = np.float32([[[5, 5, 10, 10], [5, 5, 10, 10]]])
    scores = np.float32([[[0.9, 0.1], [0.1, 0.8]]])
    ask = {"boxes": boxes, "scores": scores, "iou_threshold": 0.5, "score_threshold": 0.2, "max_boxes": 2}
    assert KERNELS["non_maximum_suppression"](**ask)[3].tolist() == [1]
    assert KERNELS["non_maximum_suppression"](**ask, per_class_suppression=True)[3].tolist() == [2]


def test_random_numbers_come_again_with_their_seed() -> None:
    for name in ("random_uniform", "random_normal", "random_bernoulli"):
        first, second = (KERNELS[name](shape=ints(4, 5), seed=9) for _ in range(2))
        assert first.shape == (4, 5)
        assert (first == second).all()
    sure = np.float32([[-100, 100, -100]])
    assert KERNELS["random_categorical"](sure, mode="logits", size=4, seed=1).tolist() == [[1, 1, 1, 1]]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x.astype(np.float64)))


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("peephole", [False, True])
def test_an_lstm_is_its_formula(direction: str, peephole: bool) -> None:
    size, x = 3, floats(5, 2, 4)
    w, r, b, p = floats(12, 4), floats(12, 3), floats(12), floats(9)
    h, c = floats(2, size), floats(2, size)
    y, last, memory = KERNELS["lstm"](
        x,
        initial_h=h,
        initial_c=c,
        weight_ih=w,
        weight_hh=r,
        bias=b,
        peephole=p if peephole else None,
        direction=direction,
        output_sequence=True,
    )
    states = {}
    for t in range(5) if direction == "forward" else reversed(range(5)):
        i, f, o, z = np.split(x[t].astype(np.float64) @ w.T + h @ r.T + b, 4, axis=1)
        pi, pf, po = np.split(p if peephole else np.zeros(9), 3)
        c = sigmoid(f + pf * c) * c + sigmoid(i + pi * c) * np.tanh(z)
        h = sigmoid(o + po * c) * np.tanh(c)
        states[t] = h
    np.testing.assert_allclose(y, np.stack([states[t] for t in range(5)]), atol=1e-5)
    np.testing.assert_allclose(last, h, atol=1e-5)
    np.testing.assert_allclose(memory, c, atol=1e-5)


def test_an_lstm_both_ways_is_two_side_by_side() -> None:
    x, weights = floats(4, 1, 2), {name: floats(8, 2) for name in ("there", "r", "back", "q")}
    h, c = floats(1, 4), floats(1, 4)
    lstm = KERNELS["lstm"]
    both = lstm(
        x,
        initial_h=h,
        initial_c=c,
        weight_ih=weights["there"],
        weight_hh=weights["r"],
        weight_ih_back=weights["back"],
        weight_hh_back=weights["q"],
        direction="bidirectional",
        output_sequence=True,
    )
    for part, names, direction in ((slice(0, 2), ("there", "r"), "forward"), (slice(2, 4), ("back", "q"), "reverse")):
        one = lstm(
            x,
            initial_h=h[:, part],
            initial_c=c[:, part],
            weight_ih=weights[names[0]],
            weight_hh=weights[names[1]],
            direction=direction,
            output_sequence=True,
        )
        for ours, theirs in zip(both, one, strict=True):
            np.testing.assert_array_equal(ours[..., part], theirs)


def test_a_gru_is_its_formula() -> None:
    x, w, r, b, h = floats(4, 2, 3), floats(6, 3), floats(6, 2), floats(6), floats(2, 2)
    y, last = KERNELS["gru"](x, initial_h=h, weight_ih=w, weight_hh=r, bias=b)
    for t in range(4):
        given = x[t].astype(np.float64) @ w.T + b
        reset, update = sigmoid(given[:, :2] + h @ r[:2].T), sigmoid(given[:, 4:] + h @ r[4:].T)
        new = np.tanh(given[:, 2:4] + (reset * h) @ r[2:4].T)
        h = (1 - update) * new + update * h
    assert y.shape == (1, 2, 2)
    np.testing.assert_allclose(last, h, atol=1e-5)
    np.testing.assert_allclose(y[0], last)


def test_a_plain_recurrent_layer_is_its_formula() -> None:
    x, w, r, h = floats(3, 1, 2), floats(2, 2), floats(2, 2), floats(1, 2)
    y, last = KERNELS["rnn"](x, initial_h=h, weight_ih=w, weight_hh=r, activation="relu", output_sequence=True)
    for t in range(3):
        h = np.maximum(x[t] @ w.T + h @ r.T, 0)
    np.testing.assert_allclose(last, h, atol=1e-5)
    assert y.shape == (3, 1, 2)


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.data(),
)
def test_splitting_and_joining_is_nothing(shape: list[int], data: st.DataObject) -> None:
    x = np.arange(int(np.prod(shape))).reshape(shape).astype(np.float32)
    axis = data.draw(st.integers(0, len(shape) - 1))
    cut = data.draw(st.integers(0, shape[axis]))
    parts = KERNELS["split"](x, split_sizes=ints(cut, shape[axis] - cut), axis=axis)
    assert (KERNELS["concat"](values=list(parts), axis=axis) == x).all()


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=8),
    st.integers(-9, 9),
    st.integers(-9, 9),
    st.sampled_from([-2, -1, 1, 3]),
)
def test_a_slice_is_what_python_makes_of_it(items: list[int], begin: int, end: int, stride: int) -> None:
    x = np.array(items, np.int32)
    assert (
        KERNELS["slice_by_index"](x, begin=ints(begin), end=ints(end), stride=ints(stride)).tolist() == items[begin:end:stride]
    )
