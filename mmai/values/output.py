"""In which form a command answers."""

from enum import StrEnum


class Output(StrEnum):
    """Of commands that show rows."""

    TABLE = "table"
    PLAIN = "plain"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MD = "md"


class AnswerOutput(StrEnum):
    """Of commands that give a model's answer."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
