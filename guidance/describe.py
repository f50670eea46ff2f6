"""The catalogue as a page that people read."""

from __future__ import annotations

from guidance.catalogue import Catalogue
from guidance.programme import Programme

STATUS_EN = {"active": "offered", "closed": "closed, kept for history", "unverified": "not confirmed, never offered"}
MARKS = (
    "Marks of the sources: A statute, regulator or ministry page; B newspaper reporting an official release; C private blog; "
    "D derived; M from memory, unverified."
)


def describe_programmes(catalogue: Catalogue) -> str:
    """Describe every programme in Markdown, by number: the text of docs/programmes.md."""
    ordered = sorted(catalogue.programmes.values(), key=lambda one: (one.number, one.id))
    lead = "# Programmes\n\nMade from `guidance/programmes/*.toml`; do not edit. " + MARKS + "\n"
    return "\n".join([lead, *(_describe(one) for one in ordered)])


def _describe(one: Programme) -> str:
    ladder = ", ".join(f"{state} ({position})" for state, position in sorted(one.ladder.items(), key=lambda step: (step[1], step[0])))
    lines = [
        f"## {one.number} {one.name_ko} · {one.name_en}\n",
        f"- Status: {STATUS_EN[one.status]}; mode: {one.mode}; kind: {one.kind}; file: `{one.id}.toml`",
        f"- Operator: {one.operator_ko} · {one.operator_en}",
        f"- Benefit: {one.amount_ko} · {one.amount_en}",
        f"- Window: {one.window.from_on or 'not stated'} to {one.window.to_on or 'not stated'}",
        f"- Budget: {_say_number(one.budget_krw, 'won')}; places: {_say_number(one.places, 'places')}; regional floor: {one.floor_share or 'none'}",
        f"- States served, with place on the ladder: {ladder}",
        f"- Once per: {one.once_per}; conflict group: {one.conflict_group or 'none'}; must come first: {', '.join(one.must_come_first) or 'nothing'}",
        f"- Apply: {one.apply.channel_ko} · {one.apply.channel_en}; phone: {', '.join(one.apply.phone) or 'not stated'}",
        f"- Documents: {', '.join(one.documents_ko) or 'not stated'}",
        *(f"- Mind: {ko} · {en}" for ko, en in zip(one.side_effects_ko, one.side_effects_en, strict=True)),
        "\n| condition | as a rule | when it does not hold |\n|---|---|---|",
        *(f"| {rule.id} | `{_in_cell(rule.sql)}` | {rule.unmet_ko} · {rule.unmet_en} |" for rule in one.rule),
        *(f"| not {rule.id} | `NOT ({_in_cell(rule.sql)})` | {rule.unmet_ko} · {rule.unmet_en} |" for rule in one.exclusion),
        "\nWorked examples: " + " ".join(f"{example.name} ({example.verdict})" for example in one.example),
        "\nSources: " + "; ".join(f"[{source.number}] {source.url} ({source.mark}, {source.checked_on}: {source.says})" for source in one.source) + "\n",
    ]  # fmt: skip
    return "\n".join(lines)


def _say_number(value: int | None, unit: str) -> str:
    return f"{value:,} {unit}" if value is not None else "not stated"


def _in_cell(sql: str) -> str:
    return " ".join(sql.split()).replace("|", "\\|")
