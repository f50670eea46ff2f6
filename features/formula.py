"""The grammar a feature's value is written in: aggregates over rows, and arithmetic between aggregates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Literal

import narwhals as nw


@dataclass(frozen=True)
class Window:
    """Months counted back from the newest known month, both ends included: `Window(0, 2)` is the newest three."""

    first: int
    last: int

    def __str__(self) -> str:
        """Name the window as the docs do."""
        if self.first == self.last:
            return "newest month" if self.first == 0 else f"{self.first} months back"
        return f"months {self.first}-{self.last} back"


def last_months(count: int) -> Window:
    """The newest `count` months.

    >>> print(last_months(6))
    months 0-5 back
    """
    return Window(0, count - 1)


def month_back(count: int) -> Window:
    """The one month that lies `count` months before the newest."""
    return Window(count, count)


@dataclass(frozen=True)
class Aggregate:
    """One integer per borrower: `how` over column `of` of the rows of `view` inside `window`.

    A row filter is a column of the view that is null elsewhere (`paid_of_due_krw`: paid, where something fell due). Null
    where the borrower has no value there; a count is 0 where the borrower has other rows in the view.

    >>> Aggregate("repayments", "max", "days_past_due", last_months(6)).name
    'repayments__max__days_past_due__0_5'
    """

    view: str
    how: Literal["sum", "max", "min", "count"]
    of: str
    window: Window | None = None

    @property
    def name(self) -> str:
        """The column it fills before the features are worked out."""
        # no dots: DuckDB and Spark read them as table names
        window = f"{self.window.first}_{self.window.last}" if self.window else ""
        return "__".join(part for part in (self.view, self.how, self.of, window) if part)

    @property
    def leaves(self) -> frozenset[Aggregate]:
        """What must be computed for it: a sum needs its count, for engines say 0 where nothing was summed."""
        return frozenset({self, self._known()}) if self.how == "sum" else frozenset({self})

    def _known(self) -> Aggregate:
        return Aggregate(self.view, "count", self.of, self.window)

    def over_rows(self) -> nw.Expr:
        """The aggregate over the rows of one borrower."""
        rows = nw.col(self.of)
        if self.window:
            rows = nw.when(nw.col("months_back").is_between(self.window.first, self.window.last)).then(rows)
        aggregates = {"sum": rows.sum, "max": rows.max, "min": rows.min, "count": rows.count}
        value = aggregates[self.how]()
        return (value.cast(nw.Int32) if self.how == "count" else value).alias(self.name)

    def expr(self) -> nw.Expr:
        """The value per borrower."""
        value = nw.col(self.name)
        return nw.when(nw.col(self._known().name) > 0).then(value) if self.how == "sum" else value


@dataclass(frozen=True)
class Formula:
    """Arithmetic between aggregates (or other formulas), done once per borrower after they are summed."""

    parts: tuple[Value, ...]
    combine: Callable[..., nw.Expr]

    @property
    def leaves(self) -> frozenset[Aggregate]:
        """All aggregates it stands on."""
        return frozenset().union(*(part.leaves for part in self.parts))

    def expr(self) -> nw.Expr:
        """The value per borrower."""
        return self.combine(*(part.expr() for part in self.parts))


@dataclass(frozen=True)
class PeerMedian:
    """The median of `value` among a borrower's peers: those of the same `moment`, `trade` and place (`near`), or wider (see features.peers).

    Null where too few of them are known.
    """

    measure: str
    value: Value
    moment: Value
    trade: Value
    near: Value

    @property
    def name(self) -> str:
        """The column it is joined on as, before the features are worked out."""
        return f"peers__{self.measure}"

    @property
    def leaves(self) -> frozenset[Aggregate]:
        """What its measure and the peers' own description stand on."""
        return frozenset().union(*(part.leaves for part in (self.value, self.moment, self.trade, self.near)))

    def expr(self) -> nw.Expr:
        """The value per borrower."""
        return nw.col(self.name)


Value = Formula | Aggregate | PeerMedian


def look_back(leaves: Iterable[Aggregate]) -> int:
    """How many months before the newest the farthest window reaches; 0 where none has one."""
    return max((leaf.window.last for leaf in leaves if leaf.window), default=0)


def ratio(top: Value, bottom: Value) -> Formula:
    """`top` divided by `bottom`; null where the bottom is not above zero."""
    return Formula((top, bottom), lambda over, under: nw.when(under > 0).then(over / under))


def difference(now: Value, before: Value) -> Formula:
    """`now` less `before`."""
    return Formula((now, before), lambda later, earlier: later - earlier)


def change(now: Value, before: Value) -> Formula:
    """The relative change since `before`: -0.1 is a fall by a tenth; null where `before` is not above zero."""
    return Formula((now, before), lambda later, earlier: nw.when(earlier > 0).then((later - earlier) / earlier))


def first_known(*values: Value) -> Formula:
    """The first of the values that is known."""
    return Formula(values, nw.coalesce)


def highest_known(*values: Value) -> Formula:
    """The highest of the values that are known."""
    return Formula(values, nw.max_horizontal)


def total(*values: Value) -> Formula:
    """The sum of the values that are known; null where none is."""
    return Formula(values, _sum_known)


def capped(value: Value, highest: float) -> Formula:
    """The value, at most `highest`."""
    return Formula((value,), lambda expr: nw.when(expr <= highest).then(expr).otherwise(nw.when(~expr.is_null()).then(nw.lit(highest))))


def count_above(bound: int, *values: Value) -> Formula:
    """How many of the known values lie above `bound`; null where none is known."""
    return Formula(values, lambda *exprs: _sum_known(*((expr > bound).cast(nw.Int32) for expr in exprs)))


def years_of(days: Value) -> Formula:
    """Days as years of 365.25 days."""
    return divided(days, 365.25)


def none_is_zero(value: Value) -> Formula:
    """The value, 0 where none: only for the part of a whole that is itself known."""
    return Formula((value,), lambda expr: nw.coalesce(expr, nw.lit(0)))


def where_known(value: Value, months: Value, at_least: int) -> Formula:
    """The value where at least so many months are known, else null."""
    return Formula((value, months), lambda expr, known: nw.when(known >= at_least).then(expr))


def zero_where_covered(value: Value, table: str) -> Formula:
    """The value; where the borrower has none, 0 only if the coverage table says a holder reports that table of this borrower.

    Null where coverage is silent, and for everyone where the table itself (or coverage) is missing.
    """
    covered = Aggregate("coverage", "count", table)
    return Formula((value, covered), lambda expr, reported: nw.coalesce(expr, nw.when(reported > 0).then(nw.lit(0))))


def divided(value: Value, by: float) -> Formula:
    """The value divided by a fixed number."""
    return Formula((value,), lambda expr: expr / by)


def mean_known(*values: Value) -> Formula:
    """The mean of the values that are known; null where none is."""
    return Formula(values, lambda *exprs: _mean_known(1, exprs))


def mean_move(fewest: int, *values: Value) -> Formula:
    """How far the values lie apart from one to the next, on average; null where fewer than so many neighbours are both known."""
    return Formula(values, lambda *exprs: _mean_known(fewest, [(one - other).abs() for one, other in pairwise(exprs)]))


def in_a_row(*values: Value) -> Formula:
    """How many of the values, from the first on, lie above zero without a gap; an unknown one ends the row, null where the first is."""

    def combine(*exprs: nw.Expr) -> nw.Expr:
        none = nw.lit(0, nw.Int32)
        row = reduce(lambda later, expr: nw.when(expr > 0).then(later + 1).otherwise(none), reversed(exprs), none)
        return nw.when(~exprs[0].is_null()).then(row)

    return Formula(values, combine)


def none_where_zero(count: Value) -> Formula:
    """The count, null where it is 0: for rows of one kind, since those of another say nothing about it."""
    return Formula((count,), lambda expr: nw.when(expr > 0).then(expr))


def is_at_least(value: Value, bound: float) -> Formula:
    """1 where the value is the bound or more, else 0; null where unknown."""
    return Formula((value,), lambda expr: (expr >= bound).cast(nw.Int32))


def is_at_most(value: Value, bound: float) -> Formula:
    """1 where the value is the bound or less, else 0; null where unknown."""
    return Formula((value,), lambda expr: (expr <= bound).cast(nw.Int32))


def _sum_known(*exprs: nw.Expr) -> nw.Expr:
    known = reduce(lambda one, other: one | other, (~expr.is_null() for expr in exprs))
    return nw.when(known).then(reduce(add, (nw.coalesce(expr, nw.lit(0)) for expr in exprs)))


def _mean_known(fewest: int, exprs: Sequence[nw.Expr]) -> nw.Expr:
    known = reduce(add, ((~expr.is_null()).cast(nw.Int32) for expr in exprs))
    return nw.when(known >= fewest).then(reduce(add, (nw.coalesce(expr, nw.lit(0)) for expr in exprs)) / known)


def find_peer_medians(value: Value) -> frozenset[PeerMedian]:
    """All peer medians that a value stands on."""
    if isinstance(value, PeerMedian):
        return frozenset({value})
    return frozenset().union(*map(find_peer_medians, value.parts)) if isinstance(value, Formula) else frozenset()
