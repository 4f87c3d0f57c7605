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


def f32(values: Any) -> Any:
    return np.array(values, np.float32)


def ints(*values: Any) -> Any:
    return np.array(values, np.int32)


def test_the_error_function_is_exact_to_float32() -> None:
    from math import erf

    x = np.linspace(-6, 6, 100_001).astype(np.float32)
    exact = np.array([erf(float(each)) for each in x])
    assert np.abs(KERNELS["erf"](x) - exact).max() < 4e-7
    assert KERNELS["erf"](f32([0, np.inf, -np.inf])).tolist() == [0, 1, -1]


def test_an_activation_of_a_huge_number_does_not_overflow() -> None:
    huge = f32([-1e4, 1e4])
    assert KERNELS["sigmoid"](huge).tolist() == [0, 1]
    assert KERNELS["softplus"](huge).tolist() == [0, 1e4]
    assert KERNELS["softmax"](huge, axis=-1).tolist() == [0, 1]
    assert KERNELS["gelu"](huge, mode="EXACT").tolist() == [0, 1e4]
    assert KERNELS["reduce_log_sum_exp"](huge, axes=ints(0)).tolist() == 1e4


def test_fp16_is_rounded_and_kept_in_float32() -> None:
    with np.errstate(over="ignore"):  # as the interpreter has it
        out = KERNELS["cast"](f32([2049, 1e6, 0.1]), dtype="fp16")
    assert out.dtype == np.float32
    assert out.tolist() == [2048, np.inf, float(np.float16(0.1))]


def test_what_is_too_large_for_a_whole_type_becomes_its_largest() -> None:
    huge = f32([np.nan, np.inf, -np.inf, 3e9, 2147483520, -1.5])
    assert KERNELS["cast"](huge, dtype="int32").tolist() == [0, 2**31 - 1, -(2**31), 2**31 - 1, 2147483520, -1]
    assert KERNELS["cast"](f32([300, -7, 254.9]), dtype="uint8").tolist() == [255, 0, 254]
    assert KERNELS["cast"](f32([]), dtype="int8").tolist() == []
    with pytest.raises(ValueError, match="there is no cast to `fp8`"):
        KERNELS["cast"](huge, dtype="fp8")


def test_whole_numbers_are_cut_off_towards_zero() -> None:
    assert KERNELS["cast"](f32([-1.7, 1.7]), dtype="int32").tolist() == [-1, 1]
    assert KERNELS["real_div"](ints(-7, 7), y=ints(2, 2)).tolist() == [-3, 3]
    assert KERNELS["floor_div"](ints(-7, 7), y=ints(2, 2)).tolist() == [-4, 3]


def test_interleaving_takes_one_of_each_in_turn() -> None:
    pairs = [f32([[1, 2]]), f32([[3, 4]])]
    assert KERNELS["concat"](values=pairs, axis=1, interleave=True).tolist() == [[1, 3, 2, 4]]


def test_scalars_are_joined_to_a_row() -> None:
    assert KERNELS["concat"](values=[np.array(2, np.int32), np.array(5, np.int32)], axis=0).tolist() == [2, 5]


@pytest.mark.parametrize(
    ("given", "wanted", "found"),
    [
        ((2, 3, 4), (0, -1, 0), (2, 3, 4)),
        ((2, 3, 4), (-1, 0), (6, 4)),
        ((2, 50), (1, 0, -1, 0), (1, 1, 2, 50)),  # the example of iOS 17's `reshape`
        ((0, 3), (0, 3), (0, 3)),
        ((), (1, 1), (1, 1)),
    ],
)
def test_a_zero_in_a_shape_keeps_the_size_that_is_there(given: Any, wanted: Any, found: Any) -> None:
    assert KERNELS["reshape"](floats(*given), shape=ints(*wanted)).shape == found


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
    out = KERNELS["scatter"](data=f32([1, 2, 3]), indices=ints(1, 1), updates=f32([20, 30]), axis=0, mode=mode)
    assert out.tolist() == expected


def test_scattering_leaves_what_it_was_given() -> None:
    data = f32([1, 2, 3])
    KERNELS["scatter_nd"](data=data, indices=ints([0]), updates=f32([9]), mode="update")
    KERNELS["slice_update"](data, update=f32([9]), begin=ints(0), end=ints(1))
    assert data.tolist() == [1, 2, 3]


def test_scattering_along_an_axis_stays_in_its_line() -> None:
    out = KERNELS["scatter_along_axis"](
        data=np.zeros((2, 3), np.float32),
        indices=ints([2, 0], [1, 1]),
        updates=f32([[1, 2], [3, 4]]),
        axis=1,
        mode="add",
    )
    assert out.tolist() == [[2, 0, 1], [0, 7, 0]]


def test_points_are_gathered_batch_by_batch() -> None:
    x = np.arange(12).reshape(3, 4).astype(np.float32)
    assert KERNELS["gather_nd"](x, indices=ints([1, 2], [0, 3])).tolist() == [6, 3]
    assert KERNELS["gather_nd"](x, indices=ints([1], [0], [3]), batch_dims=1).tolist() == [1, 4, 11]
    assert KERNELS["scatter_nd"](data=x, indices=ints([0, 0]), updates=f32([7]), mode="update")[0, 0] == 7


def test_an_index_outside_is_named() -> None:
    for operation, more in (("gather", {"axis": 0}), ("gather_along_axis", {"axis": 0}), ("gather_nd", {})):
        with pytest.raises(ValueError, match="there is no index 5 in an axis of 3"):
            KERNELS[operation](floats(3), indices=ints(5) if operation != "gather_nd" else ints([5]), **more)


def test_negative_indices_count_from_the_end() -> None:
    assert KERNELS["gather"](f32([1, 2, 3]), indices=ints(-1), axis=0).tolist() == [3]


@pytest.mark.parametrize(
    "operation", ["gather", "gather_along_axis", "gather_nd", "scatter", "scatter_along_axis", "scatter_nd"]
)
def test_negative_indices_are_errors_where_they_are_validated(operation: str) -> None:
    indices = ints([-1]) if operation.endswith("_nd") else ints(-1)
    given = {"data": floats(3), "updates": f32([1])} if operation.startswith("scatter") else {"x": floats(3)}
    with pytest.raises(ValueError, match="there is no index -1 in an axis of 3"):
        KERNELS[operation](**given, indices=indices, validate_indices=np.array(True))


def test_scattering_knows_no_other_mode() -> None:
    with pytest.raises(ValueError, match="there is no scatter mode `xor`"):
        KERNELS["scatter"](data=floats(3), indices=ints(0), updates=f32([1]), mode="xor")


def test_gathering_of_a_batch_may_be_along_a_later_axis() -> None:
    x, indices = floats(2, 3, 4, 5), RANDOM.integers(0, 4, (2, 6)).astype(np.int32)
    found = KERNELS["gather"](x, indices=indices, axis=2, batch_dims=1)
    assert (found == np.stack([x[at][:, indices[at]] for at in range(2)])).all()


def test_a_slice_is_replaced() -> None:
    out = KERNELS["slice_update"](
        np.zeros((3, 4), np.float32), update=np.ones((2, 2), np.float32), begin=ints(1, 0), end=ints(3, 4), stride=ints(1, 2)
    )
    assert out.tolist() == [[0, 0, 0, 0], [1, 0, 1, 0], [1, 0, 1, 0]]


def test_sequences_are_reversed_over_their_own_length() -> None:
    x = f32([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert KERNELS["reverse_sequence"](x, lengths=ints(2, 4), seq_axis=1, batch_axis=0).tolist() == [[2, 1, 3, 4], [8, 7, 6, 5]]


def test_running_sums_leave_themselves_out_where_asked() -> None:
    x = f32([1, 2, 3])
    assert KERNELS["cumsum"](x, exclusive=True).tolist() == [0, 1, 3]
    assert KERNELS["cumsum"](x, exclusive=True, reverse=True).tolist() == [5, 3, 0]


def test_equals_keep_their_order() -> None:
    x = f32([1, 3, 3, 2])
    values, indices = KERNELS["topk"](x, k=3, axis=0)
    assert (values.tolist(), indices.tolist()) == ([3, 3, 2], [1, 2, 3])
    assert KERNELS["topk"](x, k=1, axis=0, return_indices=False).tolist() == [3]
    assert KERNELS["argsort"](x, axis=0, ascending=True).tolist() == [0, 3, 1, 2]


def test_the_smallest_whole_numbers_are_the_smallest() -> None:
    assert KERNELS["topk"](ints(-(2**31), 5, -7), k=3)[0].tolist() == [5, -7, -(2**31)]
    assert KERNELS["topk"](np.array([0, 255, 7], np.uint8), k=-1)[1].tolist() == [1, 2, 0]
    assert KERNELS["argsort"](np.array([False, True])).tolist() == [1, 0]


def test_boxes_that_overlap_a_better_one_are_left_out() -> None:
    boxes = f32([[[5, 5, 10, 10], [6, 5, 10, 10], [50, 50, 10, 10], [80, 80, 4, 4]]])
    scores = f32([[[0.9], [0.8], [0.7], [0.01]]])
    kept, kept_scores, indices, count = KERNELS["non_maximum_suppression"](
        boxes=boxes, scores=scores, iou_threshold=0.5, score_threshold=0.1, max_boxes=3
    )
    assert indices.tolist() == [[0, 2, -1]]
    assert count.tolist() == [2]
    assert kept[0, :2].tolist() == boxes[0, [0, 2]].tolist()
    assert kept_scores[0, :, 0].tolist() == [np.float32(0.9), np.float32(0.7), 0]


def test_boxes_of_other_classes_are_kept_where_each_class_is_for_itself() -> None:
    boxes = f32([[[5, 5, 10, 10], [5, 5, 10, 10]]])
    scores = f32([[[0.9, 0.1], [0.1, 0.8]]])
    ask = {"boxes": boxes, "scores": scores, "iou_threshold": 0.5, "score_threshold": 0.2, "max_boxes": 2}
    assert KERNELS["non_maximum_suppression"](**ask)[3].tolist() == [1]
    assert KERNELS["non_maximum_suppression"](**ask, per_class_suppression=True)[3].tolist() == [2]


def test_boxes_without_a_threshold_of_scores_are_columns() -> None:
    boxes = f32([[[5, 5, 10, 10], [6, 5, 10, 10], [50, 50, 10, 10]]]).swapaxes(1, 2)
    scores = f32([[[-0.9, -0.8, -0.7]]])
    kept, kept_scores, indices = KERNELS["non_maximum_suppression"](boxes=boxes, scores=scores, iou_threshold=0.5, max_boxes=4)
    assert indices.tolist() == [[2, 1, -1, -1]]
    assert kept.shape == (1, 4, 4)
    assert kept[0, :, 1].tolist() == [6, 5, 10, 10]
    np.testing.assert_allclose(kept_scores, [[[-0.7, -0.8, 0, 0]]])


def test_the_best_box_is_kept_where_none_is_good_enough() -> None:
    boxes, scores = f32([[[5, 5, 10, 10], [6, 5, 10, 10]]]), f32([[[0.1], [0.2]]])
    ask = {"boxes": boxes, "scores": scores, "iou_threshold": 0.5, "score_threshold": 0.9, "max_boxes": 2}
    _, _, indices, count = KERNELS["non_maximum_suppression"](**ask)
    assert (indices.tolist(), count.tolist()) == ([[1, -1]], [1])


def test_random_numbers_come_again_with_their_seed() -> None:
    for name in ("random_uniform", "random_normal", "random_bernoulli"):
        first, second = (KERNELS[name](shape=ints(4, 5), seed=9) for _ in range(2))
        assert first.shape == (4, 5)
        assert (first == second).all()
    sure = f32([[-100, 100, -100]])
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
    # In the order they were computed: in reverse, the last step's first.
    np.testing.assert_allclose(y, np.stack(list(states.values())), atol=1e-5)
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
        in_order = one[0] if direction == "forward" else one[0][::-1]
        for ours, theirs in zip(both, (in_order, *one[1:]), strict=True):
            np.testing.assert_array_equal(ours[..., part], theirs)


def test_an_lstm_keeps_its_memory_within_its_clip() -> None:
    ask = {"initial_h": floats(1, 2), "weight_ih": floats(8, 3), "weight_hh": floats(8, 2), "clip": np.float32(0.25)}
    _, _, memory = KERNELS["lstm"](floats(6, 1, 3), initial_c=f32([[9, -9]]), **ask)
    assert np.abs(memory).max() <= 0.25


def test_recurrent_layers_refuse_what_there_is_not() -> None:
    ask = {"initial_h": floats(1, 2), "weight_ih": floats(2, 3), "weight_hh": floats(2, 2)}
    with pytest.raises(ValueError, match="there is no direction `sideways`"):
        KERNELS["rnn"](floats(2, 1, 3), direction="sideways", **ask)
    with pytest.raises(ValueError, match="there is no activation `maxout`"):
        KERNELS["rnn"](floats(2, 1, 3), activation="maxout", **ask)
    with pytest.raises(ValueError, match="it goes both ways and has weights for one"):
        KERNELS["lstm"](floats(2, 1, 3), initial_c=floats(1, 2), direction="bidirectional", **ask)


@pytest.mark.parametrize("name", ["tanh", "scaled_tanh"])
def test_the_scaled_tangent_of_a_recurrent_layer_has_no_scale(name: str) -> None:
    x, w, r, h = floats(1, 1, 2), floats(2, 2), floats(2, 2), floats(1, 2)
    _, last = KERNELS["rnn"](x, initial_h=h, weight_ih=w, weight_hh=r, activation=name)
    np.testing.assert_allclose(last, np.tanh(x[0] @ w.T + h @ r.T), atol=1e-6)


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


@given(st.data())
def test_a_slice_that_was_replaced_reads_as_what_replaced_it(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    bounds = st.lists(st.integers(-6, 6), min_size=len(shape), max_size=len(shape))
    masks = st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)).map(np.array)
    window = {
        "begin": ints(*data.draw(bounds)),
        "end": ints(*data.draw(bounds)),
        "stride": ints(*data.draw(st.lists(st.sampled_from([-2, -1, 1, 3]), min_size=len(shape), max_size=len(shape)))),
        "begin_mask": data.draw(masks),
        "end_mask": data.draw(masks),
    }
    x = np.zeros(shape, np.float32)
    update = np.ones_like(KERNELS["slice_by_index"](x, **window))
    out = KERNELS["slice_update"](x, update=update, **window)
    assert (KERNELS["slice_by_index"](out, **window) == 1).all()
    assert out.sum() == update.size


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9), st.booleans())
def test_the_top_of_a_list_is_the_beginning_of_it_sorted(items: list[int], ascending: bool) -> None:
    values, where = KERNELS["topk"](ints(*items), k=(len(items) + 1) // 2, ascending=ascending)
    assert values.tolist() == sorted(items, reverse=not ascending)[: len(values)]
    assert [items[at] for at in where] == values.tolist()
