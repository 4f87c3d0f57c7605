"""`mmai run -c`: what was said before goes along, whoever answers."""

import json
from typing import Any

from command import PATIENCE_S, Mmai
from fakes.ollama import FakeOllama
from fakes.wall import CLOSE

QWEN = ("run", "-m", "ollama:qwen3:8b")


def sent(server: FakeOllama) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in server.journal.of("/api/chat")[-1].json["messages"]]


def test_a_run_goes_on_with_the_one_before(talking: Mmai, ollama: FakeOllama) -> None:
    talking(*QWEN, "one", "-s", "Be brief.")
    assert talking("run", "-c", "two").stdout == "4: two\n"
    assert sent(ollama) == [("system", "Be brief."), ("user", "one"), ("assistant", "2: one"), ("user", "two")]
    assert ollama.journal.of("/api/chat")[-1].json["model"] == "qwen3:8b"
    assert talking("run", "-c", "three").stdout == "6: three\n"


def test_a_plain_run_begins_anew(talking: Mmai) -> None:
    talking(*QWEN, "one")
    talking(*QWEN, "another thing")
    assert talking("run", "-c", "two").stdout == "3: two\n"


def test_the_model_may_change_and_instructions_too(talking: Mmai, ollama: FakeOllama) -> None:
    talking(*QWEN, "one", "-s", "Be brief.")
    talking("run", "-c", "-m", "ollama:gemma3:4b", "-s", "Be long.", "two")
    assert sent(ollama)[0] == ("system", "Be long.")
    assert ollama.journal.of("/api/chat")[-1].json["model"] == "gemma3:4b"
    talking("run", "-c", "three")
    assert ollama.journal.of("/api/chat")[-1].json["model"] == "gemma3:4b"
    assert sent(ollama)[0] == ("system", "Be long.")


def test_a_name_begins_a_conversation_and_goes_on_with_it(talking: Mmai) -> None:
    assert talking(*QWEN, "--conversation", "work", "one").stdout == "1: one\n"
    talking(*QWEN, "something else")
    assert talking("run", "--conversation", "work", "two").stdout == "3: two\n"
    identity = talking("history", "list", "--json").json["data"]["conversations"][0]["id"]
    assert talking("run", "--conversation", identity[:10].lower(), "three").stdout == "5: three\n"


def test_there_may_be_nothing_to_go_on_with(talking: Mmai, ollama: FakeOllama) -> None:
    result = talking("run", "-c", "two")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no conversation to go on with" in result.stderr
    both = talking("run", "-c", "--conversation", "work", "two")
    assert both.exit_code == 2
    assert not ollama.journal.of("/api/chat")


def test_json_says_which_conversation_and_what_did_not_fit(talking: Mmai) -> None:
    talking(*QWEN, "word " * 3000)
    result = talking("run", "-c", "two", "-O", "num_ctx=2000", "--json")
    data = result.json["data"]["conversation"]
    assert (data["turns"], data["dropped_turns"], data["left_out"]) == (2, 1, [])
    assert "the first turn does not fit into the 2000 tokens of ollama:qwen3:8b: left out" in result.stderr


def test_what_does_not_fit_is_summarised_where_that_is_wished(talking: Mmai, ollama: FakeOllama) -> None:
    talking(*QWEN, "lighthouse " * 2000)
    result = talking("run", "-c", "two", "-O", "num_ctx=4000", "--summarise")
    assert result.exit_code == 0
    summary, question = [seen.json["messages"] for seen in ollama.journal.of("/api/chat")[-2:]]
    assert "Summarise this conversation" in summary[-1]["content"]
    assert question[0]["role"] == "system"
    assert "Summary of the conversation" in question[0]["content"]
    assert len(question) == 2
    assert talking("history", "list", "--json").json["data"]["conversations"][0]["turns"] == 2


def test_an_image_goes_along_to_whoever_sees(talking: Mmai, ollama: FakeOllama, tmp_path: Any) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    (talking.home / "cat.png").write_bytes(png)
    talking("run", "-m", "ollama:gemma3:4b", "-f", "cat.png", "what is it?")
    talking("run", "-c", "sure?")
    assert "images" in ollama.journal.of("/api/chat")[-1].json["messages"][0]
    result = talking("run", "-c", "-m", "ollama:llama3.2:3b", "really?")
    assert "images" not in ollama.journal.of("/api/chat")[-1].json["messages"][0]
    assert "cannot take `cat.png` of an earlier turn: left out" in result.stderr


def test_an_answer_that_was_cut_is_gone_on_with(talking: Mmai, ollama: FakeOllama) -> None:
    ollama.streams("Once upon", CLOSE, done=False, times=1)
    assert talking(*QWEN, "a story").exit_code == 9
    talking("run", "-c", "go on")
    assert sent(ollama)[1] == ("assistant", "Once upon [this answer was cut off here]")


def test_two_at_once_lose_no_turn(talking: Mmai) -> None:
    talking(*QWEN, "one")
    processes = [talking.start("run", "-c", f"at once {number}") for number in range(6)]
    for process in processes:
        process.communicate(timeout=PATIENCE_S)
    turns = talking("history", "show", "--json").json["data"]["turns"]
    assert sorted(turn["prompt"] for turn in turns) == [*(f"at once {number}" for number in range(6)), "one"]
    assert all(turn["text"] for turn in turns)


def test_without_a_log_it_is_read_and_not_written(talking: Mmai) -> None:
    talking(*QWEN, "one")
    assert talking("run", "-c", "--no-log", "two").stdout == "3: two\n"
    assert talking("run", "-c", "three").stdout == "3: three\n"


def test_one_of_many_is_nothing_to_go_on_with(talking: Mmai) -> None:
    talking(*QWEN, "one")
    (talking.home / "in.txt").write_text("many\n")
    talking(*QWEN, "--batch", "in.txt")
    assert talking("run", "-c", "two").stdout == "3: two\n"


def test_a_damaged_history_costs_the_turns_and_not_the_answer(talking: Mmai) -> None:
    talking(*QWEN, "--conversation", "work", "one")
    for file in (talking.home / "mmai").glob("history.db*"):
        file.unlink()
    (talking.home / "mmai" / "history.db").write_bytes(b"no database at all, however long it is")
    result = talking(*QWEN, "--conversation", "work", "two")
    assert (result.exit_code, result.stdout) == (0, "1: two\n")
    assert json.loads(talking("history", "list", "--json").stdout)["data"]["conversations"][0]["name"] == "work"


def test_a_model_that_is_gone_is_stood_in_for(talking: Mmai, ollama: FakeOllama) -> None:
    talking("discover")
    talking(*QWEN, "one")
    del ollama.models["qwen3:8b"]
    result = talking("run", "-c", "two")
    assert (result.exit_code, result.stdout) == (0, "3: two\n"), result.stderr
    assert "another model goes on" in result.stderr


def test_an_empty_name_is_no_conversation(talking: Mmai, ollama: FakeOllama) -> None:
    talking(*QWEN, "secret")
    result = talking(*QWEN, "--conversation", "", "two")
    assert (result.exit_code, "`--conversation` has an empty name" in result.stderr) == (2, True)
    assert len(ollama.journal.of("/api/chat")) == 1


def test_several_that_begin_under_one_name_are_one_conversation(talking: Mmai) -> None:
    processes = [talking.start(*QWEN, "--conversation", "work", f"at once {number}") for number in range(4)]
    for process in processes:
        process.communicate(timeout=PATIENCE_S)
    turns = talking("history", "show", "work", "--json").json["data"]["turns"]
    assert sorted(turn["prompt"] for turn in turns) == [f"at once {number}" for number in range(4)]


def test_a_policy_lets_another_model_go_on(talking: Mmai, ollama: FakeOllama) -> None:
    talking("discover")
    talking("run", "-m", "ollama:llama3.2:3b", "one")
    talking("run", "-c", "--policy", "quality", "Prove that the square root of two is irrational.")
    assert ollama.journal.of("/api/chat")[-1].json["model"] != "llama3.2:3b"
