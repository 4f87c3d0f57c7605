"""State between processes: an outage is paid for once, its end is noticed, and keys, limits and clocks do what they may."""

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest
from fakes.fault_wall import ANSWER, CUT, FaultWall
from fakes.wall import refused
from scene import SECRETS, Scene

PAIR = ("--fallback", "spare:ok")


def test_a_place_is_tried_out_by_one_call(scene: Scene) -> None:
    assert scene("-m", "wall:503", *PAIR).calls == ("wall:503", "wall:503", "spare:ok")
    scene.age(7)
    assert scene("-m", "wall:503", *PAIR).calls == ("wall:503", "spare:ok")


def test_a_minute_of_outage_costs_few_attempts_and_its_end_is_noticed(scene: Scene, wall: FaultWall) -> None:
    for _ in range(12):  # A run each five seconds.
        assert scene("-m", "wall:503", *PAIR).text == ANSWER
        scene.age(5)
    assert wall.calls["503"] <= 5
    wall.faults["503"] = wall.faults["ok"]
    scene.age(120 * 1.2)  # The longest pause there is.
    for _ in range(3):
        assert scene("-m", "wall:503", *PAIR).calls == ("wall:503",)


def test_a_host_that_flaps_is_never_asked_more_often_than_twice_and_nobody_notices(scene: Scene) -> None:
    for _ in range(6):
        ran = scene("-m", "wall:flap", *PAIR)
        assert (ran.exit_code, ran.text) == (0, ANSWER)


def test_with_nobody_else_a_host_that_was_left_alone_is_asked_all_the_same(scene: Scene, wall: FaultWall) -> None:
    assert scene("-m", "wall:503").exit_code == 8
    wall.faults["503"] = wall.faults["ok"]
    assert scene("-m", "wall:503").text == ANSWER
    assert scene("-m", "wall:503", *PAIR).calls == ("wall:503",)


@pytest.mark.parametrize(("fault", "closed_s"), [("429-tomorrow", 120), ("429-date", 120), ("quota", 120)])
def test_whoever_asks_to_be_left_alone_is_for_as_long_as_is_reasonable(
    scene: Scene, wall: FaultWall, fault: str, closed_s: float
) -> None:
    assert scene("-m", f"wall:{fault}", *PAIR).calls == (f"wall:{fault}", "spare:ok")
    scene.age(closed_s - 20)
    assert scene("-m", f"wall:{fault}", *PAIR).calls == ("spare:ok",)
    scene.age(40)
    assert scene("-m", f"wall:{fault}", *PAIR).calls == (f"wall:{fault}", "spare:ok")


@pytest.mark.parametrize("fault", ["429-once-0", "429-once-past"])
def test_a_limit_that_is_over_keeps_nobody_away(scene: Scene, fault: str) -> None:
    assert scene("-m", f"wall:{fault}", *PAIR).calls == (f"wall:{fault}", "spare:ok")
    assert scene("-m", f"wall:{fault}", *PAIR).calls == (f"wall:{fault}",)


def test_when_everybody_limits_each_is_asked_and_the_user_is_told_at_once(scene: Scene) -> None:
    ran = scene("-m", "wall:429-tomorrow", "--fallback", "spare:429-date")
    assert (ran.exit_code, ran.calls) == (5, ("wall:429-tomorrow", "spare:429-date"))
    assert "86400 s" in ran.envelope["error"]["message"]
    again = scene("-m", "wall:429-tomorrow", "--fallback", "spare:429-date")
    assert (again.exit_code, len(again.calls) <= 2) == (5, True)


def test_the_last_of_several_is_waited_for_where_it_says_how_long(scene: Scene) -> None:
    ran = scene("-m", "wall:429-tomorrow", "--fallback", "spare:429-once-ms")
    assert ran.calls == ("wall:429-tomorrow", "spare:429-once-ms", "spare:429-once-ms")
    assert ran.text == ANSWER


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_clock_that_jumps_an_hour_leaves_nobody_alone_for_it(scene: Scene, by_s: float) -> None:
    scene("-m", "wall:503", *PAIR)
    scene.age(by_s)
    assert scene("-m", "wall:503", *PAIR).calls[0] == "wall:503"


def test_a_key_that_is_refused_is_left_for_the_other(scene: Scene, wall: FaultWall) -> None:
    scene.configure(f"  both: {{kind: openai, endpoint: '{wall.base_url}', api_keys: [{SECRETS[0]}, {SECRETS[2]}]}}\n")
    ends = [scene("-m", "wall:ok", *PAIR).exit_code]
    for _ in range(6):
        ends.append(scene("-m", "both:401-first-key").exit_code)
    assert ends == [0] * 7
    assert [call.key for call in wall.attempts("401-first-key")].count(SECRETS[0]) <= 1


def test_a_key_that_is_revoked_between_two_runs_is_left_for_another_provider(scene: Scene) -> None:
    runs = [scene("-m", "wall:401-after-one", *PAIR) for _ in range(3)]
    assert [ran.calls for ran in runs] == [("wall:401-after-one",), ("wall:401-after-one", "spare:ok"), ("spare:ok",)]


def test_a_key_that_is_missing_is_named_and_another_provider_answers(scene: Scene) -> None:
    scene.configure("  anthropic: {}\n")
    ran = scene("-m", "anthropic:claude-sonnet-5-5", *PAIR)
    assert (ran.calls, ran.text) == (("spare:ok",), ANSWER)
    assert "ANTHROPIC_API_KEY" in ran.stderr


def test_a_longer_prompt_goes_to_a_wider_model_alone_and_nobody_is_blamed(scene: Scene) -> None:
    windows = (
        "models: [{name: context, context_window: 8}, {name: ok+small, context_window: 4}, {name: ok, context_window: 9999}]"
    )
    scene.configure(models=windows.removeprefix("models: "))
    for _ in range(3):
        ran = scene("-m", "wall:context", "--fallback", "wall:ok+small", "--fallback", "wall:ok")
        assert (ran.calls, ran.text) == (("wall:context", "wall:ok"), ANSWER)


@pytest.mark.parametrize("fault", ["invalid", "filter", "token-limit", "context"])
def test_what_is_wrong_with_a_request_closes_no_place(scene: Scene, fault: str) -> None:
    for _ in range(3):
        assert scene("-m", f"wall:{fault}", *PAIR).calls == (f"wall:{fault}",)


def test_an_answer_that_is_cut_begins_anew_only_where_that_is_wished(scene: Scene) -> None:
    kept = scene("-m", "wall:cut", *PAIR, as_json=False)
    assert (kept.exit_code, kept.stdout) == (9, CUT + "\n")
    anew = scene("-m", "wall:cut+b", *PAIR, "--restart-on-cut", as_json=False)
    assert (anew.exit_code, anew.stdout, anew.calls) == (0, ANSWER + "\n", ("wall:cut+b", "spare:ok"))
    assert "begins anew" in anew.stderr


@pytest.mark.parametrize("fault", ["cut", "stall", "reset-in-stream", "error-in-stream", "no-length-cut", "no-done-no-finish"])
def test_each_way_to_be_cut_can_begin_anew(scene: Scene, fault: str) -> None:
    ran = scene("-m", f"wall:{fault}", *PAIR, "--restart-on-cut")
    assert (ran.calls, ran.text) == ((f"wall:{fault}", "spare:ok"), ANSWER)


def test_a_reset_in_an_answer_keeps_what_came(scene: Scene) -> None:
    ran = scene("-m", "wall:reset-in-stream")
    # A reset may overtake what was sent before it.
    assert (ran.exit_code, CUT.startswith(ran.text)) == (9, True)


def test_what_was_skipped_of_an_answer_is_said(scene: Scene) -> None:
    assert "1 piece of the answer meant nothing" in scene("-m", "wall:bad-json-once", "-v").stderr


Broken = Callable[[str], str]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (lambda _: "http://no-such-host.invalid/v1", "no such host"),
        (lambda nowhere: f"{nowhere}/v1", "connection refused"),
    ],
)
def test_a_host_that_is_not_there_is_said_in_a_sentence(scene: Scene, url: Broken, said: str) -> None:
    with refused() as nowhere:
        scene.configure(f"  gone: {{kind: openai, endpoint: '{url(nowhere)}', api_key: {SECRETS[0]}}}\n")
        ran = scene("-m", "gone:ok", *PAIR)
    assert (ran.exit_code, ran.text) == (0, ANSWER)
    assert said in ran.stderr


def test_what_answers_without_tls_where_tls_is_due_is_no_connection(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answers_plainly, args=(server,), daemon=True).start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/v1"
        scene.configure(f"  gone: {{kind: openai, endpoint: '{url}', api_key: {SECRETS[0]}}}\n")
        ran = scene("-m", "gone:ok", *PAIR)
    assert (ran.classes[-1], ran.text) == (None, ANSWER)
    assert set(ran.classes[:-1]) == {"cannot_connect"}
    assert "no TLS" in ran.stderr


def _answers_plainly(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
