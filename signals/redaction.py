"""What is left of a published night's receipts when a borrower was forgotten since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

FORGOT = "forgot"  # in a Delta commit: how many rows of which nights went with a borrower
REDACTED = "redacted"


def is_redacted(run: Mapping[str, Any]) -> bool:
    """Say whether rows of a published night went with a forgotten borrower, so that a replay has nothing to compare with.

    >>> is_redacted({"receipts": {"scores": {"rows": 9, "content_hash": "redacted", "version": 4, "is_redacted": True}}})
    True
    """
    return any(receipt.get("is_redacted", False) for receipt in run["receipts"].values())


def redact_receipt(receipt: Mapping[str, Any], as_of: date, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say what a pinned receipt of one table and night has become: pinned to the newest erasure, for older versions are gone.

    `history`: the table's Delta commits, in any order. Where an erasure after the pinned version took rows of this night, they
    are subtracted, the hash says redacted and `is_redacted` is true; where none came, the receipt is as it was.

    >>> commits = [{"version": 4, "forgot": '{"2026-03-01": 1}'}, {"version": 3}]
    >>> redact_receipt({"rows": 9, "content_hash": "x", "version": 3}, date(2026, 3, 1), commits)
    {'rows': 8, 'content_hash': 'redacted', 'version': 4, 'is_redacted': True}
    >>> redact_receipt({"rows": 9, "content_hash": "x", "version": 3}, date(2026, 2, 28), commits)
    {'rows': 9, 'content_hash': 'x', 'version': 4}
    """
    moved = move_version(receipt, history)
    later = [commit for commit in history if FORGOT in commit and moved["version"] != receipt["version"]]
    gone = sum(json.loads(commit[FORGOT]).get(as_of.isoformat(), 0) for commit in later if int(commit["version"]) > receipt["version"])
    return moved if not gone else {**moved, "rows": receipt["rows"] - gone, "content_hash": REDACTED, "is_redacted": True}


def move_version(receipt: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Pin a receipt to the newest erasure of its table, where one came after it: the files of older versions are gone."""
    pinned = receipt["version"]
    erasures = [int(commit["version"]) for commit in history if FORGOT in commit]
    return {**receipt, "version": pinned if pinned is None else max([pinned, *erasures])}
