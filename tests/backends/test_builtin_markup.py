"""Which part of a text file is prose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmai.backends.builtin.document import read_document
from mmai.backends.builtin.markup import blocks


def sentences(text: str) -> list[str]:
    return [sentence.text for sentence in read_document(text).sentences]


README = """---
title: Frobnicator
tags: [a, b]
---
<!-- a comment
over lines. It says nothing. -->
<p align="center"><img src="logo.png" alt="The logo."></p>

# Frobnicator [![build](https://ci.example/b.svg)](https://ci.example/b)

[![PyPI](https://img.example/p.svg)](https://pypi.example) ![Licence](l.svg)

[Docs](https://docs.example) | [Chat](https://chat.example)

**Frobnicator** turns `foo` files into [bar files](https://bar.example "Bar"), and _never_
loses a snake_case name[^1]. It is *fast*&mdash;really.

## Install

```sh
pip install frobnicator. This is no sentence.
```

    $ frobnicate --all. Neither is this;

1. Make a [virtual environment](#venv) first.
2. [ ] Run the installer as an ordinary user.
- [Install](#install)

| Option | Meaning |
|--------|---------|
| `-a`   | All of it. Every file. |

> Quoted words are prose as well.

Setext heading
--------------

The end is near.

[^1]: A footnote.
[link]: https://example.com "Title"
"""


def test_only_the_prose_of_a_markdown_file_becomes_sentences() -> None:
    assert sentences(README) == [
        "Frobnicator turns foo files into bar files, and never loses a snake_case name.",
        "It is fast—really.",
        "Make a virtual environment first.",
        "Run the installer as an ordinary user.",
        "Quoted words are prose as well.",
        "The end is near.",
    ]


def test_headings_of_every_style_are_kept_apart() -> None:
    assert read_document(README).headings == ("Frobnicator", "Install", "Setext heading")


def test_list_items_and_openings_of_paragraphs_are_known() -> None:
    document = read_document("First of all. Then more of it.\n\n* An item of a list.\n")
    assert [(s.opens, s.listed) for s in document.sentences] == [(True, False), (False, False), (True, True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ".. image:: a.png\n   :alt: Text here.\n\nSee :func:`foo` and `the docs <https://x.example>`_ now.",
            ["See foo and the docs now."],
        ),
        ("Title\n=====\n\nThe |name| reads ``a|b`` files.", ["The reads a|b files."]),
        ("term\n    What the term means is this.", ["What the term means is this."]),
        ("From: a@b.example\nSubject: Hi.\nDate: today\n\nThe mail itself is short.", ["The mail itself is short."]),
        (
            "Ann: are you there?\nBob: yes I am!\nAnn: good to know.\n",
            ["Ann: are you there?", "Bob: yes I am!", "Ann: good to know."],
        ),
        ("<div>\nInside <b>tags</b> there is text &amp; more.\n</div>", ["Inside tags there is text & more."]),
        ("A ~~struck~~ and \\*escaped\\* word, ***both***.", ["A struck and *escaped* word, both."]),
        ("\ufeffA mark of byte order goes.\r\nLines\rend\u2028anyhow.", ["A mark of byte order goes.", "Lines end anyhow."]),
    ],
)
def test_markup_of_other_kinds_goes_too(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_indented_prose_is_no_code() -> None:
    text = "      1. Definitions.\n\n      The licence shall mean the terms of this document.\n"
    assert sentences(text) == ["The licence shall mean the terms of this document."]


def test_lines_without_punctuation_that_end_early_stand_for_themselves() -> None:
    notes = "the server went down at noon on monday\nbob restarted it in the evening\nnobody knows why it fell over in the first place\n"
    assert sentences(notes) == [
        "the server went down at noon on monday",
        "bob restarted it in the evening",
        "nobody knows why it fell over in the first place",
    ]


def test_a_text_of_nothing_but_code_or_headings_is_read_all_the_same() -> None:
    assert sentences("# One heading\n\n## Another heading\n") == ["One heading", "Another heading"]
    assert sentences("```\nprint(1)\n```\n") == ["print(1)"]


def test_a_fence_that_is_never_closed_hides_only_what_follows() -> None:
    assert sentences("Before the fence all is well.\n\n```\nx = 1\nAfter it, nothing is.") == ["Before the fence all is well."]


@pytest.mark.parametrize("text", ["", " \n\t", "...", "---\n***\n", "\0", "\ufeff"])
def test_text_without_a_letter_or_digit_has_no_sentences(text: str) -> None:
    assert sentences(text) == []


@pytest.mark.parametrize(
    "unit",
    ["[", "<a ", "`a", " _a", "*a", "![a](", "# #", "==    ", "> ", "- ", ". ", '."', "a: b\n", "```\n", "| ", "<!--", "a.[1]"],
)
def test_hostile_repetition_is_read_in_one_pass(unit: str) -> None:
    text = unit * (100_000 // len(unit)) + "x"
    assert len(read_document(text).sentences) >= 1


@given(st.text(alphabet=st.sampled_from("#*_`[]()<>|-=~.:! \n\tab1\\&;")))
def test_any_markup_reads_without_an_error_and_without_empty_lines(text: str) -> None:
    assert all(line.strip() == line != "" for block in blocks(text) for line in block.lines)
