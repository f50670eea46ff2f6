"""The registry's small files: each is written whole or not at all, and damage is said in words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from signals.errors import SettingsError


def read_values(path: Path) -> dict[str, Any]:
    """Read a file of named values; raises `SettingsError` when it is not there, not readable or something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise name_damage(path, str(error)) from error
    if not isinstance(values, dict):
        raise name_damage(path, "not a table of values")
    return values


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader meets the old text or the new, never a half; what says the same already is left alone."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    partial = _draft(path, text)
    os.replace(partial, path)  # noqa: PTH105 (says that it is atomic)


def write_once(path: Path, text: str) -> bool:
    """Write a file that must not be there yet, whole at once; False, and nothing written, where another was first."""
    partial = _draft(path, text)
    try:
        os.link(partial, path)  # fails where there is one, whoever was first
    except FileExistsError:
        return False
    finally:
        partial.unlink()
    return True


def to_text(values: dict[str, Any]) -> str:
    """Named values as the text of a file."""
    return json.dumps(values, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def name_damage(place: Path, what: str) -> SettingsError:
    """The error of a damaged model or record."""
    return SettingsError(
        f"damaged model: {what}",
        str(place),
        "no night can be scored by it",
        "restore it from a copy of the registry, or go back to the champion before with `deungdae models rollback`",
    )


def _draft(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    partial.write_text(text, encoding="utf-8")
    return partial
