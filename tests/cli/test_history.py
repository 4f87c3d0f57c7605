"""`mmai history`: what was asked and answered, found again, taken out, and handed on."""

import json
import sqlite3

import pytest
from command import Mmai
from fakes.ollama import FakeOllama

QWEN = ("run", "-m", "ollama:qwen3:8b")


@pytest.fixture
def lived(on: Mmai, ollama: FakeOllama) -> Mmai:
    """Two conversations: one of two turns about the sky, one named `sea`."""
    ollama.streams("Because of **Rayleigh**.")
    on(*QWEN, "Why is the sky blue?", "-s", "Be brief.")
    on("run", "-c", "And the sunset?")
    ollama.streams("It is salty.")
    on(*QWEN, "--conversation", "sea", "What is the sea like?")
    return on


def test_the_latest_stand_first(lived: Mmai) -> None:
    rows = lived("history", "--json").json["data"]["conversations"]
    assert [(row["name"], row["turns"], row["prompt"]) for row in rows] == [
        ("sea", 1, "What is the sea like?"),
        (None, 2, "Why is the sky blue?"),
    ]
    assert "Why is the sky blue?" in lived("history").stdout
    assert len(lived("history", "list", "-n", "1", "-o", "jsonl").stdout.splitlines()) == 1


def test_an_empty_history_says_how_to_begin(on: Mmai) -> None:
    result = on("history")
    assert result.exit_code == 0
    assert "nothing was asked yet: mmai run" in result.stderr
    assert on("history", "show").exit_code == 2


def test_a_conversation_is_shown_by_name_by_id_and_as_the_last(lived: Mmai) -> None:
    assert "It is salty." in lived("history", "show").stdout
    assert "It is salty." in lived("history", "show", "sea").stdout
    sky = lived("history", "--json").json["data"]["conversations"][1]["id"]
    shown = lived("history", "show", sky[:12]).stdout
    assert [text in shown for text in ("> Be brief.", "Why is the sky blue?", "**Rayleigh**", "And the sunset?")] == [True] * 4
    assert lived("history", "show", "nothing").exit_code == 2


def test_words_are_found_in_questions_and_answers(lived: Mmai, ollama: FakeOllama) -> None:
    hits = lived("history", "search", "rayl", "--json").json["data"]["hits"]
    assert len(hits) == 2
    assert "Rayleigh" in hits[0]["snippet"]
    assert lived("history", "search", "SALTY sea", "--json").json["data"]["hits"][0]["model"] == "ollama:qwen3:8b"
    none = lived("history", "search", "zebra")
    assert (none.exit_code, "no run has `zebra`" in none.stderr) == (0, True)
    ollama.streams("A zebra has stripes.")
    lived(*QWEN, "Which animal has stripes?")
    assert len(lived("history", "search", "zebra", "--json").json["data"]["hits"]) == 1


@pytest.mark.parametrize("words", ['"', "a AND", "NEAR(", "*", "-x", "sky:blue"])
def test_no_word_is_a_command_to_the_index(lived: Mmai, words: str) -> None:
    result = lived("history", "search", "--", words)
    assert result.exit_code == 0, result.stderr


def test_what_is_removed_is_gone_and_its_cost_stays(lived: Mmai) -> None:
    lived("history", "search", "salty")
    assert "forgot 1 conversation" in lived("history", "rm", "sea").stderr
    assert [row["name"] for row in lived("history", "--json").json["data"]["conversations"]] == [None]
    assert lived("history", "search", "salty", "--json").json["data"]["hits"] == []
    with sqlite3.connect(lived.home / "mmai" / "history.db") as history:
        assert history.execute("SELECT count(*) FROM runs WHERE prompt LIKE '%sea%' OR text LIKE '%salty%'").fetchone() == (0,)
        assert history.execute("SELECT count(*) FROM search WHERE search MATCH 'salty'").fetchone() == (0,)
        assert history.execute("SELECT count(*) FROM runs WHERE cost_usd IS NOT NULL").fetchone() == (3,)
        history.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    history.close()
    assert b"It is salty" not in (lived.home / "mmai" / "history.db").read_bytes()


def test_old_ones_are_removed_together(lived: Mmai) -> None:
    assert "forgot 0 conversations" in lived("history", "rm", "--older-than", "30d").stderr
    with sqlite3.connect(lived.home / "mmai" / "history.db") as history:
        history.execute("UPDATE runs SET started_at = started_at - 40 * 86400 WHERE prompt LIKE '%sea%'")
    history.close()
    assert "forgot 1 conversation" in lived("history", "rm", "--older-than", "30d", "--yes").stderr
    assert lived("history", "rm", "--older-than", "soon").exit_code == 2
    assert lived("history", "rm").exit_code == 2


def test_it_is_handed_on_as_messages_and_as_text(lived: Mmai) -> None:
    sky = lived("history", "--json").json["data"]["conversations"][1]["id"]
    exported = json.loads(lived("history", "export", sky, "-o", "json").stdout)
    assert [message["role"] for message in exported["messages"]] == ["system", "user", "assistant", "user", "assistant"]
    assert exported["messages"][1]["content"] == "Why is the sky blue?"
    assert len(lived("history", "export", "--all", "-o", "jsonl").stdout.splitlines()) == 2
    assert lived("history", "export", sky).stdout.startswith("# Why is the sky blue?\n")
    assert lived("history", "export", "-o", "pdf").exit_code == 2


def test_a_name_is_given_once(lived: Mmai) -> None:
    sky = lived("history", "--json").json["data"]["conversations"][1]["id"]
    assert lived("history", "name", sky, "sky").exit_code == 0
    assert "**Rayleigh**" in lived("history", "show", "sky").stdout
    taken = lived("history", "name", "sky", "sea")
    assert (taken.exit_code, "another conversation is called `sea`" in taken.stderr) == (2, True)
