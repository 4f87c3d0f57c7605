"""Programs as the executor `reference` runs them: branches, loops, lists, states, functions, and what is refused."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packages.reference import asked, begun, changed, multifunction, opened, pipeline, program, respecified
from packages.toolkit import built, ct, mb, types

from mmai.backends.coreml.files import read_package
from mmai.backends.coreml.reference import coverage, open_reference, ops
from mmai.backends.coreml.reference.kernel import Array
from mmai.errors import CannotRun, ProviderError, UsageError


def vector(size: int = 3) -> Any:
    return mb.TensorSpec(shape=(size,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.mlpackage"


@pytest.mark.parametrize(("x", "expected"), [([1, 2, 3], [2, 4, 6]), ([-1, -2, 3], [-11, -12, -7])])
def test_a_branch_computes_what_its_condition_says(path: Path, x: list[float], expected: list[float]) -> None:
    @program(vector())
    def branching(x: Any) -> Any:
        positive = mb.greater(x=mb.reduce_sum(x=x, keep_dims=False), y=np.float32(0))
        return mb.cond(
            pred=positive, _true_fn=lambda: mb.add(x=x, y=x), _false_fn=lambda: mb.sub(x=x, y=np.float32(10)), name="y"
        )

    assert asked(opened(built(branching, path)), x=np.array(x, np.float32))["y"].tolist() == expected


def test_a_branch_that_gives_what_was_there_before_gives_that(path: Path) -> None:
    @program(vector(), vector(1))
    def passing(x: Any, choice: Any) -> Any:
        doubled = mb.add(x=x, y=x)
        first = mb.greater(x=mb.reduce_sum(x=choice, keep_dims=False), y=np.float32(0))
        kept = mb.cond(pred=first, _true_fn=lambda: mb.identity(x=doubled), _false_fn=lambda: mb.identity(x=x))
        return mb.add(x=kept, y=doubled, name="y")

    executor = opened(built(passing, path))
    assert asked(executor, x=np.ones(3, np.float32), choice=1)["y"].tolist() == [4, 4, 4]
    assert asked(executor, x=np.ones(3, np.float32), choice=-1)["y"].tolist() == [3, 3, 3]


@pytest.mark.parametrize(("start", "rounds"), [(0, 5), (4, 1), (5, 0), (99, 0)])
def test_a_loop_goes_on_while_its_condition_holds(path: Path, start: float, rounds: int) -> None:
    @program(vector(), vector(1))
    def looping(x: Any, start: Any) -> Any:
        first = mb.reduce_sum(x=start, keep_dims=False)
        return mb.while_loop(
            _cond=lambda i, v: mb.less(x=i, y=np.float32(5)),
            _body=lambda i, v: (mb.add(x=i, y=np.float32(1)), mb.add(x=v, y=x)),
            loop_vars=(first, x),
            name="y",
        )[1]

    found = asked(opened(built(looping, path)), x=np.array([1, 2, 3], np.float32), start=start)
    assert next(iter(found.values())).tolist() == [(rounds + 1) * each for each in (1, 2, 3)]


def test_loops_within_loops_keep_their_values_apart(path: Path) -> None:
    def counted(limit: float, inner: Any) -> Any:
        return {
            "_cond": lambda i, v: mb.less(x=i, y=np.float32(limit)),
            "_body": lambda i, v: (mb.add(x=i, y=np.float32(1)), inner(i, v)),
        }

    @program(vector())
    def nested(x: Any) -> Any:
        zero = mb.mul(x=mb.reduce_sum(x=x, keep_dims=False), y=np.float32(0))

        def inner(outer: Any, v: Any) -> Any:
            return mb.while_loop(**counted(3, lambda i, w: mb.add(x=w, y=mb.add(x=i, y=outer))), loop_vars=(zero, v))[1]

        return mb.while_loop(**counted(2, inner), loop_vars=(zero, x))[1]

    # sum of (inner + outer) over outer 0..1 and inner 0..2
    found = asked(opened(built(nested, path)), x=np.zeros(3, np.float32))
    assert next(iter(found.values())).tolist() == [9, 9, 9]


def test_a_list_is_filled_in_a_loop_and_gathered(path: Path) -> None:
    @program(vector(2))
    def filling(x: Any) -> Any:
        rows = mb.make_list(init_length=1, dynamic_length=True, elem_shape=(np.int32(2),), dtype="fp32")
        zero = mb.cast(x=mb.mul(x=mb.reduce_sum(x=x, keep_dims=False), y=np.float32(0)), dtype="int32")

        def body(i: Any, ls: Any, v: Any) -> Any:
            return mb.add(x=i, y=1), mb.list_write(ls=ls, index=i, value=v), mb.add(x=v, y=v)

        _, filled, last = mb.while_loop(_cond=lambda i, ls, v: mb.less(x=i, y=4), _body=body, loop_vars=(zero, rows, x))
        scattered = mb.list_scatter(ls=filled, indices=np.array([1], np.int32), value=np.array([[7, 7]], np.float32))
        return (
            mb.list_gather(ls=scattered, indices=np.array([0, 1, 3], np.int32), name="rows"),
            mb.list_read(ls=filled, index=2, name="third"),
            mb.identity(x=mb.list_length(ls=filled), name="length"),
            mb.identity(x=last, name="last"),
        )

    found = asked(opened(built(filling, path)), x=np.array([1, 2], np.float32))
    assert found["rows"].tolist() == [[1, 2], [7, 7], [8, 16]]
    assert found["third"].tolist() == [4, 8]
    assert found["length"].reshape(-1).tolist() == [4]
    assert found["last"].tolist() == [16, 32]


def test_reading_past_the_end_of_a_list_says_where() -> None:
    short = ops.KERNELS["make_list"](elem_shape=[2], init_length=2, dynamic_length=False)
    assert ops.KERNELS["list_read"](ls=short, index=1).tolist() == [0, 0]
    with pytest.raises(ValueError, match="2 elements, and none at 2"):
        ops.KERNELS["list_read"](ls=short, index=2)
    with pytest.raises(ValueError, match="2 elements, and none at 2"):
        ops.KERNELS["list_write"](ls=short, index=2, value=np.zeros(2))


@pytest.fixture
def counting(path: Path) -> Path:
    """A model that adds what it is given to a state, and answers with the sum."""

    @program(vector(2), mb.StateTensorSpec((2,), dtype=types.fp16), target=ct.target.iOS18)
    def adding(x: Any, total: Any) -> Any:
        more = mb.add(x=mb.read_state(input=total), y=mb.cast(x=x, dtype="fp16"))
        return mb.cast(x=mb.coreml_update_state(state=total, value=more), dtype="fp32", name="sum")

    return built(adding, path, minimum_deployment_target=ct.target.iOS18, compute_precision=ct.precision.FLOAT16)


def test_a_state_stays_from_one_prediction_to_the_next(counting: Path) -> None:
    executor = opened(counting)
    one, other = begun(executor), begun(executor)
    sums = [asked(executor, state, x=np.array([1, 2], np.float32))["sum"].tolist() for state in (one, one, other, one)]
    assert sums == [[1, 2], [2, 4], [1, 2], [3, 6]]


def test_an_answer_that_is_changed_changes_no_state(counting: Path) -> None:
    executor = opened(counting)
    state = begun(executor)
    asked(executor, state, x=np.array([1, 2], np.float32))["sum"][:] = 99
    assert asked(executor, state, x=np.array([1, 2], np.float32))["sum"].tolist() == [2, 4]


def test_a_model_with_a_state_needs_one(counting: Path) -> None:
    executor = opened(counting)
    with pytest.raises(UsageError, match="`model` keeps a state from one prediction to the next"):
        asked(executor, x=np.zeros(2, np.float32))
    with pytest.raises(UsageError, match="`model` has no state 7"):
        asked(executor, 7, x=np.zeros(2, np.float32))


def test_states_that_were_dropped_are_gone_and_others_stay(counting: Path) -> None:
    executor = opened(counting)
    one, other = begun(executor), begun(executor)
    executor.drop_state(one)
    executor.drop_state(one)
    with pytest.raises(UsageError, match=f"`model` has no state {one}"):
        asked(executor, one, x=np.zeros(2, np.float32))
    assert asked(executor, other, x=np.array([1, 2], np.float32))["sum"].tolist() == [1, 2]


def test_a_model_without_states_begins_none(path: Path) -> None:
    @program(vector())
    def plain(x: Any) -> Any:
        return mb.add(x=x, y=x)

    with pytest.raises(UsageError, match="`model` has no states"):
        begun(opened(built(plain, path)))


def test_each_function_of_a_model_is_opened_by_its_name(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)

    def scaled(factor: float) -> Any:
        @program(vector(), target=ct.target.iOS18)
        def scaling(x: Any) -> Any:
            row = mb.linear(x=mb.expand_dims(x=x, axes=[0]), weight=weight, bias=np.zeros(3, np.float32))
            return mb.mul(x=row, y=np.float32(factor), name="y")

        return scaling

    parts = {
        name: built(scaled(factor), tmp_path / f"{name}.mlpackage", minimum_deployment_target=ct.target.iOS18)
        for name, factor in (("double", 2), ("triple", 3))
    }
    both = multifunction(parts, tmp_path / "both.mlpackage", default="triple")
    x = np.array([1, 2, 3], np.float32)
    product = x @ weight.T
    for function, factor in (("double", 2), ("triple", 3), (None, 3)):
        found = asked(opened(both, function), x=x)["y"]
        assert found[0] == pytest.approx(product * factor, rel=1e-6)
    with pytest.raises(UsageError, match="`both` has no function `half`; it has `double`, `triple`"):
        opened(both, "half")


@pytest.mark.parametrize(("classes", "label"), [(["cat", "dog", "eel"], "dog"), ([7, 2**40, -1], 2**40)])
def test_a_classifier_gives_its_label_and_every_probability(path: Path, classes: list[Any], label: Any) -> None:
    @program(mb.TensorSpec(shape=(1, 3)))
    def classifying(x: Any) -> Any:
        return mb.mul(x=x, y=np.float32(1), name="scores")

    built(classifying, path, classifier_config=ct.ClassifierConfig(classes))
    found = asked(opened(path), x=np.array([[0.25, 0.5, 0.125]], np.float32))
    assert found["classLabel"] == label
    assert found["classLabel_probs"] == dict(zip(classes, [0.25, 0.5, 0.125], strict=True))


def test_a_pipeline_hands_values_on_by_their_names(tmp_path: Path) -> None:
    @program(vector())
    def first(x: Any) -> Any:
        return mb.add(x=x, y=np.arange(3, dtype=np.float32), name="middle")

    @program(vector())
    def second(middle: Any) -> Any:
        return mb.mul(x=middle, y=np.float32(10), name="y")

    stages = [built(first, tmp_path / "first.mlpackage"), built(second, tmp_path / "second.mlpackage")]
    executor = opened(pipeline(stages, tmp_path / "both.mlpackage"))
    assert asked(executor, x=np.ones(3, np.float32)).keys() >= {"y"}
    assert asked(executor, x=np.ones(3, np.float32))["y"].tolist() == [10, 20, 30]
    with pytest.raises(UsageError, match="the model needs `x`"):
        asked(executor)


@pytest.fixture
def doubling(path: Path) -> Path:
    @program(vector())
    def doubled(x: Any) -> Any:
        return mb.add(x=x, y=x, name="y")

    return built(doubled, path)


def first_block(specification: Any) -> Any:
    return next(iter(specification.mlProgram.functions["main"].block_specializations.values()))


def test_unknown_operations_are_all_named_before_anything_runs(path: Path) -> None:
    @program(vector(), vector(1))
    def nested(x: Any, n: Any) -> Any:
        positive = mb.greater(x=mb.reduce_sum(x=n, keep_dims=False), y=np.float32(0))
        return mb.cond(pred=positive, _true_fn=lambda: mb.add(x=x, y=x), _false_fn=lambda: mb.sub(x=x, y=x))

    def renamed(specification: Any) -> None:
        for operation in first_block(specification).operations:
            if operation.type == "greater":
                operation.type = "warp"
            for block in operation.blocks:
                for inner in block.operations:
                    inner.type = "fold" if inner.type in ("add", "sub") else inner.type

    with pytest.raises(CannotRun) as caught:
        opened(respecified(built(nested, path), renamed))
    assert caught.value.message == (
        "`model` cannot be run: it has operations that the executor `reference` does not run: `fold` (2 times), `warp`"
    )


def test_a_kernel_that_fails_is_told_by_operation_name_and_model(doubling: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(x: Array, y: Array) -> Array:
        raise ValueError("only whole numbers are added here.")

    monkeypatch.setitem(ops.KERNELS, "add", failing)
    with pytest.raises(ProviderError) as caught:
        asked(opened(doubling), x=np.zeros(3, np.float32))
    assert caught.value.message == "`model` failed: its operation `add` (`y`) failed: only whole numbers are added here"


def test_too_little_memory_is_one_sentence(doubling: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hungry(x: Array, y: Array) -> Array:
        raise MemoryError("Unable to allocate 8.00 EiB")

    monkeypatch.setitem(ops.KERNELS, "add", hungry)
    with pytest.raises(ProviderError, match=r"^`model` needs more memory than there is$"):
        asked(opened(doubling), x=np.zeros(3, np.float32))


def test_values_are_let_go_after_their_last_use(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @program(vector())
    def chained(x: Any) -> Any:
        for _ in range(20):
            x = mb.sin(x=x)
        return x

    alive: list[int] = []
    running = 0

    class Counted(np.ndarray[Any, Any]):
        def __del__(self) -> None:
            nonlocal running
            running -= 1

    def sine(x: Array) -> Array:
        nonlocal running
        running += 1
        alive.append(running)
        return np.sin(x).view(Counted)

    monkeypatch.setitem(ops.KERNELS, "sin", sine)
    monkeypatch.setattr("mmai.backends.coreml.reference.steps.as_declared", lambda value, dtype: value)
    executor = opened(built(chained, path))
    alive.clear()
    asked(executor, x=np.ones(3, np.float32))
    assert len(alive) == 20
    assert max(alive) <= 4


def test_a_cancelled_prediction_has_stopped_when_the_cancellation_arrives(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @program(vector())
    def two(x: Any) -> Any:
        return mb.sin(x=mb.cos(x=x))

    began, may_end = threading.Event(), threading.Event()
    ran: list[str] = []

    def slow(x: Array) -> Array:
        ran.append("cos")
        began.set()
        assert may_end.wait(30)
        return x

    def after(x: Array) -> Array:
        ran.append("sin")
        return x

    monkeypatch.setitem(ops.KERNELS, "cos", slow)
    monkeypatch.setitem(ops.KERNELS, "sin", after)
    built(two, path)

    async def cancelling() -> None:
        executor = await open_reference(read_package(path), function=None)
        began.clear()
        ran.clear()
        task = asyncio.create_task(executor.predict({"x": np.zeros(3, np.float32)}))
        await asyncio.to_thread(began.wait, 30)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelling())
    assert ran == ["cos"]


def test_a_loop_without_end_can_be_cancelled(path: Path) -> None:
    @program(vector())
    def forever(x: Any) -> Any:
        return mb.while_loop(
            _cond=lambda v: mb.less(x=mb.reduce_sum(x=v, keep_dims=False), y=np.float32(1)),
            _body=lambda v: mb.mul(x=v, y=np.float32(1)),
            loop_vars=(x,),
        )

    built(forever, path)

    async def bounded() -> None:
        executor = await open_reference(read_package(path), function=None)
        await asyncio.wait_for(executor.predict({"x": np.zeros(3, np.float32)}), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(bounded())


def test_predictions_of_one_model_run_at_the_same_time(doubling: Path) -> None:
    async def several() -> list[Any]:
        executor = await open_reference(read_package(doubling), function=None)
        feeds = [{"x": np.full(3, number, np.float32)} for number in range(8)]
        return [found.outputs["y"] for found in await asyncio.gather(*(executor.predict(each) for each in feeds))]

    assert [each.tolist() for each in asyncio.run(several())] == [[2 * number] * 3 for number in range(8)]


def test_a_closed_model_says_so(doubling: Path) -> None:
    executor = opened(doubling)
    asyncio.run(executor.aclose())
    asyncio.run(executor.aclose())
    with pytest.raises(ProviderError, match="`model` was closed"):
        asked(executor, x=np.zeros(3, np.float32))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda spec: first_block(spec).operations[-1].inputs["x"].arguments[0].__setattr__("name", "ghost"), "reads `ghost`"),
        (lambda spec: first_block(spec).outputs.__setitem__(0, "ghost"), "reads `ghost`"),
        (lambda spec: spec.description.output[0].__setattr__("name", "z"), "does not compute the output `z`"),
        (lambda spec: spec.description.input[0].__setattr__("name", "z"), "takes `x`, which nothing gives"),
        (lambda spec: spec.mlProgram.functions["main"].__setattr__("opset", "CoreML99"), "no operations for its opset"),
    ],
)
def test_a_program_that_does_not_hold_together_is_refused(doubling: Path, change: Any, reason: str) -> None:
    with pytest.raises(CannotRun, match=rf"`model` cannot be run: .*{reason}"):
        opened(respecified(doubling, change))


def test_a_program_cut_short_is_refused(doubling: Path) -> None:
    package = read_package(doubling)
    changed(doubling, lambda content: content[:-20])
    with pytest.raises(CannotRun, match="its program is damaged"):
        asyncio.run(open_reference(package, function=None))


def test_other_kinds_are_refused_by_name(doubling: Path) -> None:
    package = read_package(doubling)
    elsewhere = "and the executor `reference` runs ML Programs only; Core ML on a Mac runs it"
    for changes, reason in (
        ({"type": "neuralNetworkClassifier"}, f"it is a neuralNetworkClassifier, {elsewhere}"),
        (
            {"type": "pipeline", "stages": ("mlProgram", "treeEnsembleClassifier")},
            f"one of its models is a treeEnsembleClassifier, {elsewhere}",
        ),
        (
            {"format": "mlmodelc"},
            "it is compiled (`.mlmodelc`), which only Core ML on a Mac runs; the executor `reference` may run the `.mlpackage` "
            "it was made of",
        ),
    ):
        other = type(package)(**{name: getattr(package, name) for name in package.__struct_fields__} | changes)
        with pytest.raises(CannotRun) as refusal:
            asyncio.run(open_reference(other, function=None))
        assert refusal.value.message == f"`model` cannot be run: {reason}"


def test_dividing_by_zero_warns_of_nothing(path: Path) -> None:
    @program(vector())
    def dividing(x: Any) -> Any:
        return mb.real_div(x=x, y=mb.sub(x=x, y=x), name="y")

    assert asked(opened(built(dividing, path)), x=np.ones(3, np.float32))["y"].tolist() == [np.inf] * 3


def test_the_coverage_names_kernels_and_control_flow() -> None:
    assert set(coverage()) >= {"while_loop", "cond", "const", "read_state", "classify", "list_write", "constexpr_lut_to_dense"}
    assert list(coverage()) == sorted(set(coverage()))
