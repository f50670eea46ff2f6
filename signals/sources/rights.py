"""On what right a source may be read, and what it may serve (decision 0024)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from signals.errors import InputError
from signals.sources.source import Source

BASIS_KO = {"statute": "법령", "consent": "동의", "pseudonymised": "가명정보"}
PURPOSE_KO = {"score": "산출", "train": "학습"}
WITHOUT_BASIS = "법적 근거 미기재 · no legal basis named: for trials only; describe it in a source file (docs/connect-a-lender.md)"
NOT_FOR_NIGHTS = "야간 산출에 쓰지 않음 · not read by the night: its purposes do not name score"


def may_serve(source: Source, purpose: str) -> bool:
    """Say whether a source may be read for a purpose (score, train)."""
    return purpose in source.purposes


def say_basis(source: Source) -> str:
    """Say on what right a source is read, in both languages; a dash: it names none.

    >>> say_basis(Source("tax", "/data", basis="statute", legal_basis="국세기본법 제81조의13"))
    '법령 · statute: 국세기본법 제81조의13'
    """
    return "–" if source.basis is None else f"{BASIS_KO[source.basis]} · {source.basis}: {source.legal_basis}"


def say_purposes(source: Source) -> str:
    """Say what a source may serve, in both languages.

    >>> say_purposes(Source("tax", "/data"))
    '산출 · score, 학습 · train'
    """
    return ", ".join(f"{PURPOSE_KO[purpose]} · {purpose}" for purpose in source.purposes)


def describe_right(source: Source) -> dict[str, Any]:
    """Describe a source's right for the report: `source_id`, `basis`, `purposes`, and `notes`, what is to be said of it."""
    notes = [WITHOUT_BASIS] if source.basis is None else []
    notes += [] if may_serve(source, "score") else [NOT_FOR_NIGHTS]
    return {"source_id": source.source_id, "basis": say_basis(source), "purposes": say_purposes(source), "notes": notes}


def refuse_without_basis(sources: Iterable[Source]) -> None:
    """Refuse sources that name no right to their data: raises `InputError` with the first of them."""
    for source in sources:
        if source.basis is None:
            raise InputError(
                "no legal basis named",
                f"source {source.source_id}",
                "without a statute or a consent nobody's data may be read here (DEUNGDAE_REQUIRE_LEGAL_BASIS)",
                "describe it in a source file (docs/connect-a-lender.md)",
            )
