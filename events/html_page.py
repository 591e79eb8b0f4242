"""What every page that Tierline writes shares: one self-contained HTML document, no script, no
network.

Enters: a title, styles and a body that is HTML already. Leaves: the document. It escapes the title
only.
"""

from __future__ import annotations

from html import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""What a browser may fetch or run for such a page: nothing."""
STYLE = """
:root{--ink:#1d2733;--soft:#5d6b7a;--line:#dfe5ec;--good:#0b7a5e;--warn:#9a5b00;--bad:#b3261e;
--paper:#fff;--ground:#f6f8fa}
*{box-sizing:border-box}body{margin:0;color:var(--ink);background:var(--ground);
font:15px/1.55 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei","WenQuanYi Zen Hei",
sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 60px}h1{font-size:24px;margin:0 0 4px}
h2{font-size:19px;margin:0 0 12px}h3{font-size:14px;margin:18px 0 6px;color:var(--soft)}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:18px;
margin:18px 0}
table{border-collapse:collapse;font-size:14px}td,th{padding:4px 14px 4px 0;text-align:left;
border-bottom:1px solid var(--line)}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bad{color:var(--bad)}.warn{color:var(--warn)}.note{color:var(--soft);font-size:13px}
"""


def document(lang: str, title: str, style: str, body: str) -> str:
    """The whole page; `style` comes after the common one."""
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head><body>{body}</body>"
        "</html>\n"
    )
