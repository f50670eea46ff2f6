"""The shipped programmes say what the policy facts say, and a fault in a file is named with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from guidance.catalogue import SHIPPED, load_catalogue
from guidance.check import check_programmes, run_example
from guidance.describe import describe_programmes
from guidance.programme import Example, Programme
from signals.errors import SettingsError

AS_OF = date(2026, 9, 30)
CASES = [(programme, example) for programme in load_catalogue().programmes.values() for example in programme.example]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(copytree(SHIPPED, tmp_path / "programmes"))


def edit(folder: Path, name: str, old: str, new: str) -> int:
    """Change one thing in a programme's file; the line it stands on."""
    file = folder / f"{name}.toml"
    text = file.read_text()
    assert text.count(old) >= 1
    file.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(("programme", "example"), CASES, ids=[f"{programme.number}: {example.name}" for programme, example in CASES])
def test_the_worked_example_comes_true(programme: Programme, example: Example) -> None:
    verdict, because = run_example(programme, example)
    assert verdict == example.verdict
    assert set(because) == set(example.because or because)


def test_the_four_shipped_programmes_are_active_and_without_fault() -> None:
    catalogue = load_catalogue()
    assert sorted(one.number for one in catalogue.offered(AS_OF)) == ["P01", "P30", "P33", "P40"]
    assert check_programmes(as_of=AS_OF) == []


def test_the_voucher_is_the_only_one_allotted_and_its_places_are_its_budget_by_its_ceiling() -> None:
    (voucher,) = load_catalogue().allotted()
    assert (voucher.id, voucher.amount_krw, voucher.places, voucher.budget_krw) == (
        "management_stability_voucher",
        250_000,
        2_316_000,
        579_000_000_000,
    )
    assert voucher.places * voucher.amount_krw == voucher.budget_krw
    assert voucher.floor_share is None
    assert (voucher.window.from_on, voucher.window.to_on) == (date(2026, 2, 9), date(2026, 12, 18))


def test_nothing_is_offered_outside_its_window() -> None:
    voucher = load_catalogue().programmes["management_stability_voucher"]
    days = [date(2026, 2, 8), date(2026, 2, 9), date(2026, 12, 18), date(2026, 12, 19)]
    assert [voucher.is_offered(day) for day in days] == [False, True, True, False]


def test_an_unverified_programme_is_never_offered(copied: Path) -> None:
    edit(copied, "new_start_fund", 'status = "active"', 'status = "unverified"')
    assert "new_start_fund" not in {one.id for one in load_catalogue([copied]).offered(AS_OF)}


def test_a_later_folder_overrides_by_id_and_changes_the_hash(tmp_path: Path) -> None:
    text = (SHIPPED / "hope_return_package.toml").read_text()
    (tmp_path / "ours.toml").write_text(text.replace("amount_krw = 6_000_000", "amount_krw = 7_000_000"))
    shipped, ours = load_catalogue(), load_catalogue([SHIPPED, tmp_path])
    assert ours.programmes["hope_return_package"].amount_krw == 7_000_000
    assert set(ours.programmes) == set(shipped.programmes)
    assert ours.catalogue_hash != shipped.catalogue_hash == load_catalogue([SHIPPED, tmp_path / "missing"]).catalogue_hash


FAULTS = [
    ('sql = "opened_on <=', 'sql = "opend_on <=', "no declared fact is called opend_on"),
    ('sql = "opened_on <=', 'sql = "opened_on < > <=', "not a predicate"),
    ("sql = \"trading_status = 'trading'\"", 'sql = "days_past_due + 1"', "a predicate is true or false"),
    ('kind = "voucher"', 'kind = "gift"', "kind: Input should be"),
    ('operator_en = "', 'operater_en = "', "operater_en: Extra inputs are not permitted"),
    ("watch = 1", "asleep = 1", "ladder.asleep"),
    ("to_on = 2026-12-18", "to_on = 2025-12-18", "the window ends before it begins"),
    ("tax_year_sales_krw = 80_000_000", 'tax_year_sales_krw = "much"', "tax_year_sales_krw can't be 'much'"),
    ('url = "https://biz.chosun.com/en/en-industry', 'url = "https://…/en-industry', "url: not a whole address"),
    ('url = "https://biz.chosun.com', 'url = "biz.chosun.com', "url: not a whole address"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS)
def test_a_fault_is_named_with_its_file_and_line(copied: Path, old: str, new: str, said: str) -> None:
    line = edit(copied, "management_stability_voucher", old, new)
    faults = [fault for fault in check_programmes([copied], as_of=AS_OF) if said in fault.what]
    assert [fault.file.name for fault in faults] == ["management_stability_voucher.toml"]
    assert abs(faults[0].line - line) <= 2  # the key itself, or the heading just above it
    with pytest.raises(SettingsError, match=r"management_stability_voucher\.toml:\d+"):
        load_catalogue([copied])


def test_every_fault_is_told_not_only_the_first(copied: Path) -> None:
    edit(copied, "management_stability_voucher", 'kind = "voucher"', 'kind = "gift"')
    edit(copied, "management_stability_voucher", 'sql = "opened_on <=', 'sql = "opend_on <=')
    edit(copied, "new_start_fund", 'mode = "guide"', 'mode = "guess"')
    assert len(check_programmes([copied], as_of=AS_OF)) == 3


def test_what_is_not_toml_is_named_with_its_line(copied: Path) -> None:
    line = edit(copied, "new_start_fund", 'number = "P30"', "number = P30")
    (fault,) = check_programmes([copied], as_of=AS_OF)
    assert (fault.file.name, fault.line) == ("new_start_fund.toml", line)


def test_an_allotted_programme_without_a_budget_is_refused(copied: Path) -> None:
    edit(copied, "hope_return_package", 'mode = "guide"', 'mode = "allot"')
    (fault,) = check_programmes([copied], as_of=AS_OF)
    assert "an allotted programme must say hold_days" in fault.what


def test_an_example_that_no_longer_comes_true_is_a_fault_at_its_line(copied: Path) -> None:
    edit(copied, "management_stability_voucher", "tax_year_sales_krw < 104000000", "tax_year_sales_krw < 70000000")
    text = (copied / "management_stability_voucher.toml").read_text().splitlines()
    faults = [fault for fault in check_programmes([copied], as_of=AS_OF) if "A noodle shop" in fault.what]
    assert [text[fault.line - 1] for fault in faults] == ['verdict = "eligible"']
    assert "the rules say ineligible because of sales_below_104m" in faults[0].what


def test_two_eligible_and_two_ineligible_examples_are_needed(copied: Path) -> None:
    file = copied / "pre_delinquency_workout.toml"
    file.write_text(file.read_text().split("[[example]]")[0] + "[[example]]\n" + file.read_text().split("[[example]]\n")[1])
    said = [fault.what for fault in check_programmes([copied], as_of=AS_OF)]
    assert said == ["0 ineligible worked examples; at least 2 are needed", "1 eligible worked examples; at least 2 are needed"]


def test_the_same_id_twice_in_one_folder_is_a_fault(copied: Path) -> None:
    (copied / "zz_again.toml").write_text((copied / "new_start_fund.toml").read_text())
    (fault,) = check_programmes([copied], as_of=AS_OF)
    assert "already taken by new_start_fund.toml" in fault.what


def test_a_programme_that_must_come_first_must_exist(copied: Path) -> None:
    edit(copied, "new_start_fund", 'mode = "guide"', 'mode = "guide"\nmust_come_first = ["nothing_like_it"]')
    said = [fault.what for fault in check_programmes([copied], as_of=AS_OF)]
    assert "must_come_first names 'nothing_like_it', which no file declares" in said


@pytest.mark.parametrize(("as_of", "warned"), [(date(2026, 10, 18), 0), (date(2026, 10, 19), 1), (date(2026, 12, 19), 3)])
def test_a_window_that_ends_within_sixty_days_warns(as_of: date, warned: int) -> None:
    faults = check_programmes(as_of=as_of)
    assert len(faults) == warned
    assert all(fault.is_warning and "the window end" in fault.what for fault in faults)


def test_every_programme_is_described_with_its_rules_sources_and_phone() -> None:
    text = describe_programmes(load_catalogue())
    for programme in load_catalogue().programmes.values():
        assert f"## {programme.number} {programme.name_ko}" in text
        assert all(rule.unmet_ko in text for rule in (*programme.rule, *programme.exclusion))
        assert all(source.url in text for source in programme.source)
    assert "1600-5500" in text
    assert "C private blog" in text
