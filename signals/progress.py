"""How far long work has come, for a person who waits."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class ProgressBar:
    """A progress bar on a terminal, a plain line every tenth elsewhere."""

    def __init__(self, text: str, console: Console) -> None:
        """Name the work and where it is told."""
        self.text, self.tenth, self.console = text, -1, console
        self.bar = Progress(TextColumn(text), BarColumn(), TimeElapsedColumn(), console=console, disable=not sys.stderr.isatty())
        self.task = self.bar.add_task(text, total=None)

    def __enter__(self) -> Self:
        """Show it."""
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it as it stands."""
        self.bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Say that so many of so many are done."""
        self.bar.update(self.task, completed=done, total=total)
        if not sys.stderr.isatty() and done * 10 // total > self.tenth:
            self.tenth = done * 10 // total
            self.console.print(f"{self.text}: {done:,} of {total:,}", markup=False, highlight=False)
