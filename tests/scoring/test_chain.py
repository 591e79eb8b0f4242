"""Any kind of act is chained as deployments are, under the name of its log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from domain.asof import parse_instant
from domain.errors import PromotionError, RecordError
from scoring.chain import FIRST, Act, Chain

JUNE = parse_instant("2011-06-01")


@dataclass(frozen=True, kw_only=True)
class Note(Act):
    """An act of the tests."""

    text: str


def note(number: int, at: int | None = None) -> Note:
    return Note(at=JUNE + number if at is None else at, by="Li", bundle="b" * 64, text=str(number))


def never(_: Note) -> bool:
    return False


@pytest.fixture
def chain(tmp_path: Path) -> Chain[Note]:
    made = Chain(tmp_path / "shop/notes.jsonl", Note, "log of notes")
    for number in range(3):
        made.append(note(number), never)
    return made


def test_what_was_appended_is_read_and_chained(chain):
    past = chain.read()
    assert [replace(n, previous=FIRST, hash="") for n in past] == [note(i) for i in range(3)]
    assert [n.previous for n in past] == [FIRST, *(n.hash for n in past[:-1])]
    assert sorted(f.name for f in chain.log.parent.iterdir()) == [
        "notes.head.json", "notes.jsonl", "notes.lock",
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(3))
def test_an_edited_or_deleted_line_is_found_under_the_name_of_the_log(chain, number):
    whole = chain.log.read_bytes().splitlines(keepends=True)
    edited = whole[number].replace(b"Li", b"Wu")
    chain.log.write_bytes(b"".join([*whole[:number], edited, *whole[number + 1 :]]))
    with pytest.raises(RecordError, match=f"line {number + 1} of the log of notes was edited"):
        chain.read()
    chain.log.write_bytes(b"".join(whole[:number] + whole[number + 1 :]))
    with pytest.raises(RecordError, match="log of notes"):
        chain.read()


def test_a_line_of_another_kind_is_none_of_this_log(chain):
    with pytest.raises(RecordError, match="line 1 of the log of acts was edited"):
        Chain(chain.log, Act, "log of acts").read()


def test_an_act_that_is_the_last_one_again_is_not_repeated(chain):
    last = chain.read()[-1]
    assert chain.append(note(2, at=JUNE + 9), lambda n: n.text == "2") == last
    assert len(chain.read()) == 3


def test_an_act_before_the_last_is_refused(chain):
    with pytest.raises(PromotionError, match="the log only grows forward"):
        chain.append(note(0), never)
    assert len(chain.read()) == 3
