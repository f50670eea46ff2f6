"""How a value is spelled for people, unit by unit, in Korean and English."""

from __future__ import annotations

from collections.abc import Callable

_HANGUL_FIRST, _HANGUL_LAST, _FINALS = 0xAC00, 0xD7A3, 28
_MAN, _EOK = 10**4, 10**8


def _spell_won(value: float) -> tuple[str, str]:
    won = round(value)
    return f"{'-' if won < 0 else ''}{_spell_won_ko(abs(won))}", f"{won:,} won"


def _spell_won_ko(won: int) -> str:
    # what people say: below 10,000 to the won, above it to the nearest 10,000
    if won < _MAN:
        return f"{won:,}원"
    eok, man = divmod((won + _MAN // 2) // _MAN, _EOK // _MAN)
    parts = [f"{eok:,}억" if eok else "", f"{man:,}만" if man else ""]
    return " ".join(part for part in parts if part) + "원"


def _spell_number(value: float) -> str:
    return f"{round(value, 1) + 0.0:,.1f}".removesuffix(".0")


def _spell_percent(value: float) -> str:
    return f"{_spell_number(value * 100)}%"


def _counted(ko: str, one: str, many: str) -> Callable[[float], tuple[str, str]]:
    def spell(value: float) -> tuple[str, str]:
        number = _spell_number(value)
        return f"{number}{ko}", f"{number} {one if number == '1' else many}"

    return spell


def _moved(
    amount: Callable[[float], tuple[str, str]],
    ko: tuple[str, str],
    en: tuple[str, str],
    same: tuple[str, str] = ("그대로입니다", "has stayed the same"),
) -> Callable[[float], tuple[str, str]]:
    def spell(value: float) -> tuple[str, str]:
        in_ko, in_en = amount(abs(value))
        if amount(0.0)[0] == in_ko:
            return same
        return f"{in_ko} {ko[value > 0]}", en[value > 0].format(in_en)

    return spell


def _spell_share(value: float) -> tuple[str, str]:
    return _spell_percent(value), _spell_percent(value)


_DAYS, _POINTS = _counted("일", "day", "days"), _counted("점", "point", "points")
_BILLS, _ENQUIRIES = _counted("건", "unpaid item", "unpaid items"), _counted("회", "enquiry", "enquiries")
_LENDERS = _counted("곳", "lender", "lenders")
_LESS_MORE, _FELL_ROSE = ("줄었습니다", "늘었습니다"), ("has fallen by {}", "has risen by {}")

# A change is spelled with its verb, so that a fall is never called a rise of less than nothing.
UNITS: dict[str, Callable[[float], tuple[str, str]]] = {
    "won": _spell_won,
    "days": _DAYS,
    "months": _counted("개월", "month", "months"),
    "years": _counted("년", "year", "years"),
    "people": _counted("명", "person", "people"),
    "sales": _counted("건", "sale", "sales"),
    "loans": _counted("건", "loan", "loans"),
    "lines": _counted("건", "credit line", "credit lines"),
    "bills": _BILLS,
    "payments": _counted("회", "payment", "payments"),
    "enquiries": _ENQUIRIES,
    "lenders": _LENDERS,
    "businesses": _counted("곳", "business", "businesses"),
    "kinds": _counted("가지", "kind", "kinds"),
    "signs": _counted("개", "sign", "signs"),
    "points": _POINTS,
    "share": _spell_share,
    "per cent": lambda value: (f"{_spell_number(value)}%", f"{_spell_number(value)}%"),
    "change": _moved(_spell_share, _LESS_MORE, _FELL_ROSE),
    # against others: who grew less than they did has not shrunk
    "gap": _moved(_spell_share, ("낮습니다", "높습니다"), ("is {} lower", "is {} higher"), ("차이가 없습니다", "is no different")),
    "share change": _moved(lambda value: _counted("%포인트", "percentage point", "percentage points")(value * 100), _LESS_MORE, _FELL_ROSE),
    "days change": _moved(_DAYS, _LESS_MORE, _FELL_ROSE),
    "points change": _moved(_POINTS, ("낮아졌습니다", "높아졌습니다"), _FELL_ROSE),
    "bills change": _moved(_BILLS, _LESS_MORE, _FELL_ROSE),
    "enquiries change": _moved(_ENQUIRIES, _LESS_MORE, _FELL_ROSE),
    "lenders change": _moved(_LENDERS, _LESS_MORE, _FELL_ROSE),
    "flag": lambda value: ("있습니다", "is") if value else ("있지 않습니다", "is not"),
}


def spell_value(value: float, unit: str) -> tuple[str, str]:
    """Spell a value of one unit in Korean and English.

    >>> spell_value(123_456_789, "won")
    ('1억 2,346만원', '123,456,789 won')
    >>> spell_value(-0.23, "change")
    ('23% 줄었습니다', 'has fallen by 23%')
    """
    return UNITS[unit](value)


def with_topic_particle(noun: str) -> str:
    """Add 은 or 는, as the noun's last syllable asks.

    >>> with_topic_particle("연체일수"), with_topic_particle("신용점수 변동")
    ('연체일수는', '신용점수 변동은')
    """
    last = ord(noun.split("(", maxsplit=1)[0].strip()[-1])
    has_final = _HANGUL_FIRST <= last <= _HANGUL_LAST and (last - _HANGUL_FIRST) % _FINALS > 0
    return noun + ("은" if has_final else "는")
