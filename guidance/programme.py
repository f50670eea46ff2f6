"""What a programme's file must say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

import polars as pl
from polars.exceptions import PolarsError
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from guidance.facts import FACTS

Kind = Literal["voucher", "grant", "loan", "guarantee", "debt", "insurance", "service", "allowance"]
State = Literal["healthy", "watch", "early_arrears", "arrears_31_89", "arrears_90", "closing", "closed", "in_adjustment"]
Once = Literal["window", "lifetime", "unstated"]
Verdict = Literal["eligible", "ineligible", "unknown"]
EMPTY = pl.DataFrame(schema={fact.name: fact.kind for fact in FACTS.values()})


class _Said(BaseModel):
    """Every key counts: an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Said):
    """When applications are taken; a missing end is open."""

    from_on: date | None = None
    to_on: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.from_on and self.to_on and self.to_on < self.from_on:
            raise ValueError("the window ends before it begins")
        return self


class Rule(_Said):
    """One condition as SQL over declared facts: true, false, or null (unknown).

    A rule is met when true; an exclusion is met (keeps the owner in) when false.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    sql: str
    unmet_ko: str = Field(min_length=1)
    unmet_en: str = Field(min_length=1)
    question_ko: str = Field(min_length=1)
    question_en: str = Field(min_length=1)

    @field_validator("sql")
    @classmethod
    def _asks_declared_facts(cls, sql: str) -> str:
        try:
            predicate = pl.sql_expr(sql)
            unknown = sorted(set(predicate.meta.root_names()) - set(FACTS))
            if unknown:
                raise ValueError(f"no declared fact is called {', '.join(unknown)}; guidance/facts.py lists them")
            kind = EMPTY.select(predicate).dtypes[0]
        except PolarsError as error:
            raise ValueError(f"not a predicate: {str(error).splitlines()[0]}") from error
        if kind != pl.Boolean:
            raise ValueError(f"a predicate is true or false, this is {kind}")
        return sql


class Apply(_Said):
    """Where an owner turns to; what no source names is missing."""

    channel_ko: str
    channel_en: str
    url: str | None = None
    phone: tuple[str, ...] = ()


class Source(_Said):
    """Where a statement comes from: its number in the policy facts, address, mark of confidence, day collected."""

    number: int
    url: str
    mark: Literal["A", "B", "C", "D", "M"]
    says: str
    checked_on: date

    @field_validator("url")
    @classmethod
    def _can_be_opened(cls, url: str) -> str:
        if "…" in url or not url.startswith(("http://", "https://")):
            raise ValueError("not a whole address: it must start with http:// or https:// and leave nothing out")
        return url


class Example(_Said):
    """A worked example: a sentence, the facts known (all others are unknown), and the verdict they must give."""

    name: str = Field(min_length=10)
    verdict: Verdict
    because: tuple[str, ...] = ()
    facts: dict[str, Any]

    @field_validator("facts")
    @classmethod
    def _declared(cls, facts: dict[str, Any]) -> dict[str, Any]:
        for name, value in facts.items():
            if name not in FACTS:
                raise ValueError(f"no declared fact is called {name}; guidance/facts.py lists them")
            try:
                pl.Series([_plain(value)], dtype=FACTS[name].kind)
            except (TypeError, PolarsError) as error:
                raise ValueError(f"{name} can't be {value!r}: it is {FACTS[name].kind}") from error
        return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


class Programme(_Said):
    """One programme, as its file says it: the policy owner's word in the shape that rules need.

    `amount_krw` is the most one owner gets (of an allotted programme: the ceiling each place holds), won; None: not a sum.
    `places` and `budget_krw` are of the whole window; None: not stated. `floor_share` of all places is for owners outside the
    capital region; None: no floor. `ladder` gives, for each state served, the order in which programmes are offered.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    number: str
    name_ko: str
    name_en: str
    operator_ko: str
    operator_en: str
    status: Literal["active", "closed", "unverified"]
    kind: Kind
    mode: Literal["guide", "allot"] = "guide"
    period: str = Field(min_length=1, max_length=32)
    amount_krw: int | None = Field(default=None, gt=0)
    amount_ko: str
    amount_en: str
    budget_krw: int | None = Field(default=None, ge=0)
    places: int | None = Field(default=None, ge=0)
    floor_share: Decimal | None = Field(default=None, gt=0, le=1)
    floor_released_on: date | None = None
    hold_days: int | None = Field(default=None, ge=1)
    once_per: Once
    conflict_group: str | None = None
    must_come_first: tuple[str, ...] = ()
    documents_ko: tuple[str, ...] = ()
    documents_en: tuple[str, ...] = ()
    side_effects_ko: tuple[str, ...]
    side_effects_en: tuple[str, ...]
    ladder: dict[State, int]
    window: Window
    apply: Apply
    rule: tuple[Rule, ...] = Field(min_length=1)
    exclusion: tuple[Rule, ...] = ()
    source: tuple[Source, ...] = Field(min_length=1)
    example: tuple[Example, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> Programme:
        names = [rule.id for rule in (*self.rule, *self.exclusion)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules are called {', '.join(twice)}")
        missing = [name for name in ("amount_krw", "budget_krw", "hold_days") if getattr(self, name) is None]
        missing += [] if self.window.to_on else ["window.to_on"]
        if self.mode == "allot" and missing:
            raise ValueError(f"an allotted programme must say {', '.join(missing)}: its places are counted over its window")
        if self.floor_released_on and self.floor_share is None:
            raise ValueError("floor_released_on without a floor_share")
        if len(self.documents_ko) != len(self.documents_en) or len(self.side_effects_ko) != len(self.side_effects_en):
            raise ValueError("documents and side effects must be said in both languages, line by line")
        return self

    def is_offered(self, as_of: date) -> bool:
        """Whether it may be offered on a day: active and inside its window."""
        is_begun = self.window.from_on is None or self.window.from_on <= as_of
        return self.status == "active" and is_begun and (self.window.to_on is None or as_of <= self.window.to_on)
