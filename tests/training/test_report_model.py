"""A report's JSON is read strictly: every key must be there, and none may be added."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from domain.decision import canonical_json
from domain.errors import BundleError
from training.report import as_json
from training.report_model import Content, read

Path = tuple[str | int, ...]


@pytest.fixture(scope="module")
def text(trained) -> bytes:
    return as_json(trained.result.bundle)


def models(found: object, path: Path = ()) -> Iterator[tuple[Path, BaseModel]]:
    """Every object inside a content, with where it stands."""
    if isinstance(found, BaseModel):
        yield path, found
        for name in type(found).model_fields:
            yield from models(getattr(found, name), (*path, name))
    elif isinstance(found, dict):
        for name, inner in found.items():
            yield from models(inner, (*path, name))
    elif isinstance(found, list | tuple):
        for place, inner in enumerate(found):
            yield from models(inner, (*path, place))


def small(text: bytes) -> bytes:
    """The same of two targets, with two of everything that there are many of."""
    content = json.loads(text)
    del content["targets"]["credit"], content["card"]["targets"]["credit"]
    for told in content["targets"].values():
        told["parts"] = {"test": told["parts"]["test"]}
        many = (told["labels"], told["view"], told["monotone"], told["stability"])
        for holder in many:
            for name, inner in holder.items():
                if isinstance(inner, dict) and len(inner) > 5:
                    holder[name] = dict(list(inner.items())[:2])
    return canonical_json(content).encode()


def one_of_each(text: bytes) -> dict[type[BaseModel], Path]:
    """Where the first object of each kind stands."""
    places: dict[type[BaseModel], Path] = {}
    for path, found in models(read(text)):
        places.setdefault(type(found), path)
    return places


def at(content: dict, path: Path):
    for key in path:
        content = content[key]
    return content


def test_what_a_bundle_says_is_read_whole(trained, text):
    found = read(text)
    assert found.bundle == trained.result.bundle.hash
    assert found.plan == trained.dataset.plan
    assert {*found.targets} == {*trained.result.targets}
    for target, result in trained.result.targets.items():
        parts = found.targets[target].parts
        assert {*parts} == {*result.parts}
        for name, part in parts.items():
            figures = result.parts[name].figures
            assert part.measures.items() <= figures.items()
            assert {*part.measures, "intervals", "baseline", "differences", "coverage",
                    "reliability", "rows", "events"} == {*figures}  # fmt: skip
            ranges = {*part.measures} - {"calibration_floor"}
            assert {*part.intervals} == (ranges if name == "test" else {result.parts[name].metric})


def test_no_object_may_lack_a_key_or_have_one_more(text):
    text = small(text)
    assert len(one_of_each(text)) >= 25
    for kind, path in one_of_each(text).items():
        needed = [n for n, field in kind.model_fields.items() if field.is_required()]
        for name in needed:
            content = json.loads(text)
            del at(content, path)[name]
            with pytest.raises(BundleError, match=r"Field required|names no policy|tag") as said:
                read(canonical_json(content).encode())
            assert name in str(said.value) or name == "metric"
        content = json.loads(text)
        at(content, path)["one_more"] = 1
        with pytest.raises(BundleError, match="one_more"):
            read(canonical_json(content).encode())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("bundle",), "b" * 63, "bundle"),
        (("card", "policy"), None, "names no policy"),
        (("card", "plan", "split"), "dice", "split"),
        (("targets", "churn", "format"), 1, "format"),
        (("targets", "churn", "parts", "test", "auc"), "0.8", "auc"),
        (("targets", "churn", "parts", "test", "intervals", "auc"), [0.1], "intervals"),
        (("targets", "churn", "metric"), "spearman", "targets.churn"),
        (("targets", "churn", "rows"), -1, "rows"),
        (("targets", "churn", "parts"), {}, "no part `test`"),
        (("targets", "love"), {}, "targets.love"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_its_place(text, path, value, said):
    content = json.loads(text)
    at(content, path[:-1])[path[-1]] = value
    with pytest.raises(BundleError, match=said):
        read(canonical_json(content).encode())


def test_a_target_must_stand_in_the_card_too(text):
    content = json.loads(text)
    del content["targets"]["churn"]
    with pytest.raises(BundleError, match="name others"):
        read(canonical_json(content).encode())
    with pytest.raises(BundleError, match=r"validation\.json breaks rules"):
        read(text[:-2])


def test_the_schema_names_every_key_that_is_needed():
    schema = Content.model_json_schema()
    assert {*schema["required"]} == {*Content.model_fields}
    assert schema["additionalProperties"] is False
