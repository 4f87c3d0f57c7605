"""`mmai select --batch`: a choice a line, whatever a line is like."""

import json

import pytest
from command import Mmai

FIELDS = {"index", "id", "choice", "analysis", "weights", "candidates", "error"}


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_prompt_gets_a_line_with_what_select_says_of_it_alone(on: Mmai) -> None:
    prompts = ["what is 2+2?", "translate to French: good morning", "write a haiku"]
    (on.home / "p.jsonl").write_text("".join(json.dumps({"prompt": text}) + "\n" for text in prompts))
    result = on("select", "--batch", "p.jsonl", "-o", "jsonl")
    rows = lines(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [row["index"] for row in rows] == [1, 2, 3]
    assert all(set(row) >= FIELDS for row in rows)
    for text, row in zip(prompts, rows, strict=True):
        alone = on("select", text, "--json").json["data"]
        assert (row["choice"], row["analysis"]) == (alone["choice"], alone["analysis"])


def test_standard_input_is_a_file_too_and_ids_come_back(on: Mmai) -> None:
    piped = b'\xef\xbb\xbf{"id": "a", "prompt": "hi", "model": "of no interest"}\n\n"a bare string"\n'
    rows = lines(on("select", "--batch", "-", stdin=piped).stdout)
    assert [(row["index"], row["id"]) for row in rows] == [(1, "a"), (3, None)]


def test_a_line_that_is_no_prompt_has_its_error_and_the_others_are_answered(on: Mmai) -> None:
    result = on("select", "--batch", "-", stdin=b'{"prompt": "hi"}\nnot json\n{"text": "?"}\n{"prompt": "bye"}')
    rows = lines(result.stdout)
    assert [row["choice"] is None for row in rows] == [False, True, True, False]
    assert result.exit_code == 2
    assert "line 2 of `-` is not JSON" in result.stderr
    assert "1 more" in result.stderr


def test_a_prompt_no_model_may_take_has_its_error(on: Mmai) -> None:
    result = on("select", "--batch", "-", "--provider", "ollama", stdin=json.dumps({"prompt": "word " * 500_000}).encode())
    (row,) = lines(result.stdout)
    assert (row["choice"], result.exit_code) == (None, 3)
    assert isinstance(row["error"], dict)
    assert row["error"]["code"] == "no_eligible_model"


def test_limits_are_read_from_each_line_where_that_is_asked(on: Mmai) -> None:
    piped = b'{"prompt": "Name a bird. Keep it local."}\n{"prompt": "Name a bird."}\n'
    plain = lines(on("select", "--batch", "-", stdin=piped).stdout)
    read = lines(on("select", "--batch", "-", "--infer-constraints", stdin=piped).stdout)
    assert [row["analysis"]["inferred"] for row in plain] == [{}, {}]  # type: ignore[index]
    assert [row["analysis"]["inferred"] for row in read] == [{"local_only": "keep it local"}, {}]  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a prompt", "--batch", "-"), "a prompt is for one prompt, and `--batch` takes a file of them"),
        (("--explain", "--batch", "-"), "`--explain` is for one prompt"),
        (("-o", "csv", "--batch", "-"), "`--batch` writes JSON lines, not csv"),
        (("--batch", "nothing.jsonl"), "`nothing.jsonl` cannot be read: No such file or directory"),
    ],
)
def test_what_does_not_go_with_a_batch_is_refused(on: Mmai, arguments: tuple[str, ...], message: str) -> None:
    result = on("select", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
