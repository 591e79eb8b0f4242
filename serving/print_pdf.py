"""A page as PDF, printed by a Chromium that is installed; nothing is fetched.

Enters: HTML. Leaves: the bytes of a PDF. It knows nothing of what the page says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from domain.errors import NotFoundError, TierlineError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 120
_FLAGS = (
    "--headless", "--disable-gpu", "--disable-background-networking", "--disable-extensions",
    "--no-first-run", "--no-pdf-header-footer", "--no-sandbox",
)  # fmt: skip


def browser() -> str:
    """The Chromium on PATH.

    Raises:
        NotFoundError: there is none.
    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise NotFoundError(
            f"no Chromium on PATH (looked for {', '.join(PROGRAMS)}): install one (Debian: apt-get "
            "install chromium), or take --html and print the page from any browser"
        )
    return found


def pdf(html: str) -> bytes:
    """The page printed on A4, as its own styles say.

    Raises:
        NotFoundError: no Chromium is installed.
        TierlineError: it printed nothing.
    """
    program = browser()
    with tempfile.TemporaryDirectory(prefix="print-") as folder:
        source, made = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(html, encoding="utf-8")
        command = [program, *_FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={made}"]
        try:
            done = subprocess.run(
                [*command, source.as_uri()], capture_output=True, timeout=SECONDS, check=False,
                env={**os.environ, "HOME": folder},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise _failed(program, f"within {SECONDS} seconds") from None
        if done.returncode or not made.is_file():
            raise _failed(program, f"(exit code {done.returncode})")
        return made.read_bytes()


def _failed(program: str, how: str) -> TierlineError:
    name = Path(program).name
    return TierlineError(
        f"{name} printed nothing {how}: see that `{name} --headless --no-sandbox --version` runs, "
        "or take --html"
    )
