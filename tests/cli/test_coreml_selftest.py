"""`mmai selftest coreml`: what a Mac user runs once. Here the half runs that needs no Mac, and the other is run over our proxy."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest
from command import Mmai
from msgspec.structs import replace
from packages.children import MACHINE
from packages.shipped import COLORS, SENTENCES

from mmai.backends.coreml.selftest import checks, place, questions, run
from mmai.backends.coreml.selftest.answers import difference, wrong
from mmai.backends.coreml.selftest.questions import known
from mmai.render.selftest import selftest_table
from mmai.values.selftest import Selftest, SelftestRow

TESTS = Path(__file__).parents[1]

elsewhere = pytest.mark.skipif(sys.platform == "darwin", reason="here there is Core ML")
macos = pytest.mark.skipif(sys.platform != "darwin", reason="Core ML needs macOS; not verified by us")

UNITS = ["all", "neural_engine", "cpu_and_gpu", "cpu_only"]


@elsewhere
def test_without_core_ml_the_reference_is_right_and_the_rest_is_skipped_with_the_reason(mmai: Mmai) -> None:
    result = mmai("selftest", "coreml", "--json", "-q")
    assert (result.exit_code, result.json["error"], result.stderr) == (0, None, "")
    data = result.json["data"]
    assert (data["passed"], data["failed"], data["skipped"]) == (4, 0, 12)
    reference = [row for row in data["rows"] if row["executor"] == "reference"]
    assert [(row["model"], row["asked"], row["right"]) for row in reference] == [
        ("DominantColor", 5, 5),
        ("ToneLetters", 3, 3),
        ("KeywordIntents", 3, 3),
    ]
    assert all(row["predict_p50_ms"] > 0 and row["predictions"] == 50 for row in reference)
    skipped = [row for row in data["rows"] if row["state"] == "skipped"]
    assert [row["compute_units"] for row in skipped] == UNITS * 3
    assert {row["reason"] for row in skipped} == {"Core ML needs macOS"}
    assert all(row["predict_p50_ms"] is None and row["right"] == 0 for row in skipped)
    assert data["rows"][-1] | {"check": "kill", "state": "passed"} == data["rows"][-1]
    assert data["unverified"][0].startswith("Core ML itself: it was not run")


@elsewhere
def test_a_person_sees_a_table_what_was_not_verified_and_progress_beside_it(mmai: Mmai) -> None:
    result = mmai("selftest", "coreml")
    assert "DominantColor" in result.stdout
    assert "4 passed, 0 failed, 12 skipped" in result.stdout
    assert "not verified: Core ML itself" in result.stdout
    assert result.stderr.splitlines() == [
        "DominantColor: reference",
        "ToneLetters: reference",
        "KeywordIntents: reference",
        "a worker that hangs",
    ]


@macos
def test_on_a_mac_every_model_is_right_on_every_unit(mmai: Mmai) -> None:
    result = mmai("selftest", "coreml", "--json")
    rows = result.json["data"]["rows"]
    assert [row["reason"] for row in rows if row["state"] != "passed"] == []
    assert all(row["cached_load_ms"] is not None for row in rows if row["executor"] == "apple")


def test_a_check_that_failed_is_exit_8_with_all_rows_in_the_envelope(mmai: Mmai) -> None:
    script = """
from mmai.backends.coreml import selftest
from mmai.backends.coreml.selftest.place import environment
from mmai.values.selftest import Selftest, SelftestRow

async def run(**_):
    row = SelftestRow(check="answers", state="failed", model="DominantColor", reason="`blue` where `red` is right")
    return Selftest(environment=environment(), rows=(row,), unverified=())

selftest.run = run
from mmai.cli.bridge import main
main()
"""
    mmai.command = [sys.executable, "-c", script]
    as_json = mmai("selftest", "coreml", "--json")
    assert as_json.exit_code == 8
    assert as_json.json["error"]["message"] == "1 of 1 checks failed, the first: `blue` where `red` is right"
    assert [row["state"] for row in as_json.json["data"]["rows"]] == ["failed"]
    shown = mmai("selftest", "coreml")
    assert shown.exit_code == 8
    assert "0 passed, 1 failed, 0 skipped" in shown.stdout
    assert shown.stderr == "error: 1 of 1 checks failed, the first: `blue` where `red` is right\n"


def test_apples_half_is_measured_over_our_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The framework is not exercised: coremltools' own layer runs in real workers over the reference executor."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    machine = replace(MACHINE, engine="packages.proxied")
    color = known()[0]

    async def work() -> SelftestRow:
        _, reference = await checks.reference_answers(color)
        return await checks.apple_answers(color, reference, units="cpu_only", machine=machine, load_timeout_s=60)

    row = asyncio.run(work())
    assert (row.state, row.reason, row.right, row.difference) == ("passed", None, 5, 0.0)
    times = (row.compile_ms, row.cold_load_ms, row.cached_load_ms, row.first_predict_ms, row.predict_p50_ms)
    assert all(each is not None and each > 0 for each in times)
    assert row.memory_bytes is not None


def test_what_core_ml_cannot_do_is_a_row_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    said: list[str] = []
    found = asyncio.run(run(load_timeout_s=60, progress=said.append, machine=replace(MACHINE, engine="packages.nowhere")))
    assert [row.compute_units for row in found.failed] == UNITS * 3
    assert {row.reason for row in found.failed} == {
        f"`{each.model}` failed: ModuleNotFoundError: No module named 'packages.nowhere'" for each in known()
    }
    assert [row.state for row in found.rows if row.executor == "reference"] == ["passed"] * 3
    assert "KeywordIntents: Core ML, compute_units=cpu_only" in said


def test_a_worker_that_is_not_ended_in_time_is_a_failure() -> None:
    times = iter([0.0, 60.0])
    row = asyncio.run(checks.kill(clock=lambda: next(times)))
    assert (row.state, row.reason) == ("failed", "after 60.0 s of 1 s: slow")


def test_the_questions_are_those_of_the_shipped_models() -> None:
    assert {value: key for key, value in questions.COLORS.items()} == COLORS
    assert sorted(questions.SENTENCES.values()) == sorted(SENTENCES.values())
    assert all(each.path.is_dir() for each in known())


def test_a_wrong_answer_is_told_with_the_right_one() -> None:
    color = known()[0]
    outputs = [{"classLabel": "red"}] * len(color.questions)
    assert wrong(color, outputs)[0] == "`red` where `green` is right"
    assert len(wrong(color, outputs)) == 4


@pytest.mark.parametrize(
    ("given", "apart"),
    [
        ({"y": np.array([1.0, 3.5])}, 0.5),
        ({"y": np.array([1.0, np.nan])}, float("inf")),
        ({"y": np.array([1.0])}, float("inf")),
    ],
)
def test_a_difference_is_in_standard_deviations_of_the_reference(given: dict[str, np.ndarray], apart: float) -> None:
    assert difference([given], [{"y": np.array([1.0, 3.0])}]) == apart


def test_probabilities_are_compared_class_by_class_and_labels_are_not() -> None:
    reference = {"label": "a", "p": {"a": 1.0, "b": 3.0}}
    assert difference([{"label": "b", "p": {"b": 3.0, "a": 2.0}}], [reference]) == 1.0


def test_an_output_far_from_the_reference_fails_though_the_answer_is_right() -> None:
    row = SelftestRow(check="answers", state="failed", asked=5, difference=0.5)
    color = known()[0]
    judged = checks._judged(row, color, [{"classLabel": question.answer} for question in color.questions])
    assert (judged.state, judged.right) == ("failed", 5)
    assert judged.reason == "an output is 0.5 standard deviations from the reference, of 0.1 at most"


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t80%; AC attached", "ac"),
        ("Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t78%; discharging", "battery"),
        ("", None),
    ],
)
def test_the_power_source_is_what_pmset_says(said: str, source: str | None) -> None:
    assert place.power_source(said) == source


@pytest.mark.parametrize(
    ("said", "mode"), [(" standby 1\n lowpowermode         1\n", True), (" lowpowermode 0", False), (" standby 1", None)]
)
def test_the_low_power_mode_is_what_pmset_says(said: str, mode: bool | None) -> None:
    assert place.low_power_mode(said) == mode


def test_a_table_of_a_mac_has_everything_that_was_measured() -> None:
    row = SelftestRow(
        check="answers",
        state="passed",
        model="DominantColor",
        executor="apple",
        compute_units="all",
        asked=5,
        right=5,
        compile_ms=41.0,
        cold_load_ms=1530.0,
        cached_load_ms=8.4,
        first_predict_ms=3.0,
        predict_p50_ms=0.21,
        predictions=50,
        difference=0.0004,
        placement={"neural_engine": 0.75, "cpu": 0.25},
        notes=("the compiled model is not kept",),
    )
    mac = replace(
        place.environment(),
        system="macOS 15.5",
        os_build="24F74",
        chip="Apple M3 Max",
        power="battery",
        low_power_mode=True,
        virtual=True,
    )
    table = selftest_table(Selftest(environment=mac, rows=(row,), unverified=("energy",)))
    assert [cell.shown for cell in table.cells[0]] == [
        *("DominantColor", "apple all", "passed", "5 of 5", "41 ms", "1,530 ms", "8.4 ms", "3 ms", "0.21 ms", "4.0e-04"),
        *("neural_engine 75%, cpu 25%", "the compiled model is not kept"),
    ]
    assert table.notes[0] == "1 passed, 0 failed, 0 skipped"
    assert table.notes[1].startswith("macOS 15.5 (24F74), Apple M3 Max, virtual machine, on battery, low power mode, Python ")
    assert table.notes[2] == "not verified: energy"
