"""README says what is so."""

import re

from readme import README, ROOT, rewritten

import mmai
from mmai.errors import MmaiError

TEXT = README.read_text()


def test_every_command_prints_what_readme_shows() -> None:
    assert rewritten(TEXT) == TEXT, "python tests/readme.py writes what is printed now"


def test_the_set_up_is_two_commands() -> None:
    set_up = TEXT.partition("<!-- setup -->")[2].partition("<!-- /setup -->")[0]
    assert len(re.findall(r"^\$ ", set_up, re.MULTILINE)) == 2


def test_every_exit_code_is_listed() -> None:
    listed = re.findall(r"^\| ([\d, ]+) \| \w", TEXT, re.MULTILINE)
    codes = {int(code) for row in listed for code in row.split(",")}
    assert codes == {0, 130, 141, 143} | {kind.exit_code for kind in _errors(MmaiError)}


def test_the_latest_version_of_the_changelog_is_this_one() -> None:
    versions = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == mmai.__version__


def _errors(kind: type[MmaiError]) -> list[type[MmaiError]]:
    return [kind, *(error for below in kind.__subclasses__() for error in _errors(below))]
