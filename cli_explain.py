"""The command `tierline explain`: why a recorded decision came out so.

Enters: arguments. Leaves: tables, JSON or a letter on the terminal, or one file. Rooms are imported
inside the command, so that `--help` stays fast.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

import cli_options as opt
from domain.errors import InputError
from domain.workspace import Workspace

if TYPE_CHECKING:
    from features.catalogue import Language
    from serving.past import Past


@click.command()
@opt.source
@click.argument("decision_or_customer")
@opt.lang
@opt.output("--html", "write one page that stands alone here", "html_file")
@opt.output("--pdf", "print that page here, with an installed Chromium", "pdf_file")
@click.option("--json", "as_json", is_flag=True, help="print all that is told as JSON")
@click.option("--letter", is_flag=True, help="print the letter to the customer")
@click.option("--notice", is_flag=True, help="print the notice of an adverse credit decision")
@click.pass_obj
def explain(home: Path, /, source: str, decision_or_customer: str, **asked: Any) -> None:
    """Show why: base + ideas = points, how sure, what would change it, what changed.

    Takes the id of a decision, or of a customer: then the customer's latest recorded decision.

    \b
    Example:
      tierline explain --source bank C0000042 --lang zh
      tierline explain C0000042 --html why.html
      tierline explain 0123456789abcdef0123456789abcdef --notice
    """
    from serving.desk import find_record
    from serving.past import past_of

    lang: Language = asked.pop("lang")
    forms = {name: value for name, value in asked.items() if value}
    if len(forms) > 1:
        named = ", ".join("--" + n.removesuffix("_file").removeprefix("as_") for n in forms)
        raise click.UsageError(f"{named} exclude each other: ask for one")
    workspace = Workspace(home, source)
    decided = past_of(workspace, find_record(workspace, decision_or_customer))
    form = next(iter(forms), "")
    if form in ("letter", "notice"):
        click.echo(_letter(decided, lang) if form == "letter" else _notice(decided, lang))
    else:
        _show(workspace, decided, lang, form, forms.get(form))


def _show(workspace: Workspace, decided: Past, lang: Language, form: str, file: Any) -> None:
    from serving.told import tell

    told = tell(workspace, decided)
    if form == "as_json":
        click.echo(told.model_dump_json(indent=2))
    elif form:
        from events.durable import replace_file
        from serving.explain_page import page
        from serving.print_pdf import pdf

        html = page(told, lang)
        replace_file(file, html.encode() if form == "html_file" else pdf(html))
        opt.console.print(f"written: {file}", markup=False, highlight=False, soft_wrap=True)
    else:
        from serving.explain_terminal import explained

        console = Console(width=None if sys.stdout.isatty() else opt.console.width)
        for part in explained(told, lang, console):
            console.print(part, highlight=False)


def _letter(decided: Past, lang: Language) -> str:
    from serving.told import letter_of

    found = letter_of(decided)
    if found is None:
        raise InputError("this decision has no credit score, so there is no letter to write")
    return found.zh if lang == "zh" else found.en


def _notice(decided: Past, lang: Language) -> str:
    from serving.explain import adverse

    found = adverse(decided)
    text = found.letter_zh if lang == "zh" else found.letter_en
    if text is None:
        raise InputError(f"no notice can be written: {'; '.join(found.notes)}")
    return text
