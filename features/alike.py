"""What compares sales with sales: like with like, by the channels that are reported in all months of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add

import narwhals as nw

from features.context import CHANNELS
from features.formula import Aggregate, Formula, Value, Window, total

_NOTHING = nw.lit(0, nw.Int64)


@dataclass(frozen=True)
class Span:
    """Some months of sales, by channel: the window of a view that they make up, and how many of them must be known.

    `prefix` names the columns that leave out what is not alike; `at_least` is counted before that.
    """

    window: Window | None
    at_least: int
    view: str = "sales"
    prefix: str = ""

    def won(self, channel: str) -> Value:
        """What a channel brought."""
        return Aggregate(self.view, "sum", f"{self.prefix}{channel}_krw", self.window)

    def known(self, column: str) -> Value:
        """In how many months a column is known."""
        return Aggregate(self.view, "count", column, self.window)

    @property
    def parts(self) -> tuple[Value, ...]:
        """What a comparison needs of it: all months, those compared, and by channel the months known and the won."""
        channels = [part for channel in CHANNELS for part in (self.known(f"{self.prefix}{channel}_krw"), self.won(channel))]
        return (self.known("row"), self.known(f"{self.prefix}row"), *channels)


def change_alike(now: Span, before: Span) -> Formula:
    """The relative change of monthly sales from one span to another: -0.1 is a fall by a tenth.

    Only channels known in all months of both are compared. Null where a span knows too few months, where these channels
    bring less than half of what is known of either span, or where nothing was sold before.
    """

    def combine(*parts: nw.Expr) -> nw.Expr:
        half = len(parts) // 2
        (months, compared, *later), (months_before, compared_before, *earlier) = parts[:half], parts[half:]
        is_alike = [(one == compared) & (other == compared_before) for one, other in zip(later[::2], earlier[::2], strict=True)]
        sold, was_sold = (_sum_where(is_alike, side[1::2]) for side in (later, earlier))
        is_most = reduce(
            lambda one, other: one & other,
            (2 * part >= _sum_where(None, side[1::2]) for part, side in ((sold, later), (was_sold, earlier))),
        )
        enough = (months >= now.at_least) & (months_before >= before.at_least) & (was_sold > 0) & is_most
        return nw.when(enough).then((sold * compared_before - was_sold * compared) / (was_sold * compared))

    return Formula((*now.parts, *before.parts), combine)


def _sum_where(flags: Sequence[nw.Expr] | None, values: Sequence[nw.Expr]) -> nw.Expr:
    known = [nw.coalesce(value, _NOTHING) for value in values]
    return reduce(
        add, known if flags is None else (nw.when(flag).then(value).otherwise(_NOTHING) for flag, value in zip(flags, known, strict=True))
    )


def monthly_mean(span: Span) -> Formula:
    """Mean sales of a month of the span, all known channels together; null where it knows too few months."""
    won = total(*(span.won(channel) for channel in CHANNELS))
    return Formula((won, span.known("row")), lambda sold, known: nw.when(known >= span.at_least).then(sold / known))


def share_of_platforms(span: Span) -> Formula:
    """What platforms bring of card and platform sales; null where they are not reported in all known months of the span."""

    def combine(months: nw.Expr, card_months: nw.Expr, card: nw.Expr, platform_months: nw.Expr, platform: nw.Expr) -> nw.Expr:
        enough = (months >= span.at_least) & (card_months == months) & (platform_months == months) & (card + platform > 0)
        return nw.when(enough, card >= 0, platform >= 0).then(platform / (card + platform))

    return Formula(
        (span.known("row"), *(part(name) for name in ("card", "platform") for part in (lambda name: span.known(f"{name}_krw"), span.won))),
        combine,
    )


def change_in_ticket(now: Window, before: Window, at_least: int) -> Formula:
    """The relative change of the average card sale, over the months whose card sales are counted."""
    won, sold = "counted_card_krw", "card_sales_count"
    parts = [
        part
        for window in (now, before)
        for part in (
            Aggregate("sales", "count", won, window),
            Aggregate("sales", "sum", won, window),
            Aggregate("sales", "sum", sold, window),
        )
    ]

    def combine(*exprs: nw.Expr) -> nw.Expr:
        (months, won, sales), (months_before, won_before, sales_before) = exprs[:3], exprs[3:]
        enough = (months >= at_least) & (months_before >= at_least) & (won > 0) & (sales > 0) & (won_before > 0) & (sales_before > 0)
        return nw.when(enough).then((won / sales) / (won_before / sales_before) - 1)

    return Formula(tuple(parts), combine)


def annual(window: Window, at_least: int) -> Formula:
    """What twelve months earned, scaled up where a few of them are not known; a month of rest is known, and earned what it did."""
    parts = Aggregate("sales", "sum", "earned_krw", window), Aggregate("sales", "count", "earned_krw", window)
    return Formula(parts, lambda won, known: nw.when(known >= at_least).then(won * 12 / known))


def months_without(months: Sequence[Value]) -> Formula:
    """In how many of the known months nothing was sold; null where none is known."""
    return Formula(tuple(months), lambda *sold: _where_known(sold, 1, _count(one <= 0 for one in sold)))


def months_since_sale(months: Sequence[Value]) -> Formula:
    """How many of the known months passed without sales since the last one that had some; null where none is known."""

    def combine(*sold: nw.Expr) -> nw.Expr:
        found = (nw.when(one > 0).then(_count_known(sold[:place])) for place, one in enumerate(sold))
        return _where_known(sold, 1, nw.coalesce(*found, _count_known(sold)))

    return Formula(tuple(months), combine)


def falls_in_a_row(months: Sequence[Value]) -> Formula:
    """How many times in a row, up to the newest month, a month sold less than the one before; null where either of the newest two is unknown."""

    def combine(*sold: nw.Expr) -> nw.Expr:
        fell = [nw.coalesce(later < earlier, nw.lit(False)) for later, earlier in pairwise(sold)]
        run = (nw.when(~falls).then(nw.lit(place, nw.Int32)) for place, falls in enumerate(fell))
        return _where_known(sold[:2], 2, nw.coalesce(*run, nw.lit(len(fell), nw.Int32)))

    return Formula(tuple(months), combine)


def worst_of_mean(months: Sequence[Value], at_least: int) -> Formula:
    """The month that sold least, as a share of the mean month; null where too few are known or nothing was sold."""

    def combine(*sold: nw.Expr) -> nw.Expr:
        whole = _sum_where(None, sold)
        return _where_known(sold, at_least, nw.when(whole > 0).then(nw.min_horizontal(*sold) * _count_known(sold) / whole))

    return Formula(tuple(months), combine)


def swing(months: Sequence[Value], at_least: int) -> Formula:
    """Mean change from one month to the next over mean sales, from the pairs of neighbouring months that are known."""

    def combine(*sold: nw.Expr) -> nw.Expr:
        pairs = list(pairwise(sold))
        moves = [(later - earlier).abs() for later, earlier in pairs]
        levels = [nw.when(~move.is_null()).then(later + earlier) for move, (later, earlier) in zip(moves, pairs, strict=True)]
        moved, level = _sum_where(None, moves), _sum_where(None, levels)
        return _where_known(moves, at_least, nw.when(level > 0).then(moved * 2 / level))

    return Formula(tuple(months), combine)


def same_channels(value: Value, window: Window) -> Formula:
    """The value where the same channels are reported in all known months of the window, else null."""
    most, least = (Aggregate("sales", how, "channels", window) for how in ("max", "min"))
    return Formula((value, most, least), lambda expr, highest, lowest: nw.when(highest == lowest).then(expr))


def against(own: Value, others: Value) -> Formula:
    """Our change seen from theirs, both relative: 0 where both moved alike; null where the others sell nothing any more."""
    return Formula((own, others), lambda ours, theirs: nw.when(theirs > -1).then((ours - theirs) / (theirs + 1)))


def _number(flag: nw.Expr) -> nw.Expr:
    return nw.coalesce(flag.cast(nw.Int32), nw.lit(0, nw.Int32))


def _count(flags: Iterable[nw.Expr]) -> nw.Expr:
    return reduce(add, map(_number, flags), nw.lit(0, nw.Int32))


def _count_known(values: Sequence[nw.Expr]) -> nw.Expr:
    return _count(~value.is_null() for value in values)


def _where_known(values: Sequence[nw.Expr], at_least: int, then: nw.Expr) -> nw.Expr:
    return nw.when(_count_known(values) >= at_least).then(then)
