"""The call list of one office: whom to call, why, what to ask, what to offer.

It carries no probability, no contribution, no lender's name, no whole debt, no age and no sex.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from guidance.catalogue import Catalogue
from guidance.programme import Programme
from guidance.state import LEVEL_KO, STATE_KO

MOST_REASONS = MOST_OFFERS = 3
# The words of these would tell the whole debt.
NOT_SAID = ("balance_krw",)
PLACE_KO = {"reserved": "가배정", "held": "이전 가배정", "open": "신청 안내"}
ASK_DESK = "접수처에 확인"
APART = " / "
# Of a shop that has closed these say nothing new.
PAST_THEMES = ("sales", "business profile")
ASKED_OF_CLOSED = "요건 확인을 위해 여쭙습니다: "
# What a caseworker does where there is nothing to offer and nothing to ask.
INSTEAD_BY_STATE = {
    "in_adjustment": "채무조정 이행 중입니다. 조정 기관(신용회복위원회 1600-5500)에 이행 상황과 어려움을 먼저 확인해 주세요",  # phone: FACTS §2.4
}
INSTEAD = "지금 안내할 수 있는 지원이 없습니다. 어려움을 듣고 기록해 주세요"
NEVER_HEARD = "받은 월별 자료 없음"
HEADS = {
    "rank": "순서", "borrower_id": "차주", "level": "단계", "owner_state": "상태", "news": "미갱신", "reasons": "판단 근거",
    "questions": "여쭤볼 것",
}  # fmt: skip
OFFER_HEADS = [f"제안 {number}" for number in range(1, MOST_OFFERS + 1)]


def list_calls(
    own: pl.DataFrame, reasons: pl.DataFrame, verdicts: pl.DataFrame, assignments: pl.DataFrame, catalogue: Catalogue
) -> pl.DataFrame:
    """List an office's calls in case order: one row per listed borrower, headings and words in Korean, nothing null.

    `own`: the office's scores. At most three reasons, each of another theme, and three offers, the offers in the order of
    the borrower's ladder; a place held from before stands first where its state no longer leads there. Where there is
    neither offer nor question, the first offer says what to do instead. How old the news is stands only where it is stale.
    """
    listed = own.filter(pl.col("is_listed")).sort("rank", "borrower_id").with_row_index("order", offset=1)
    ladder = _list_ladder(catalogue)
    names = {one.id: one.name_ko for one in catalogue.programmes.values()}
    who = listed.select("borrower_id", "owner_state")
    whole = listed
    for part in (
        _say_reasons(reasons, who),
        _ask_questions(verdicts, who, ladder, names),
        _say_offers(assignments, who, ladder, catalogue),
    ):
        whole = whole.join(part, on="borrower_id", how="left", maintain_order="left")
    whole = whole.with_columns(offers=_say_what_instead())
    return whole.select(
        pl.col("order").cast(pl.Int64).alias(HEADS["rank"]),
        pl.col("borrower_id").alias(HEADS["borrower_id"]),
        pl.col("level").replace_strict(LEVEL_KO, return_dtype=pl.String).alias(HEADS["level"]),
        pl.col("owner_state").replace_strict(STATE_KO, return_dtype=pl.String).alias(HEADS["owner_state"]),
        _say_how_old().alias(HEADS["news"]),
        pl.col("reasons").fill_null("").alias(HEADS["reasons"]),
        pl.col("questions").fill_null("").alias(HEADS["questions"]),
        *(pl.col("offers").list.get(place, null_on_oob=True).fill_null("").alias(head) for place, head in enumerate(OFFER_HEADS)),
    )


def _say_how_old() -> pl.Expr:
    said = pl.coalesce(pl.format("{}일 전 자료", "stale_days"), pl.lit(NEVER_HEARD))
    return pl.when(pl.col("is_stale")).then(said).otherwise(pl.lit(""))


def list_places(own: pl.DataFrame, assignments: pl.DataFrame) -> pl.DataFrame:
    """List an office's offers by programme: one row per borrower_id and programme_id, in case order.

    The offers of listed borrowers, and every reserved or held place of the others.
    """
    offers = assignments.join(own.select("borrower_id", "rank", "is_listed"), on="borrower_id")
    return offers.filter(pl.col("is_listed") | (pl.col("place") != "open")).sort("programme_id", "rank", "borrower_id")


def count_pack(calls: pl.DataFrame, places: pl.DataFrame) -> dict[str, int]:
    """Count what a pack holds: borrowers to call, with questions, offers, and offers by place."""
    by_place = dict(places.group_by("place").len().iter_rows())
    asked = calls.filter(pl.col(HEADS["questions"]) != "").height
    return {
        "borrowers": calls.height,
        "with_questions": asked,
        "offers": places.height,
        **{name: by_place.get(name, 0) for name in PLACE_KO},
    }


def _list_ladder(catalogue: Catalogue) -> pl.DataFrame:
    rows = [(one.id, state, position) for one in catalogue.programmes.values() for state, position in one.ladder.items()]
    return pl.DataFrame(rows, schema={"programme_id": pl.String, "owner_state": pl.String, "position": pl.Int64}, orient="row")


def _say_reasons(reasons: pl.DataFrame, who: pl.DataFrame) -> pl.DataFrame:
    """Say the strongest reasons that carry news, one per theme; the very first where none does."""
    said = reasons.join(who, on="borrower_id").filter(~pl.col("feature").is_in(NOT_SAID)).sort("borrower_id", "position")
    said = said.with_columns(theme=pl.coalesce("theme", "feature"))
    is_news = pl.col("value").is_not_null() & ((pl.col("value") != 0) | (pl.col("theme") == "sales"))
    is_past = (pl.col("owner_state") == "closed") & pl.col("theme").is_in(PAST_THEMES)
    news = said.filter(is_news & ~is_past).unique(["borrower_id", "theme"], keep="first", maintain_order=True)
    silent = said.join(news, on="borrower_id", how="anti").unique("borrower_id", keep="first", maintain_order=True)
    return pl.concat([news, silent]).group_by("borrower_id").agg(reasons=pl.col("text_ko").head(MOST_REASONS).str.join(APART))


def _ask_questions(verdicts: pl.DataFrame, who: pl.DataFrame, ladder: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Questions only where the answer could open a programme of the borrower's ladder, each once, with the programmes it is for."""
    open_ended = verdicts.filter(pl.col("is_eligible").is_null()).join(who, on="borrower_id")
    asked = open_ended.join(ladder, on=["programme_id", "owner_state"]).sort("borrower_id", "position", "programme_id")
    name = pl.col("programme_id").replace_strict(names, default=pl.col("programme_id"), return_dtype=pl.String)
    rows = (
        asked.select("borrower_id", "owner_state", "questions", name=name).explode("questions", empty_as_null=True).drop_nulls("questions")
    )
    once = rows.group_by("borrower_id", "owner_state", "questions", maintain_order=True).agg(pl.col("name").str.join(", "))
    said = once.group_by("borrower_id", "owner_state").agg(questions=pl.format("[{}] {}", "name", "questions").str.join(APART))
    lead = pl.when(pl.col("owner_state") == "closed").then(pl.lit(ASKED_OF_CLOSED)).otherwise(pl.lit(""))
    return said.select("borrower_id", questions=lead + pl.col("questions"))


def _say_offers(assignments: pl.DataFrame, who: pl.DataFrame, ladder: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    own = assignments.join(who, on="borrower_id").join(ladder, on=["programme_id", "owner_state"], how="left")
    words = {one.id: describe_offer(one) for one in catalogue.programmes.values()}
    name = pl.col("programme_id")
    offer = pl.format(
        "[{}] {}",
        pl.col("place").replace_strict(PLACE_KO, return_dtype=pl.String),
        name.replace_strict(words, default=name, return_dtype=pl.String),
    )
    ordered = own.with_columns(pl.col("position").fill_null(0), offer=offer).sort("borrower_id", "position", "programme_id")
    return ordered.group_by("borrower_id").agg(offers=pl.col("offer").head(MOST_OFFERS))


def _say_what_instead() -> pl.Expr:
    sentence = pl.col("owner_state").replace_strict(INSTEAD_BY_STATE, default=INSTEAD, return_dtype=pl.String)
    has_nothing = pl.col("offers").is_null() & pl.col("questions").is_null()
    return pl.when(has_nothing).then(pl.concat_list(sentence)).otherwise(pl.col("offers"))


def describe_offer(programme: Programme) -> str:
    """Describe an offer as a caseworker says it: name, benefit, papers, where to apply, phone."""
    papers, phone = ", ".join(programme.documents_ko) or ASK_DESK, ", ".join(programme.apply.phone) or ASK_DESK
    return f"{programme.name_ko}: {programme.amount_ko} · 서류: {papers} · 신청: {programme.apply.channel_ko} · 전화: {phone}"
