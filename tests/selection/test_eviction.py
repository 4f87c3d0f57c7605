"""Which models leave memory so that another one fits."""

from hypothesis import given
from hypothesis import strategies as st

from mmai.selection.eviction import REST_S, Held, room_for, value

NOW = 1_000_000.0
GB = 1_000_000_000


def a_model(name: str = "a", gb: float = 1.0, *, used_s_ago: float | None = 600.0, **fields: object) -> Held:
    used_at = () if used_s_ago is None else (NOW - used_s_ago,)
    return Held(ref=name, size_bytes=int(gb * GB), **({"used_at": used_at} | fields))  # type: ignore[arg-type]


def leaving(need_gb: float, budget_gb: float, *held: Held, by_name: bool = True) -> list[str] | None:
    verdict = room_for(int(need_gb * GB), held, budget_bytes=int(budget_gb * GB), now=NOW, by_name=by_name)
    return [one.ref for one in verdict.leave] if verdict.fits else None


def test_nothing_leaves_where_there_is_room() -> None:
    assert leaving(2, 8, a_model("a", 3), a_model("b", 3)) == []


def test_the_one_used_longest_ago_leaves_first() -> None:
    assert leaving(2, 4, a_model("old", 2, used_s_ago=7200), a_model("new", 2, used_s_ago=60)) == ["old"]


def test_the_one_that_loads_quickest_for_its_size_leaves_first() -> None:
    assert leaving(2, 4, a_model("quick", 2, load_s=1), a_model("slow", 2, load_s=30)) == ["quick"]


def test_nothing_leaves_where_it_would_not_be_enough() -> None:
    verdict = room_for(9 * GB, [a_model("a", 3), a_model("b", 3, busy=True)], budget_bytes=8 * GB, now=NOW, by_name=True)
    assert (verdict.fits, verdict.leave, verdict.short_bytes) == (False, (), 4 * GB)


def test_the_busy_and_those_that_are_to_stay_never_leave() -> None:
    assert leaving(2, 4, a_model("busy", 2, busy=True), a_model("kept", 2, pinned=True)) is None


def test_what_was_just_used_stays_unless_the_other_is_asked_for_by_name() -> None:
    fresh = a_model("fresh", 3, used_s_ago=REST_S / 2)
    assert leaving(2, 4, fresh, by_name=False) is None
    assert leaving(2, 4, fresh, by_name=True) == ["fresh"]


def test_a_small_one_is_spared_where_a_large_one_makes_room_alone() -> None:
    small, large = a_model("small", 1, used_s_ago=9000), a_model("large", 4, used_s_ago=600)
    assert leaving(3, 6, small, large) == ["large"]


def test_a_model_never_used_is_worth_nothing() -> None:
    assert value(a_model(used_s_ago=None), now=NOW) == 0
    assert value(a_model(used_s_ago=0), now=NOW) > value(a_model(used_s_ago=3600), now=NOW) > 0


MODELS = st.lists(
    st.builds(
        Held,
        ref=st.uuids().map(str),
        size_bytes=st.integers(0, 20 * GB),
        used_at=st.lists(st.floats(NOW - 1e6, NOW), max_size=4).map(lambda moments: tuple(sorted(moments))),
        load_s=st.none() | st.floats(0.01, 100),
        busy=st.booleans(),
        pinned=st.booleans(),
    ),
    max_size=10,
)


@given(held=MODELS, need=st.integers(0, 40 * GB), budget=st.integers(0, 60 * GB), by_name=st.booleans())
def test_who_leaves_makes_room_and_nobody_leaves_in_vain(held: list[Held], need: int, budget: int, by_name: bool) -> None:
    verdict = room_for(need, held, budget_bytes=budget, now=NOW, by_name=by_name)
    assert not any(one.busy or one.pinned for one in verdict.leave)
    staying = sum(one.size_bytes for one in held) - sum(one.size_bytes for one in verdict.leave)
    if not verdict.fits:
        assert verdict.leave == ()
        assert verdict.short_bytes > 0
        return
    assert staying + need <= budget
    for one in verdict.leave:
        assert staying + need + one.size_bytes > budget
