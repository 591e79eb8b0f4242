"""Tables and lists of a report: what is a number stands right, what is a text is escaped."""

from __future__ import annotations

from training.report_html import Cell, Writer, plain

EN = Writer("en")


def test_a_column_of_numbers_stands_right_and_texts_are_escaped():
    html = EN.table(("gate", "rows"), [("a < b", 1234), ("c", None)])
    assert html.count('<td class="n">') == 2
    assert '<th scope="col" class="n">rows</th>' in html
    assert "<td>a &lt; b</td>" in html
    assert '<td class="n">1,234</td>' in html


def test_html_that_is_one_already_stays():
    assert "<td><b>x</b></td>" in EN.table(("gate",), [(Cell("<b>x</b>"),)])


def test_a_table_without_rows_says_so():
    assert EN.table(("gate",), []) == '<p class="note">none</p>'
    assert Writer("zh").table(("gate",), []) == '<p class="note">无</p>'


def test_words_for_tables_are_raw_and_for_html_escaped():
    assert EN.w("profit") == "Profit with the policy&#x27;s costs"
    assert EN.say("profit") == "Profit with the policy's costs"
    assert (EN.told(["中", "en"]), Writer("zh").told(["中", "en"])) == ("en", "中")


def test_any_json_is_shown_and_escaped():
    html = plain({"a": [1, {"<b>": "x & y"}], "c": None})
    assert html == (
        "<ul><li>a: <ul><li>1</li><li><ul><li>&lt;b&gt;: x &amp; y</li></ul></li></ul></li>"
        "<li>c: </li></ul>"
    )
