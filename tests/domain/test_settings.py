"""Settings: read from a mapping, refused with a cure, and documented."""

from __future__ import annotations

import pytest

from domain.errors import InputError
from domain.settings import PORT, SETTINGS


def test_the_environment_wins_over_the_default():
    assert PORT.read({}) == "3000"
    assert PORT.number({"TIERLINE_PORT": "8080"}) == 8080


def test_a_number_that_is_none_is_refused_by_its_variable():
    with pytest.raises(InputError, match=r"TIERLINE_PORT='http'"):
        PORT.number({"TIERLINE_PORT": "http"})


def test_every_setting_has_a_text_and_a_name_of_its_own():
    assert all(s.text for s in SETTINGS)
    assert len({s.variable for s in SETTINGS}) == len(SETTINGS)
