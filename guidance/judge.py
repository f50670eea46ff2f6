"""Eligibility: true, false, or unknown with the question to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from guidance.catalogue import Catalogue
from guidance.programme import Programme, Rule
from signals.products import FLAGGED, PRODUCTS, conform_product

ONCE_WORDS = {
    "window": ("{ko} 이번 사업 기간에 이미 받았습니다", "{en}: already had in this window", "{ko} 올해 이미 받으셨나요?", "{en}: have you had it this year?"),
    "lifetime": ("{ko} 이미 받았습니다(한 번만 받을 수 있습니다)", "{en}: can be had once only, and was", "{ko} 받으신 적이 있나요?", "{en}: have you ever had it?"),
}  # fmt: skip
FINALS = 28  # Unicode lays Hangul out by its final consonant, none being the first of 28


@dataclass(frozen=True)
class Condition:
    """One thing that must hold: `met` true, false, or null (unknown); the words when it does not, and when unknown."""

    id: str
    met: pl.Expr
    unmet_ko: str
    unmet_en: str
    question_ko: str
    question_en: str


def list_conditions(programme: Programme) -> list[Condition]:
    """List everything that must hold for a programme: its rules, its exclusions turned round, once only, what must come first."""
    rules = [_make_condition(rule, pl.sql_expr(rule.sql)) for rule in programme.rule]
    exclusions = [_make_condition(rule, ~pl.sql_expr(rule.sql)) for rule in programme.exclusion]
    return [*rules, *exclusions, *_conditions_on_awards(programme)]


def _make_condition(rule: Rule, met: pl.Expr) -> Condition:
    return Condition(rule.id, met, rule.unmet_ko, rule.unmet_en, rule.question_ko, rule.question_en)


def _conditions_on_awards(programme: Programme) -> list[Condition]:
    conditions = []
    if programme.once_per in ONCE_WORDS:
        begins = programme.window.from_on if programme.once_per == "window" else None
        name_ko, name_en = add_object_particle(programme.name_ko), programme.name_en
        unmet_ko, unmet_en, ask_ko, ask_en = (words.format(ko=name_ko, en=name_en) for words in ONCE_WORDS[programme.once_per])
        had = _had(programme.id, begins)
        conditions.append(Condition(f"once_per_{programme.once_per}", ~had, unmet_ko, unmet_en, ask_ko, ask_en))
    for name in programme.must_come_first:
        words = (
            f"먼저 {name} 지원을 받아야 합니다",
            f"{name} must come first",
            f"{name} 지원을 받으신 적이 있나요?",
            f"Have you had {name}?",
        )
        conditions.append(Condition(f"after_{name}", _had(name, None), *words))
    return conditions


def add_object_particle(name: str) -> str:
    """Add 을 or 를 to a Korean name by its final consonant, and 을(를) where it does not end in Hangul.

    >>> [add_object_particle(name) for name in ("새출발기금", "경영안정 바우처", "TOPS")]
    ['새출발기금을', '경영안정 바우처를', 'TOPS을(를)']
    """
    if not "가" <= name[-1:] <= "힣":
        return f"{name}을(를)"
    return name + ("을" if (ord(name[-1]) - ord("가")) % FINALS else "를")


def _had(programme_id: str, begins: date | None) -> pl.Expr:
    award = pl.element()
    is_it = award.str.starts_with(f"{programme_id}@")
    if begins is not None:
        is_it &= award >= f"{programme_id}@{begins.isoformat()}"
    seen = pl.col("awards").list.eval(is_it).list.any()
    covered = pl.col("is_awards_history_covered").fill_null(value=False)
    return pl.when(seen).then(True).when(covered).then(False).otherwise(None)


def judge_eligibility(facts: pl.DataFrame, catalogue: Catalogue, as_of: date) -> pl.DataFrame:
    """Judge who is eligible for what: the verdicts, one row per borrower_id and programme_id, sorted.

    `facts`: those of `build_facts` with `owner_state` and `level`. The flagged are judged for every programme offered on
    `as_of`; of everyone else only the eligible rows of programmes that serve their state are kept. `is_eligible` null means
    unknown. `unmet` and `questions` are in Korean; `find_words` gives both languages. A condition known to fail makes the
    whole false, whatever else is unknown; the questions are listed all the same.
    """
    parts = [_judge_programme(facts, programme) for programme in catalogue.offered(as_of)]
    empty = pl.DataFrame(schema=dict(PRODUCTS["verdicts"].columns))
    return conform_product("verdicts", pl.concat([empty, *parts]))


def _judge_programme(facts: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    conditions = list_conditions(programme)
    is_flagged, is_served = pl.col("level").is_in(FLAGGED), pl.col("owner_state").is_in(list(programme.ladder))
    judged = facts.filter(is_flagged | is_served).select(
        "borrower_id",
        pl.lit(programme.id).alias("programme_id"),
        is_flagged.alias("is_flagged"),
        *(condition.met.alias(f"met {number}") for number, condition in enumerate(conditions)),
    )
    met = [pl.col(f"met {number}") for number in range(len(conditions))]
    return judged.with_columns(is_eligible=pl.all_horizontal(met)).filter(pl.col("is_flagged") | pl.col("is_eligible")).select(
        "borrower_id", "programme_id", "is_eligible",
        unmet=_list_words(conditions, lambda one: one.unmet_ko, lambda holds: ~holds),
        questions=_list_words(conditions, lambda one: one.question_ko, lambda holds: holds.is_null()),
    )  # fmt: skip


def _list_words(conditions: list[Condition], word: Callable[[Condition], str], applies: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    words = [pl.when(applies(pl.col(f"met {number}"))).then(pl.lit(word(one))) for number, one in enumerate(conditions)]
    return pl.concat_list(words).list.drop_nulls()


def find_words(catalogue: Catalogue, programme_id: str) -> dict[str, Condition]:
    """Find the words of every condition of a programme, by the condition's id, in both languages."""
    return {condition.id: condition for condition in list_conditions(catalogue.programmes[programme_id])}
