"""The JSON of a report as a page: docs/report.md is what this file writes.

Enters: the models of `training/report_model.py`. Leaves: Markdown. It reads and writes no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.report_model import Content

_INTRO = """\
# The JSON of a validation report

What `tierline report --json FILE` writes, and what [the page](validation.md) is made from;
`make docs` writes this text. Keys are sorted, numbers finite, there is no white space: the same
bundle, the same bytes. A reader refuses a key that is missing, unknown or of another kind. *or
null* marks what may be absent. The figures of a target are those of its test rows where nothing
else is said."""


def page() -> str:
    """One table of keys for each kind of object, the whole report first."""
    return "\n".join(_lines(Content.model_json_schema())) + "\n"


def _lines(schema: Mapping[str, Any]) -> Iterator[str]:
    yield _INTRO
    for name, model in {"Content": schema, **schema["$defs"]}.items():
        if "properties" not in model:
            continue
        yield from ("", f"## {name}", "", " ".join(model.get("description", "").split()), "")
        yield from ("| key | is | says |", "| --- | --- | --- |")
        for key, value in model["properties"].items():
            says = " ".join(value.get("description", "").split())
            yield f"| `{key}` | {_kind(value)} | {says} |"


def _kind(value: Mapping[str, Any]) -> str:
    """What stands there, in words.

    >>> _kind({"anyOf": [{"type": "number"}, {"type": "null"}]})
    'number or null'
    >>> _kind({"type": "object", "additionalProperties": {"$ref": "#/$defs/Part"}})
    'by name: [Part](#part)'
    """
    several = value.get("anyOf") or value.get("oneOf")
    if several:
        return " or ".join(dict.fromkeys(_kind(v) for v in several))
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return "any JSON" if name == "JsonValue" else f"[{name}](#{name.lower()})"
    if "const" in value or "enum" in value:
        return " or ".join(f"`{v}`" for v in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        several = value.get("prefixItems")
        if several:
            return f"[{', '.join(_kind(v) for v in several)}]"
        return f"list of {_kind(value.get('items', {}))}"
    if value.get("type") == "object":
        each = value.get("additionalProperties")
        return f"by name: {_kind(each)}" if isinstance(each, Mapping) else "object"
    return str(value.get("type", "any"))
