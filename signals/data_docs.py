"""Data Docs for closed networks: Great Expectations' pages without anything from elsewhere, and a first page of our own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

_ELSEWHERE = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<footer\b.*?</footer>|<link\b[^>]*>|<img\b[^>]*>|<title>.*?</title>",
    re.DOTALL | re.IGNORECASE,
)
_ACTIONS = re.compile(
    r'<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions</strong>.*?(?=<div class="card d-md-block)', re.DOTALL
)
_FOLDED = re.compile(r'<p class="m-0">\s*<a data-toggle="collapse".*?</a>\s*</p>', re.DOTALL)  # shown open: a link would do nothing


@dataclass(frozen=True)
class Judged:
    """One validation: its table, its name in Data Docs, what it said, and the numbers it rests on."""

    table: str
    name: str
    warnings: tuple[str, ...]
    failures: tuple[str, ...]
    numbers: pl.DataFrame


def finish_docs(folder: Path, as_of: date, judged: Sequence[Judged]) -> None:
    """Make every page under the folder readable without a network, and write the first page, `index.html`."""
    for page in sorted(folder.rglob("*.html")):
        page.write_text(_make_self_contained(page.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(folder / "static", ignore_errors=True)
    (folder / "index.html").write_text(_write_index(folder, as_of, judged), encoding="utf-8")


def _make_self_contained(page: str) -> str:
    bare = _ACTIONS.sub("", _FOLDED.sub("", _ELSEWHERE.sub("", page)))
    return re.sub(r"<head>", lambda found: found[0] + _head("Data Docs"), bare, count=1)


@cache
def _read_looks() -> str:
    return (resources.files("signals") / "data_docs.css").read_text(encoding="utf-8")


def _head(title: str) -> str:
    return f'<meta charset="UTF-8"><link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_read_looks()}</style>'


def _write_index(folder: Path, as_of: date, judged: Sequence[Judged]) -> str:
    title = f"What came in for the night of {as_of}"
    failed, warned = (sum(len(said) for said in whole) for whole in ([one.failures for one in judged], [one.warnings for one in judged]))
    tables = "".join(_show_table(folder, table, judged) for table in dict.fromkeys(one.table for one in judged))
    verdict = f'<p><b class="{"bad" if failed else "good"}">{failed} failures</b>, <b class="{"care" if warned else "good"}">{warned} warnings</b></p>'
    return (
        f'<!DOCTYPE html><html lang="en"><head>{_head(title)}</head><body><h1>{escape(title)}</h1>{verdict}'
        f"{tables or '<p>Nothing new came in.</p>'}</body></html>"
    )


def _show_table(folder: Path, table: str, judged: Sequence[Judged]) -> str:
    own = [one for one in judged if one.table == table]
    links = ", ".join(f'<a href="{escape(_find_page(folder, one.name))}">{escape(one.name)}</a>' for one in own)
    said = [("bad", "✗", text) for one in own for text in one.failures] + [("care", "!", text) for one in own for text in one.warnings]
    lines = "".join(f'<li class="{kind}">{sign} {escape(text)}</li>' for kind, sign, text in said)
    numbers = "".join(_show_frame(one.numbers) for one in own if one.numbers.columns[0] == "source_id")
    return f'<h2>{escape(table)}</h2><ul class="said">{lines}</ul>{numbers}<p class="note">In full: {links}</p>'


def _find_page(folder: Path, name: str) -> str:
    pages = sorted((folder / "validations" / name).rglob("*.html"))
    return pages[0].relative_to(folder).as_posix() if pages else "#"


def _show_frame(frame: pl.DataFrame) -> str:
    kinds = [' class="number"' if kind.is_numeric() else "" for kind in frame.dtypes]
    head = "".join(f"<th{kind}>{escape(name.replace('_', ' '))}</th>" for name, kind in zip(frame.columns, kinds, strict=True))
    rows = "".join(
        "<tr>" + "".join(f"<td{kind}>{escape(_show(value))}</td>" for value, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in frame.iter_rows()
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _show(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
