"""A JSON schema in the part of the language that Anthropic's structured outputs take.

Source: platform.claude.com/docs, "Structured outputs", JSON schema limitations. Whoever asked still holds the answer against
the whole schema; what cannot be enforced is told the model in words.
"""

from typing import Any

import msgspec

KEPT = ("type", "enum", "const", "required", "title", "$ref", "default")
FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
LISTS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
MAPS = ("properties", "$defs", "definitions")
SILENT = ("$schema", "$id", "$comment", "description", "additionalProperties")
"""Neither sent on nor worth words; the description leads the words there are."""


def enforceable(schema: Any) -> Any:
    """The schema with closed objects, and with its other limits in the description."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    told: dict[str, Any] = {}
    for key, value in schema.items():
        if key in KEPT or (key == "format" and value in FORMATS) or (key == "minItems" and value in (0, 1)):
            kept[key] = value
        elif key in MAPS:
            kept[key] = {name: enforceable(inner) for name, inner in value.items()}
        elif key in LISTS:
            kept[LISTS[key]] = [enforceable(inner) for inner in value]
        elif key == "items":
            kept[key] = enforceable(value)
        elif key not in SILENT:
            told[key] = value
    if _is_object(schema):
        kept["additionalProperties"] = False
    if words := _words(schema.get("description"), told):
        kept["description"] = words
    return kept


def _is_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _words(description: Any, told: dict[str, Any]) -> str:
    limits = ", ".join(f"{key}: {msgspec.json.encode(value).decode()}" for key, value in told.items())
    return "\n\n".join(filter(None, (description, f"{{{limits}}}" if limits else "")))
