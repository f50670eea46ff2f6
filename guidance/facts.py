"""Every fact that an eligibility rule may name, declared once, and the frame that holds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from guidance.loan_facts import find_arrears_facts, find_credit_facts, find_debt_facts, find_overdue_facts
from guidance.shop_facts import find_event_facts, find_shop_facts
from guidance.told_facts import find_awards, find_told_facts, read_whole
from signals.codes.industries import falls_under, is_small_in, with_section
from signals.codes.regions import is_inside_capital, region_on
from signals.tables import HOLDERS

Kind = type[pl.DataType] | pl.DataType


@dataclass(frozen=True)
class Fact:
    """One thing that a rule may ask about a borrower.

    `unit` is a unit or the allowed words. `holder` says who knows it. `max_age_days`: older is unknown; None: does not age.
    `may_ask`: whether the owner may be asked; what an owner or caseworker told of any other fact is not read. `subject`: the
    coverage that makes a missing row mean `no_row_means`; None: a missing row is always unknown. `is_told`: read from the
    table `facts` under its own name.
    """

    name: str
    kind: Kind
    unit: str
    holder: str
    meaning: str
    question_ko: str
    question_en: str
    max_age_days: int | None = None
    may_ask: bool = True
    subject: str | None = None
    no_row_means: Any = None
    is_told: bool = False


def _told(fact: Fact, max_age_days: int = 366, no_row_means: Any = None) -> Fact:
    return replace(fact, max_age_days=max_age_days, subject=fact.name, no_row_means=no_row_means, is_told=True)


_INT, _TEXT, _FLAG, _DAY, _REAL = pl.Int64, pl.String, pl.Boolean, pl.Date, pl.Float64

_LOANS = (
    Fact("days_past_due", _INT, "days", "lenders", "Days overdue of the worst loan, each loan's newest month.",
         "지금 연체 중인 대출이 있으신가요? 며칠째인가요?", "Is a loan overdue now, and for how many days?"),
    Fact("days_past_due_90_any", _FLAG, "true, false", "lenders", "Whether any loan is 90 or more days overdue.",
         "석 달 넘게 연체 중인 대출이 있으신가요?", "Has any loan been overdue for more than three months?"),
    Fact("oldest_loan_days", _INT, "days", "lenders", "Days since the oldest loan was paid out.",
         "가장 오래된 대출은 언제 받으셨나요?", "When did you take your oldest loan?"),
    Fact("total_debt_krw", _INT, "won", "credit bureau, lenders", "All debt: the larger of what the bureau and the lenders report.",
         "금융회사 대출을 모두 합하면 얼마인가요?", "How much do you owe lenders in all?"),
    Fact("secured_debt_krw", _INT, "won", "lenders", "Debt that property secures.",
         "담보 대출은 모두 얼마인가요?", "How much of your debt is secured?"),
    Fact("unsecured_debt_krw", _INT, "won", "lenders", "Debt that nothing secures.",
         "신용(무담보) 대출은 모두 얼마인가요?", "How much of your debt is unsecured?"),
    Fact("new_debt_share_6m", _REAL, "share, 0 to 1", "lenders", "Share of the debt that was lent within the last six months.",
         "최근 6개월 안에 새로 받은 대출은 얼마인가요?", "How much did you borrow in the last six months?"),
    Fact("credit_score", _INT, "points, 1 to 1000", "credit bureau", "The newest bureau score, NICE before others.",
         "NICE 신용점수를 알고 계신가요?", "Do you know your NICE score?", max_age_days=186, may_ask=False),
)  # fmt: skip
_PUBLIC = (
    Fact("tax_arrears_krw", _INT, "won", "tax office", "Unpaid national and local tax.",
         "내지 못한 세금이 얼마나 되나요?", "How much tax is unpaid?", subject="arrears", no_row_means=0),
    Fact("tax_arrears_oldest_days", _INT, "days", "tax office", "Days since the oldest unpaid tax fell due; 0: none unpaid.",
         "가장 오래된 체납 세금은 언제 것인가요?", "Since when is the oldest tax unpaid?", subject="arrears", no_row_means=0),
    Fact("has_default_event", _FLAG, "true, false", "credit bureau, courts", "Whether a default event happened within twelve months.",
         "최근 1년 안에 대위변제, 워크아웃, 회생, 파산이 있었나요?", "Was there a default within the last year?",
         subject="events", no_row_means=False),
    Fact("is_in_adjustment", _FLAG, "true, false", "credit recovery service, courts",
         "Whether the borrower repays under a public debt adjustment, workout or rehabilitation.",
         "채무조정이나 개인회생으로 갚고 계신 빚이 있으신가요?", "Are you repaying under a debt adjustment or rehabilitation?",
         subject="events", no_row_means=False),
)  # fmt: skip
_SHOP = (
    Fact("trading_status", _TEXT, "trading, suspended, closed", "tax office", "Whether the shop trades.",
         "지금 영업 중이신가요, 휴업이나 폐업하셨나요?", "Are you trading, suspended or closed?", subject="events", no_row_means="trading"),
    Fact("opened_on", _DAY, "date", "tax office", "The day the oldest shop that still counts opened.",
         "언제 개업하셨나요?", "When did you open?"),
    Fact("closed_on", _DAY, "date", "tax office", "The day the shop closed; null where it trades.",
         "언제 폐업하셨나요?", "When did you close?"),
    Fact("days_trading", _INT, "days", "tax office", "Days from opening to closing, or to now.",
         "얼마 동안 영업하셨나요?", "How long have you traded?"),
    Fact("days_suspended", _INT, "days", "tax office", "Days since the shop was suspended; null where it is not.",
         "언제부터 휴업하셨나요?", "Since when are you suspended?"),
    Fact("region_code", _TEXT, "region code", "tax office", "The region as its code reads today.",
         "사업장이 어느 시·도에 있나요?", "In which region is the shop?"),
    Fact("is_inside_capital", _FLAG, "true, false", "tax office", "Whether the shop lies in the capital region; unknown counts as inside.",
         "사업장이 수도권에 있나요?", "Is the shop in the capital region?"),
    Fact("industry_code", _TEXT, "KSIC code", "tax office", "The main industry, section letter first.",
         "어떤 업종이신가요?", "What is your trade?"),
    Fact("is_excluded_industry", _FLAG, "true, false", "tax office", "Whether the industry is left out of policy funds (signals/codes/excluded.toml).",
         "유흥·사행성 업종이신가요?", "Is yours adult entertainment or gambling?"),
    Fact("is_fund_excluded_industry", _FLAG, "true, false", "tax office",
         "Whether the industry is left out of the New Start Fund (signals/codes/excluded.toml).",
         "부동산 임대, 사행성 업종, 전문직이신가요?", "Is yours real-estate letting, gambling or a profession?"),
    Fact("employees", _INT, "persons", "social insurance bodies", "Regular employees, the owner not counted.",
         "상시 근로자가 몇 명인가요?", "How many regular employees have you?"),
    Fact("is_small_business", _FLAG, "true, false", "tax office, social insurance bodies",
         "Whether industry, regular employees and yearly sales make a small business (signals/codes/sizes.toml).",
         "소상공인(상시 근로자 5명 미만, 광업·제조·건설·운수는 10명 미만)에 해당하시나요?",
         "Are you a small business: fewer than five regular workers, ten in mining, manufacturing, construction and transport?"),
)  # fmt: skip
_TOLD = (
    _told(Fact("tax_year_sales_krw", _INT, "won", "tax office",
               "Sales of the last closed tax year (a year's opener: the year's worth of its monthly mean); valid from 1 January after it.",
               "지난해 신고한 매출은 얼마인가요?", "What sales did you report for last year?")),
    _told(Fact("plans_to_close", _FLAG, "true, false", "owner", "Whether the owner means to close.",
               "폐업을 생각하고 계신가요?", "Do you mean to close?"), 183),
    _told(Fact("household_income_pct", _REAL, "% of median income", "welfare office", "Household income against the median.",
               "가구 소득이 중위소득의 몇 % 정도인가요?", "What is your household income against the median?")),
    _told(Fact("owns_premises", _FLAG, "true, false", "owner", "Whether the shop stands in a building of the owner's own.",
               "사업장이 본인 소유 건물인가요?", "Do you own the premises?"), 1830, no_row_means=False),
    _told(Fact("uses_premises_free", _FLAG, "true, false", "owner", "Whether the shop uses its premises without rent.",
               "임대료 없이 쓰는 사업장인가요?", "Do you use the premises free of rent?"), 1830, no_row_means=False),
    _told(Fact("cannot_extend_maturity", _FLAG, "true, false", "lenders, owner", "Whether a lender refused to extend a loan that falls due.",
               "만기 연장을 거절당한 대출이 있으신가요?", "Did a lender refuse to extend a loan?"), 183, no_row_means=False),
)  # fmt: skip
_OURS = (
    Fact("awards", pl.List(pl.String), "programme@date", "operators", "Past awards, each as programme_id@date; null: unknown.",
         "이 지원을 전에 받으신 적이 있나요?", "Have you had this support before?", subject="awards_history", no_row_means=()),
    Fact("is_awards_history_covered", _FLAG, "true, false", "operators", "Whether operators report this borrower's awards.",
         "이 지원을 전에 받으신 적이 있나요?", "Have you had this support before?", may_ask=False),
)  # fmt: skip

FACTS: dict[str, Fact] = {fact.name: fact for fact in (*_LOANS, *_PUBLIC, *_SHOP, *_TOLD, *_OURS)}

STATE_FACTS = ("trading_status", "plans_to_close", "is_in_adjustment", "days_past_due")


def build_facts(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.DataFrame:
    """Build what is known of each borrower for the rules: one row per borrower_id, sorted, one column per declared fact.

    Null means unknown: no row means no only where `coverage` says the holder reports that subject for this borrower.
    Money is whole won, ages are days at `as_of`. `tables` are canonical tables as known on `as_of`; a missing one leaves
    its facts null. Each borrower's row depends on that borrower's rows alone, so buckets may be built one by one.
    """
    parts = (
        find_overdue_facts(tables), find_debt_facts(tables, as_of), find_credit_facts(tables, as_of, FACTS["credit_score"].max_age_days or 0),
        find_arrears_facts(tables, as_of), find_event_facts(tables, as_of), find_shop_facts(tables, as_of),
        find_told_facts(tables, as_of, [fact for fact in FACTS.values() if fact.is_told]), find_awards(tables, as_of),
    )  # fmt: skip
    facts = _join_parts(tables, parts, tuple(FACTS.values()), as_of).with_columns(_settle_debts())
    facts = facts.with_columns(pl.col("covers awards_history").fill_null(value=False).alias("is_awards_history_covered"))
    for settled in (_settle_unknown(FACTS.values()), _settle_codes(as_of), _settle_shop(as_of)):
        facts = facts.with_columns(settled)
    return _finish(facts, tuple(FACTS.values()))


def build_state_facts(tables: Mapping[str, pl.LazyFrame], as_of: date) -> pl.DataFrame:
    """Build the few facts that name a borrower's state: as `build_facts` would, `STATE_FACTS` alone and in a fraction of its time."""
    facts = tuple(FACTS[name] for name in STATE_FACTS)
    told = find_told_facts(tables, as_of, [fact for fact in facts if fact.is_told])
    parts = (find_overdue_facts(tables), find_event_facts(tables, as_of), find_shop_facts(tables, as_of), told)
    return _finish(_join_parts(tables, parts, facts, as_of).with_columns(_settle_unknown(facts)), facts)


def _join_parts(
    tables: Mapping[str, pl.LazyFrame], parts: Iterable[pl.LazyFrame], facts: Collection[Fact], as_of: date
) -> pl.LazyFrame:  # fmt: skip
    base = pl.concat([read_whole(tables, name).select("borrower_id") for name in HOLDERS]).unique()
    for part in (*parts, _find_covered(tables, facts, as_of)):
        base = base.join(part, on="borrower_id", how="left")
    return base


def _finish(facts: pl.LazyFrame, wanted: Iterable[Fact]) -> pl.DataFrame:
    return (
        facts.select("borrower_id", *(pl.col(fact.name).cast(fact.kind) for fact in wanted)).sort("borrower_id").collect(engine="streaming")
    )


def _find_covered(tables: Mapping[str, pl.LazyFrame], facts: Collection[Fact], as_of: date) -> pl.LazyFrame:
    subjects = sorted({fact.subject for fact in facts if fact.subject})
    named = sorted({*subjects, *(fact.name for fact in facts if fact.subject)})
    holds = (pl.col("from_on") <= as_of) & (pl.col("until_on").is_null() | (pl.col("until_on") >= as_of))
    rows = read_whole(tables, "coverage").filter(pl.col("subject").is_in(named), holds)
    return rows.group_by("borrower_id").agg((pl.col("subject") == name).any().alias(f"covers {name}") for name in named)


def _settle_debts() -> list[pl.Expr]:
    return [pl.max_horizontal("bureau_debt_krw", "loans_debt_krw").alias("total_debt_krw")]


def _settle_unknown(facts: Iterable[Fact]) -> list[pl.Expr]:
    settled = []
    for fact in facts:
        if fact.subject is not None and fact.no_row_means is not None:
            is_covered = (pl.col(f"covers {fact.subject}") | pl.col(f"covers {fact.name}")).fill_null(value=False)
            no = pl.lit([] if fact.no_row_means == () else fact.no_row_means, dtype=fact.kind)
            settled.append(pl.when(pl.col(fact.name).is_null() & is_covered).then(no).otherwise(pl.col(fact.name)).alias(fact.name))
    return settled


def _settle_codes(as_of: date) -> list[pl.Expr]:
    return [
        region_on(pl.col("region_code"), as_of, pl.col("district_code")).alias("region_code"),
        with_section(pl.col("industry_code"), as_of).alias("industry_code"),
    ]


def _settle_shop(as_of: date) -> list[pl.Expr]:
    industry, sales = pl.col("industry_code"), pl.coalesce("tax_year_sales_krw", "annual_sales_krw")
    is_closed, is_suspended = pl.col("trading_status") == "closed", pl.col("trading_status") == "suspended"
    closed_on = pl.when(is_closed).then(pl.col("closed_on"))
    last_day = pl.when(is_closed).then(pl.col("closed_on")).otherwise(pl.lit(as_of))
    return [
        is_inside_capital(pl.col("region_code")).alias("is_inside_capital"),
        is_small_in(industry.str.head(1), pl.col("employees"), sales, as_of).alias("is_small_business"),
        falls_under(industry, "policy_funds", as_of).alias("is_excluded_industry"),
        falls_under(industry, "new_start_fund", as_of).alias("is_fund_excluded_industry"),
        closed_on.alias("closed_on"),
        (last_day - pl.col("opened_on")).dt.total_days().alias("days_trading"),
        pl.when(is_suspended).then((pl.lit(as_of) - pl.col("suspended_on")).dt.total_days()).alias("days_suspended"),
    ]
