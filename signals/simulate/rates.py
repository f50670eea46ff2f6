"""The numbers of the town: what it aims at, and what was set so that it gets there.

FACTS is the collection of policy facts; its paragraph stands beside each number. "Set here" marks a number without a
published source, chosen so that the rates under TARGETS come out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A published rate, exactly what it counts, and the band in which a town must lie (shares, not per cent).

    `differs` says why, where the band does not hold the published value: empty where it does.
    """

    definition: str
    low: float
    high: float
    source: str
    differs: str = ""


TARGETS: dict[str, Target] = {
    "first_default_12m": Target(
        "borrowers not in crisis at a month end with a default event in the following twelve months", 0.025, 0.035, "FACTS 6.5"
    ),
    "stock_90d": Target("live borrowers with a loan at 90 or more days past due at a month end", 0.02, 0.05, "FACTS 6.5, NICE and agency"),
    "arrears_1m": Target("live borrowers with a loan 30 or more days past due, 90 or more included", 0.034, 0.05, "FACTS 6.2, BOK 4.2 %"),
    "closure_12m": Target("shops trading or suspended at a month end that close in the following twelve months", 0.08, 0.10, "FACTS 6.3"),
    "three_lenders": Target("borrowers who owe three or more institutions", 0.48, 0.57, "FACTS 6.1, NICE 51.1 %"),
    "nonbank_share": Target("balance owed to lenders that are neither banks nor the state's, of all", 0.32, 0.45, "FACTS 6.1, KCD 39.5 %"),
    "entry_3m": Target("borrowers less than 30 days past due who are 30 or more three months later", 0.007, 0.012, "FACTS 6.5, 0.99 %"),
    "construction": Target("share 30 or more days past due in construction over that of all", 1.5, 2.4, "FACTS 6.2, 1.93 over 0.98"),
    "food_lodging": Target("the same in food and lodging", 0.95, 1.4, "FACTS 6.2, 1.07 over 0.98"),
    "small_sales": Target("the same with reported yearly sales under 30 M won", 1.6, 2.5, "FACTS 6.2, 2.03 over 0.98"),
    "persistence_3m": Target(
        "borrowers 30 or more days past due who are so three months later", 0.85, 0.92, "FACTS 6.2, BOK 0.774 to 0.794",
        "the town keeps its long-standing cases, as NICE's stock of 5 % does; the Bank's period is not stated",
    ),
    "nonbank_multiple": Target(
        "share of balance 30 or more days past due at lenders neither banks nor the state's over that at banks", 2.2, 4.0,
        "FACTS 6.2, BOK 3.92 over 0.53: 7.4",
        "banks sell and write off what is 90 days overdue within a quarter or two, the town's keep it: two thirds of their arrears here; "
        "and a borrower's own stress alone makes them late, so that sorting the fragile to other lenders as far as it goes reaches 3.9",
    ),
    "balance_1m": Target(
        "share of balance 30 or more days past due", 0.02, 0.035, "FACTS 6.2, BOK 1.5 to 1.9 %",
        "of persons 4 % are, as published, and banks keep their bad loans here",
    ),
    "no_employee_multiple": Target(
        "share 30 or more days past due without employees over that with", 1.4, 2.3, "FACTS 6.2, 0.69 over 0.23: 3",
        "small sales carry a part of it here (NO_EMPLOYEE_MULTIPLE)",
    ),
}  # fmt: skip

# --- who lives in the town -------------------------------------------------------------------------------------------
# Region: share of small firms (FACTS 6.4; those not published there by population, set here).
REGIONS: dict[str, float] = {
    "11": 0.205, "26": 0.068, "27": 0.050, "28": 0.052, "29": 0.028, "30": 0.028, "31": 0.020, "36": 0.005, "41": 0.240,
    "43": 0.031, "44": 0.040, "46": 0.034, "47": 0.052, "48": 0.066, "50": 0.016, "51": 0.031, "52": 0.034,
}  # fmt: skip


@dataclass(frozen=True)
class Industry:
    """One industry of the town: how many, how they sell, and how they fare against the mean."""

    code: str
    share: float  # FACTS 6.4
    default_multiple: float  # FACTS 6.2 and 6.5: share of balance in arrears against the mean
    closure_multiple: float  # FACTS 6.3 and 6.5
    card_share: float  # part of sales that card networks see; set here
    platform_share: float  # part of sales through platforms, for those on one; set here
    season: str  # the row of SEASONS; set here


INDUSTRIES: tuple[Industry, ...] = (
    Industry("G45", 0.030, 1.0, 1.0, 0.55, 0.00, "even"),
    Industry("G46", 0.090, 1.0, 0.8, 0.30, 0.05, "even"),
    Industry("G47", 0.216, 1.0, 1.86, 0.80, 0.20, "retail"),
    Industry("I55", 0.015, 1.1, 0.9, 0.70, 0.40, "summer"),
    Industry("I56", 0.118, 1.1, 1.75, 0.85, 0.25, "food"),
    Industry("C10", 0.020, 0.9, 0.8, 0.40, 0.15, "even"),
    Industry("C25", 0.073, 0.9, 0.6, 0.15, 0.00, "even"),
    Industry("F41", 0.030, 2.0, 0.7, 0.10, 0.00, "building"),
    Industry("F42", 0.062, 2.0, 0.8, 0.20, 0.00, "building"),
    Industry("H49", 0.050, 0.9, 0.6, 0.30, 0.10, "even"),
    Industry("J62", 0.015, 1.0, 1.0, 0.30, 0.10, "even"),
    Industry("L68", 0.143, 0.7, 0.7, 0.10, 0.00, "even"),
    Industry("M71", 0.025, 0.9, 0.7, 0.30, 0.00, "even"),
    Industry("N75", 0.018, 1.3, 1.0, 0.30, 0.00, "even"),
    Industry("P85", 0.030, 0.9, 1.1, 0.75, 0.00, "school"),
    Industry("Q86", 0.010, 0.5, 0.4, 0.90, 0.00, "even"),
    Industry("R91", 0.015, 1.12, 1.2, 0.80, 0.10, "summer"),
    Industry("S96", 0.040, 1.0, 1.56, 0.80, 0.05, "even"),
)

# January to December, against the year's mean; set here. The festival month (Seollal, Chuseok) comes on top.
SEASONS: dict[str, tuple[float, ...]] = {
    "even": (0.98, 0.95, 1.01, 1.01, 1.02, 1.00, 1.00, 0.99, 1.00, 1.01, 1.01, 1.02),
    "retail": (0.97, 0.92, 0.98, 0.99, 1.03, 0.99, 0.99, 1.00, 1.00, 1.02, 1.03, 1.08),
    "food": (0.97, 0.93, 0.99, 1.00, 1.04, 1.00, 1.01, 1.02, 0.98, 1.01, 0.99, 1.06),
    "summer": (0.90, 0.86, 0.92, 1.00, 1.08, 1.04, 1.14, 1.20, 0.96, 1.04, 0.92, 0.94),
    "building": (0.82, 0.83, 0.98, 1.05, 1.08, 1.06, 1.00, 0.98, 1.03, 1.08, 1.06, 1.03),
    "school": (1.08, 1.02, 1.10, 1.00, 0.97, 0.97, 1.03, 1.00, 0.99, 0.96, 0.95, 0.93),
}
FESTIVAL: dict[str, float] = {"even": 1.00, "retail": 1.10, "food": 0.96, "summer": 1.04, "building": 0.92, "school": 0.98}

ANNUAL_SALES_MEDIAN_KRW, ANNUAL_SALES_SIGMA = 120e6, 1.05  # mean about 208 M won (FACTS 6.1: 199 M); 45 % under 104 M
SMALL_SALES_KRW, SMALL_SALES_MULTIPLE = 30e6, 2.1  # FACTS 6.5
NO_EMPLOYEE_SHARE, NO_EMPLOYEE_MULTIPLE = 0.62, 1.5  # FACTS 6.5 says 3 on its own; small sales carry a part of it here
MIDDLE_AGE_YEARS, MIDDLE_AGE_MULTIPLE = (3, 10), 1.3  # FACTS 6.5: firms of 3 to 10 years
YEARS_OPEN_MEAN = 8.0  # set here
ENTRANTS_PER_YEAR = 0.05  # borrowers whose first loan falls in the window; set here
SOLE_SHARE = 0.93  # set here
LENDERS_OWED = (0.32, 0.25, 0.15, 0.12, 0.07, 0.045, 0.027, 0.018)  # one, two, … owed when the town's past begins; some borrow on
DEBT_MEDIAN_KRW, DEBT_SIGMA = 120e6, 1.14  # FACTS 6.1: sigma from mean and median; part is repaid before the window
NONBANK_SHARE = 0.395  # FACTS 6.1, of business-loan balance
GUARANTEED_SHARE = 0.28  # borrowers with a loan behind which a regional foundation stands; set here
SLOPPY_SHARE, SLOPPY_MISS, TIDY_MISS = 0.10, 0.018, 0.0004  # late out of habit, not need; set here

# --- stress: standard deviations and monthly persistence, set here ------------------------------------------------------
FRAGILITY_SIGMA = 0.65  # what lasts: who lives close to the edge
OWN_PERSISTENCE, OWN_SIGMA = 0.93, 0.80
BLOW_CHANCE, BLOW_LEAST, BLOW_MEAN = 0.0055, 1.0, 1.1  # a customer lost, an illness, a new rival: least plus an exponential
FACTOR_PERSISTENCE = 0.95
ECONOMY_SIGMA, INDUSTRY_SIGMA, REGION_SIGMA = 0.08, 0.14, 0.09
CLOSURE_BLOW = 0.7  # a closed shop earns nothing

# --- when stress is felt, months after it came; set here after the order of DESIGN and issue 2 -------------------------
CREDIT_LAG, ARREARS_LAG, REPAYMENT_LAG = 1, 2, 4  # sales: none
SALES_PER_STRESS, SALES_NOISE = -0.24, 0.09  # log points
SCORE_MEAN, SCORE_PER_FRAGILITY, SCORE_PER_STRESS, SCORE_TASTE, SCORE_NOISE = 848.0, -62.0, -50.0, 30.0, 6.0
BORROWING_ODDS, BORROWING_PER_STRESS = 0.0085, 0.85  # a new lender in a month
ARREARS_RATE, ARREARS_PER_STRESS = 0.012, 0.95  # a new unpaid bill in a month
ARREARS_CLEARING = 0.34  # share of open bills paid in a month

# --- repayment: monthly odds at stress zero, and their slope; set here so that FACTS 6.5 comes out ----------------------
MISS_ODDS, MISS_PER_STRESS = 0.00265, 1.0
ROLL_ODDS = (0.17, 0.95, 2.0)  # one, two, three instalments behind: falling one further
ROLL_PER_STRESS = 0.6
PARTIAL = (0.0, 0.12, 0.34, 0.30)  # by instalments behind, of those who do not fall further: pay one and stay as late
ADJUSTMENT_CHANCE = 0.045  # asks for early adjustment, a month, while one to three instalments behind
ADJUSTMENT_ODDS, ADJUSTMENT_PER_STRESS = 0.00008, 1.1  # the same, not yet behind
RELIEF_MONTHS, RELIEF = 18, 1.3  # an adjusted debtor's odds of missing are divided by exp(RELIEF)
DIRECT_ODDS, DIRECT_PER_STRESS = 0.00013, 0.95  # to court without 90 days overdue
DIRECT_BANKRUPTCY = 0.3
RESOLUTION_FROM = 7  # instalments behind at the earliest: three months after default
WORKOUT_CHANCE, REHABILITATION_CHANCE, BANKRUPTCY_CHANCE, SALE_CHANCE = 0.024, 0.009, 0.004, 0.026  # a month, after default
SUBROGATION_BEHIND = 6  # instalments behind when the guarantor pays the lender
PAID_OFF_CHANCE = 0.035  # a closed shop's owner repays all and leaves, a month

# --- closure: yearly, by years open (FACTS 6.5), scaled so that all ages together give 9 % -------------------------------
CLOSURE_BY_AGE = ((1, 0.22), (3, 0.17), (5, 0.14), (200, 0.07))
CLOSURE_SCALE, CLOSURE_PER_STRESS = 0.62, 0.40
SUSPENSION_CHANCE, SUSPENSION_PER_STRESS, RESUME_CHANCE, GIVE_UP_CHANCE = 0.0007, 0.5, 0.18, 0.07
REOPENING_CHANCE = 0.004

# --- what reaches us, and how; set here ----------------------------------------------------------------------------------
CORRECTED = 0.003  # of repayments and sales
MISSING = 0.002  # of monthly rows that never come
STRAGGLERS = 0.01  # of repayment rows, ten to forty days later than the rest
NO_REGION = 0.02
COVERAGE = {
    "arrears": 0.95, "credit": 0.985, "events": 1.0, "businesses": 1.0, "tax_year_sales_krw": 0.97, "awards_history": 0.9,
}  # fmt: skip
SALES_COVERAGE, SALES_COVERAGE_FEW_CARDS = 0.93, 0.45  # the second: trades that take few cards
FEW_CARDS = 0.25  # of sales
