"""Packages with bytes gone wrong: whatever becomes of them is an answer or one sentence."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packages.damage import replaced
from packages.reference import SPECIFICATION, WEIGHTS, program
from packages.toolkit import built, ct, mb

from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import open_reference
from mmai.errors import MmaiError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier with weights in a file, a branch, and a palette."""
    weight = np.random.default_rng(0).normal(size=(4, 16)).astype(np.float32)

    @program(mb.TensorSpec(shape=(1, 16)), target=ct.target.iOS18)
    def judging(x: Any) -> Any:
        table = mb.constexpr_lut_to_dense(
            indices=np.random.default_rng(1).integers(0, 16, (16, 16)).astype(np.uint8),
            lut=np.random.default_rng(2).normal(size=(1, 1, 256, 1)).astype(np.float32),
        )
        hidden = mb.matmul(x=x, y=table)
        large = mb.greater(x=mb.reduce_sum(x=x, keep_dims=False), y=np.float32(0))
        chosen = mb.cond(pred=large, _true_fn=lambda: mb.add(x=hidden, y=x), _false_fn=lambda: mb.sub(x=hidden, y=x))
        return mb.linear(x=chosen, weight=weight, bias=np.zeros(4, np.float32), name="y")

    return built(
        judging,
        tmp_path_factory.mktemp("faults") / "model.mlpackage",
        minimum_deployment_target=ct.target.iOS18,
        classifier_config=ct.ClassifierConfig(["a", "b", "c", "d"]),
    )


async def tried(path: Path) -> None:
    """Open and ask, giving up after a while: a mutated program may well be one that never ends."""
    executor = await open_reference(read_package(path), function=None)
    await asyncio.wait_for(executor.predict({"x": np.ones((1, 16), np.float32)}), 20)


def test_the_package_answers_as_it_is(model: Path) -> None:
    asyncio.run(tried(model))


@pytest.mark.parametrize("file", [SPECIFICATION, WEIGHTS])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_bytes_gone_wrong_are_an_answer_or_one_of_our_errors(
    model: Path, file: str, changes: list[tuple[float, int]], kept: float
) -> None:
    whole = (model / file).read_bytes()
    mutated = bytearray(whole)
    for place, byte in changes:
        mutated[int(place * len(mutated))] = byte
    try:
        replaced(model / file, bytes(mutated[: int(kept * len(mutated))]))
        with suppress(MmaiError):
            asyncio.run(tried(model))
    finally:
        replaced(model / file, whole)
