"""The small languages inside values: durations and variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.settings.durations import UNIT_S, duration_s, written_duration
from mmai.settings.interpolation import Unset, interpolate
from mmai.settings.node import Wrong

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1h", 3600),
        ("500ms", 0.5),
        ("2m", 120),
        ("1d", 86400),
        ("1.5h", 5400),
        ("90", 90),
        ("0.25", 0.25),
        (" 5 s ", 5),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1 hour", "s", "1h30m", "1e3", "nan", "inf", "٣s", "9" * 400])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        duration_s(text)


@given(st.integers(0, 10**15).map(lambda micros: micros / 1e6))
def test_a_written_duration_is_read_back_as_the_same(seconds: float) -> None:
    assert duration_s(written_duration(seconds)) == seconds


@given(st.integers(1, 999), st.sampled_from(sorted(UNIT_S)))
def test_a_duration_means_its_count_times_its_unit(count: int, unit: str) -> None:
    assert duration_s(f"{count}{unit}") == pytest.approx(count * UNIT_S[unit])


@given(TEXTS)
def test_text_with_doubled_dollars_comes_out_as_it_was(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), {}) == text


@given(TEXTS.filter(lambda text: "$" not in text), st.dictionaries(NAMES, TEXTS, max_size=3))
def test_text_without_dollars_is_left_alone(text: str, env: dict[str, str]) -> None:
    assert interpolate(text, env) == text


@given(TEXTS, NAMES, TEXTS, TEXTS)
def test_a_variable_is_filled_in_once_and_its_own_dollars_stay(before: str, name: str, value: str, after: str) -> None:
    text = f"{before.replace('$', '$$')}${{{name}}}{after.replace('$', '$$')}"
    assert interpolate(text, {name: value}) == before + value + after


@given(NAMES, TEXTS.filter(lambda text: "}" not in text))
def test_a_default_stands_in_for_a_variable_that_is_not_set_or_empty(name: str, default: str) -> None:
    assert interpolate(f"${{{name}:-{default}}}", {}) == default
    assert interpolate(f"${{{name}:-{default}}}", {name: ""}) == default
    assert interpolate(f"${{{name}:-{default}}}", {name: "x"}) == "x"


@given(NAMES)
def test_an_unset_variable_is_named(name: str) -> None:
    with pytest.raises(Unset) as caught:
        interpolate(f"a ${{{name}}} b", {})
    assert caught.value.variable == name


def test_a_dollar_without_braces_is_a_dollar() -> None:
    assert interpolate("$HOME costs 5$", {"HOME": "x"}) == "$HOME costs 5$"


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A:default}", "${A B}"])
def test_a_variable_that_does_not_end_or_has_no_name_is_refused(text: str) -> None:
    with pytest.raises(Wrong, match="begins a variable that does not end"):
        interpolate(text, {"A": "x"})
