"""Small random programs, against the same steps in plain NumPy: names, blocks and lifetimes never mix values up."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packages.reference import program
from packages.toolkit import built, mb

from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference

Recipe = tuple[str, list[int], "list[Recipe]"]
"""What to do, with which of the values so far, and what within it."""

SIMPLE: dict[str, Callable[..., Any]] = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum}

FACTOR = np.array([[0.5, -0.25, 1], [0.125, 2, -1]], np.float32)

simple = st.tuples(
    st.sampled_from(["add", "sub", "mul", "maximum", "scale", "join"]), st.lists(st.integers(0, 99), min_size=2, max_size=2)
)
leaf: st.SearchStrategy[Recipe] = simple.map(lambda drawn: (drawn[0], drawn[1], []))
recipes = st.lists(
    st.recursive(
        leaf,
        lambda inner: st.tuples(
            st.sampled_from(["cond", "loop"]),
            st.lists(st.integers(0, 99), min_size=2, max_size=2),
            st.lists(inner, min_size=2, max_size=3),
        ),
        max_leaves=6,
    ),
    min_size=1,
    max_size=5,
)


def build(recipe: Recipe, values: list[Any]) -> Any:
    """One step as MIL."""
    kind, which, inner = recipe
    x, y = (values[index % len(values)] for index in which)
    match kind:
        case "scale":
            return mb.mul(x=x, y=FACTOR)
        case "join":
            return mb.reduce_max(x=mb.stack(values=[x, y, x], axis=0), axes=[0], keep_dims=False)
        case "cond":
            positive = mb.greater(x=mb.reduce_sum(x=x, keep_dims=False), y=mb.reduce_sum(x=y, keep_dims=False))
            return mb.cond(
                pred=positive,
                _true_fn=lambda: mb.identity(x=build_all(inner[:1], values)),
                _false_fn=lambda: mb.identity(x=build_all(inner[1:], values)),
            )
        case "loop":
            zero = mb.mul(x=mb.reduce_sum(x=x, keep_dims=False), y=np.float32(0))
            return mb.while_loop(
                _cond=lambda i, v: mb.less(x=i, y=np.float32(2)),
                _body=lambda i, v: (mb.add(x=i, y=np.float32(1)), mb.identity(x=build_all(inner, [*values, v]))),
                loop_vars=(zero, y),
            )[1]
        case _:
            return getattr(mb, kind)(x=x, y=y)


def build_all(recipes: list[Recipe], values: list[Any]) -> Any:
    values = list(values)
    for recipe in recipes:
        values.append(build(recipe, values))
    return values[-1]


def evaluate(recipe: Recipe, values: list[Any]) -> Any:
    """The same step in NumPy."""
    kind, which, inner = recipe
    x, y = (values[index % len(values)] for index in which)
    match kind:
        case "scale":
            return x * FACTOR
        case "join":
            return np.maximum(x, y)
        case "cond":
            return evaluate_all(inner[:1] if x.sum() > y.sum() else inner[1:], values)
        case "loop":
            return evaluate_all(inner, [*values, evaluate_all(inner, [*values, y])])
        case _:
            return SIMPLE[kind](x, y)


def evaluate_all(recipes: list[Recipe], values: list[Any]) -> Any:
    values = list(values)
    for recipe in recipes:
        values.append(evaluate(recipe, values))
    return values[-1]


# The same programs every time: sums of other orders may round apart, and a branch then go another way.
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(recipes)
def test_a_random_program_gives_what_numpy_gives(tmp_path_factory: pytest.TempPathFactory, steps: list[Recipe]) -> None:
    @program(mb.TensorSpec(shape=(2, 3)), mb.TensorSpec(shape=(2, 3)))
    def random(a: Any, b: Any) -> Any:
        return mb.identity(x=build_all(steps, [a, b]), name="y")

    path = built(random, tmp_path_factory.mktemp("random") / "model.mlpackage")
    given = [np.random.default_rng(seed).integers(-2, 3, (2, 3)).astype(np.float32) for seed in (1, 2)]
    with np.errstate(all="ignore"):
        expected = evaluate_all(steps, given)
    assert np.allclose(answer(path, *given), expected, equal_nan=True)


def answer(path: Path, a: Any, b: Any) -> Any:
    async def asking() -> Any:
        executor = await open_reference(read_package(path), function=None)
        return (await executor.predict({"a": a, "b": b})).outputs["y"]

    return asyncio.run(asking())
