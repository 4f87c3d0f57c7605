"""Operations with inputs, of all those that coremltools computes itself."""

from typing import Any

import numpy as np

RANDOM = np.random.default_rng(7)
X = RANDOM.standard_normal((3, 4, 5)).astype(np.float32)
Y = RANDOM.standard_normal((3, 4, 5)).astype(np.float32)
ROW = RANDOM.standard_normal((5,)).astype(np.float32)
POSITIVE = np.abs(X) + np.float32(0.1)
UNIT = np.tanh(X) * np.float32(0.9)
WHOLE = RANDOM.integers(-9, 9, (3, 4, 5)).astype(np.int32)
OTHER = RANDOM.integers(1, 9, (3, 4, 5)).astype(np.int32)
TRUTH = X > 0
EPSILON = np.float32(1e-3)

UNARY = (
    *((name, X) for name in ("abs", "atan", "ceil", "cos", "erf", "exp", "exp2", "floor", "relu", "relu6", "round", "sigmoid")),
    *((name, X) for name in ("sign", "sin", "sinh", "cosh", "softplus", "softsign", "square", "tan", "tanh")),
    *((name, UNIT) for name in ("acos", "asin", "atanh")),
    ("sqrt", POSITIVE),
    ("logical_not", TRUTH),
    ("abs", WHOLE),
    ("square", WHOLE),
    ("sign", WHOLE),
)
BINARY = (
    *((name, X, Y) for name in ("add", "sub", "mul", "real_div", "maximum", "minimum", "floor_div", "mod")),
    *((name, X, ROW) for name in ("add", "sub", "mul", "maximum", "equal", "less", "greater")),
    *((name, WHOLE, OTHER) for name in ("add", "sub", "mul", "floor_div", "mod", "maximum", "minimum", "real_div")),
    *((name, WHOLE, OTHER) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")),
    *((name, TRUTH, Y > 0) for name in ("logical_and", "logical_or", "logical_xor")),
    ("pow", POSITIVE, Y),
)
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    *((name, {"x": x}) for name, x in UNARY),
    *((name, {"x": x, "y": y}) for name, x, y in BINARY),
    ("clip", {"x": X, "alpha": np.float32(-0.5), "beta": np.float32(0.7)}),
    ("inverse", {"x": POSITIVE, "epsilon": EPSILON}),
    ("log", {"x": POSITIVE, "epsilon": EPSILON}),
    ("rsqrt", {"x": POSITIVE, "epsilon": EPSILON}),
    ("threshold", {"x": X, "alpha": np.float32(0.2)}),
    *(("cast", {"x": x, "dtype": dtype}) for x in (X, WHOLE, TRUTH) for dtype in ("int32", "fp32", "bool")),
    ("cast", {"x": X, "dtype": "fp16"}),
    ("select", {"cond": TRUTH, "a": X, "b": Y}),
    ("elu", {"x": X, "alpha": np.float32(0.7)}),
    ("leaky_relu", {"x": X, "alpha": np.float32(0.1)}),
    ("clamped_relu", {"x": X, "alpha": np.float32(0.1), "beta": np.float32(0.4)}),
    ("linear_activation", {"x": X, "alpha": np.float32(2), "beta": np.float32(1)}),
    ("prelu", {"x": X[None], "alpha": np.array([0.1, 0.2, 0.3], np.float32)}),
    ("scaled_tanh", {"x": X, "alpha": np.float32(1.5), "beta": np.float32(0.5)}),
    ("sigmoid_hard", {"x": X, "alpha": np.float32(0.2), "beta": np.float32(0.5)}),
    ("softplus_parametric", {"x": X, "alpha": np.arange(1, 5).astype(np.float32), "beta": np.full(4, 0.5, np.float32)}),
    ("thresholded_relu", {"x": X, "alpha": np.float32(0.3)}),
    *(("softmax", {"x": X, "axis": axis}) for axis in (-1, 0, 1)),
    *(("gelu", {"x": X, "mode": mode}) for mode in ("EXACT", "TANH_APPROXIMATION", "SIGMOID_APPROXIMATION")),
    *(
        (f"reduce_{name}", {"x": POSITIVE, "axes": axes, "keep_dims": keep})
        for name in ("max", "min", "mean", "sum", "prod", "l1_norm", "l2_norm", "sum_square", "log_sum", "log_sum_exp")
        for axes, keep in ((np.array([1], np.int32), False), (np.array([0, 2], np.int32), True), (np.array([-1], np.int32), False))
    ),
    *((name, {"x": WHOLE, "axes": np.array([1], np.int32), "keep_dims": False}) for name in ("reduce_sum", "reduce_max")),
    *((name, {"x": X, "axis": axis, "keep_dims": keep}) for name in ("reduce_argmax", "reduce_argmin") for axis, keep in ((1, False), (-1, True))),
    *(("cumsum", {"x": X, "axis": axis, "exclusive": False, "reverse": back}) for axis in (0, 2) for back in (False, True)),
    ("linear", {"x": X[0], "weight": Y[1], "bias": np.arange(4).astype(np.float32)}),
    ("matmul", {"x": X, "y": Y, "transpose_x": False, "transpose_y": True}),
    ("matmul", {"x": X, "y": Y, "transpose_x": True, "transpose_y": False}),
    ("einsum", {"values": [X[None], np.ones((1, 5, 4, 2), np.float32)], "equation": "nchw,nwhu->nchu"}),
    ("einsum", {"values": [X[None], Y[None].transpose(0, 3, 2, 1)], "equation": "bchq,bqhk->bchk"}),
    ("einsum", {"values": [X, Y.transpose(2, 1, 0)[:, :1]], "equation": "chw,whr->chr"}),
    ("reshape", {"x": X, "shape": np.array([5, -1, 3], np.int32)}),
    ("transpose", {"x": X, "perm": np.array([2, 0, 1], np.int32)}),
    ("expand_dims", {"x": X, "axes": np.array([0, 3], np.int32)}),
    ("squeeze", {"x": X[:1], "axes": np.array([0], np.int32)}),
    ("flatten2d", {"x": X, "axis": 2}),
    ("stack", {"values": [X, Y], "axis": 1}),
    ("concat", {"values": [X, Y], "axis": 1, "interleave": False}),
    ("tile", {"x": X, "reps": np.array([2, 1, 3], np.int32)}),
    ("reverse", {"x": X, "axes": np.array([0, 2], np.int32)}),
    ("shape", {"x": X}),
    ("identity", {"x": X}),
    ("split", {"x": X, "num_splits": 2, "axis": 1}),
    ("split", {"x": X, "split_sizes": np.array([1, 3, 1], np.int32), "axis": 2}),
    ("pad", {"x": X, "pad": np.array([1, 2, 0, 3], np.int32), "mode": "constant", "constant_val": np.float32(2)}),
    ("pad", {"x": X, "pad": np.array([1, 2], np.int32), "mode": "reflect", "constant_val": np.float32(0)}),
    ("pad", {"x": X, "pad": np.array([1, 2], np.int32), "mode": "replicate", "constant_val": np.float32(0)}),
    ("fill", {"shape": np.array([2, 3], np.int32), "value": np.float32(1.5)}),
    ("fill_like", {"ref_tensor": X, "value": np.float32(1.5)}),
    ("range_1d", {"start": np.int32(2), "end": np.int32(11), "step": np.int32(3)}),
    ("range_1d", {"start": np.float32(2), "end": np.float32(3), "step": np.float32(0.25)}),
    ("non_zero", {"x": X * TRUTH}),
    ("band_part", {"x": X, "lower": 1, "upper": 0}),
    ("band_part", {"x": X, "lower": -1, "upper": 1}),
    ("argsort", {"x": X, "axis": 1, "ascending": True}),
    ("argsort", {"x": X, "axis": -1, "ascending": False}),
    ("topk", {"x": X, "k": 3, "axis": 2, "ascending": False}),
    ("topk", {"x": X, "k": 2, "axis": 0, "ascending": True}),
    ("gather", {"x": X, "indices": np.array([[1, 0], [2, 2]], np.int32), "axis": 0, "batch_dims": 0}),
    ("gather", {"x": X, "indices": np.array([3, 1], np.int32), "axis": 1, "batch_dims": 0}),
    ("gather", {"x": X, "indices": np.array([[1, 0], [2, 2], [3, 3]], np.int32), "axis": 1, "batch_dims": 1}),
    ("gather_along_axis", {"x": X, "indices": RANDOM.integers(0, 4, (3, 2, 5)).astype(np.int32), "axis": 1}),
    ("slice_by_size", {"x": X, "begin": np.array([1, 0, 2], np.int32), "size": np.array([2, -1, 2], np.int32)}),
    ("slice_by_index", {"x": X, "begin": np.array([0, 1, 0], np.int32), "end": np.array([2, 4, 5], np.int32), "stride": np.array([1, 2, 3], np.int32)}),
    (
        "slice_by_index",
        {
            "x": X,
            "begin": np.array([-1, 3, 4], np.int32),
            "end": np.array([0, 0, 0], np.int32),
            "stride": np.array([1, -2, -1], np.int32),
            "begin_mask": np.array([False, False, False]),
            "end_mask": np.array([False, True, True]),
            "squeeze_mask": np.array([True, False, False]),
        },
    ),
)  # fmt: skip
