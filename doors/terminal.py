"""What every door shares: how a command is asked for, and how it answers on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

said = Console(stderr=True, soft_wrap=True)

HomeFolder = Annotated[Path, typer.Option("--home", help="HOME: where a night keeps its things.", envvar="DEUNGDAE_HOME")]


def say(text: str) -> None:
    """Say a line on standard error, as it is."""
    said.print(text, markup=False, highlight=False)


def standard_out() -> Console:
    """Standard output, wrapped where a person reads it."""
    return Console(soft_wrap=not sys.stdout.isatty())


def show_pairs(title: str, rows: list[tuple[str, str]]) -> None:
    """Print pairs of a name and what is to be said of it."""
    table = Table(title=title, show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")  # a path cut short helps nobody
    for name, text in rows:
        table.add_row(name, text)
    standard_out().print(table)
