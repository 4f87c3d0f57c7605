"""Fenced code blocks, by CommonMark's examples and by what models write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.engine.extract import code_block


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("```\n<\n >\n```", "<\n >"),
        ("Sure:\n\n```python\nprint(1)\n```\nDone.", "print(1)"),
        ("~~~\n<\n >\n~~~", "<\n >"),
        ("```\naaa\n~~~\n```", "aaa\n~~~"),
        ("~~~\naaa\n```\n~~~", "aaa\n```"),
        ("````\naaa\n```\n``````", "aaa\n```"),
        ("```", ""),
        ("```\n\n```", ""),
        ("`````\n\n```\naaa", "\n```\naaa"),
        (" ```\n aaa\naaa\n```", "aaa\naaa"),
        ("   ```\n   aaa\n    aaa\n  aaa\n   ```", "aaa\n aaa\naaa"),
        ("```\naaa\n    ```", "aaa\n    ```"),
        ("```\naaa\n``` aaa", "aaa\n``` aaa"),
        ("~~~ aa ``` ~~~\naaa\n~~~", "aaa"),
        ("```\r\na\r\nb\r\n```\r\n", "a\nb"),
        ("1. Run this:\n\n    ```sh\n    ls\n      -l\n    ```\n2. Rest", "ls\n  -l"),
        ("- ```sh\n  ls\n  ```", "ls"),
    ],
)
def test_a_fence_holds_what_commonmark_says(text: str, block: str) -> None:
    assert code_block(text) == block


@pytest.mark.parametrize("text", ["", "no code", "`x` and ``y``", "``\nx\n``", "``` a`b\nx", "    ```\n    x"])
def test_text_without_a_fence_has_no_block(text: str) -> None:
    assert code_block(text) is None


def test_the_first_block_is_taken_unless_the_last_is_asked_for() -> None:
    text = "```\none\n```\nthen\n```\ntwo\n```"
    assert code_block(text) == "one"
    assert code_block(text, last=True) == "two"


@given(st.text(alphabet=st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_what_is_fenced_longer_than_any_run_inside_comes_back_whole(code: str) -> None:
    fence = "`" * (max((len(run) for run in code.replace("`", " `").split()), default=0) + 3 + code.count("`"))
    assert code_block(f"{fence}text\n{code}\n{fence}\n") == code
