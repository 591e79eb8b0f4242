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
th{color:var(--soft);font-weight:400;font-size:13px}td.n,th.n{white-space:nowrap}
h1,h3,summary{overflow-wrap:anywhere}h2 small{font-weight:400}a{color:inherit}code{font-size:13px}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:10px 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.cards{margin:18px 0;display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px}
.cards>*{display:block;text-decoration:none;background:var(--paper);border:1px solid var(--line);
border-radius:10px;padding:12px 16px}.cards b{display:block;font-size:22px;line-height:1.3}
.two{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:28px;align-items:start}
details{margin:10px 0}summary{cursor:pointer;color:var(--soft)}
.notes{border-left:4px solid var(--warn);padding:4px 12px;margin:14px 0;overflow-wrap:anywhere}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.note{color:var(--soft);font-size:13px}:focus-visible{outline:2px solid var(--good)}
@media screen and (max-width:760px){.two{grid-template-columns:minmax(0,1fr);gap:14px}
main{padding:16px 12px 40px}section{padding:14px}dl{grid-template-columns:minmax(0,1fr);gap:0}
dd{margin-bottom:6px}td,th{padding-right:10px}}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9fadbc;--line:#33404d;
--good:#4cc3a0;--warn:#e0a030;--bad:#ff8a80;--paper:#1a222b;--ground:#11171d}}
@page{size:A4;margin:14mm}
@media print{:root{--ground:#fff}body{font-size:12px}main{max-width:none;padding:0}
section{border:0;padding:0}table,.note,th{font-size:11px}tr,li,dt,dd,figure,svg,.cards>*{
break-inside:avoid}h2,h3{break-after:avoid}*{print-color-adjust:exact}}
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
