"""Whether a JSON schema can be asked for as `strict`, which takes a part of the language alone and refuses the rest.

Source: OpenAI, "Structured model outputs", supported schemas.
"""

from typing import Any

SUPPORTED = frozenset(
    (
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "definitions",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    )
)
FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"))


def can_be_strict(schema: dict[str, Any]) -> bool:
    """An object at the top, every object closed with all its properties required, and nothing beyond the supported words."""
    return schema.get("type") == "object" and _is_supported(schema)


def _is_supported(schema: Any) -> bool:
    if not isinstance(schema, dict) or not SUPPORTED.issuperset(schema) or schema.get("format", "date") not in FORMATS:
        return False
    return _is_closed(schema) and all(_is_supported(part) for part in _parts(schema))


def _is_closed(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    if "properties" not in schema and kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return True
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return schema.get("additionalProperties") is False and set(required) == set(properties)


def _parts(schema: dict[str, Any]) -> list[Any]:
    named = [part for key in ("properties", "$defs", "definitions") for part in schema.get(key, {}).values()]
    return [*named, *schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]
