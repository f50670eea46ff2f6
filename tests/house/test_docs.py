"""Everything a person relies on is said somewhere, and the generated pages are fresh."""

import subprocess
import sys
from pathlib import Path

import pytest

import features
from signals.settings import Settings
from signals.tables import TABLES
from signals.tables.columns import find_unit, part_description, say_allowed
from signals.tables.pages import say_rules

ROOT = Path(__file__).resolve().parents[2]


def test_the_generated_pages_are_fresh() -> None:
    checked = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_each_table_and_column_says_what_it_is(table) -> None:
    assert "One row per" in table.meaning
    for name, column in table.schema.columns().items():
        assert column.description, name
        assert column.description.endswith("."), name


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_a_column_that_may_be_null_says_what_null_means(table) -> None:
    for name, column in table.schema.columns().items():
        meaning, null = part_description(column)
        assert meaning.endswith("."), name
        assert (null == "never null") != column.nullable, name
        assert "null" not in meaning, name


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_each_column_has_a_unit_and_says_what_it_may_hold(table) -> None:
    for name, column in table.schema.columns().items():
        assert find_unit(name, column), name
        assert say_allowed(name, column) != "any", name


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_each_row_rule_is_named_with_its_sentence_on_the_page(table) -> None:
    page = (ROOT / "docs" / "tables.md").read_text()
    declared = {name for name in table.schema._validation_rules(with_cast=False) if "|" not in name and name != "primary_key"}
    assert {name for name, _ in say_rules(table)} == declared
    for name, text in say_rules(table):
        assert text.endswith("."), name
        assert f"- `{name}`: {text}" in page


@pytest.mark.parametrize("table", TABLES.values(), ids=str)
def test_the_names_keep_the_units(table) -> None:
    endings = {"_krw": "Int64", "_on": "Date", "_month": "Date"}
    starts = {"is_": "Boolean", "has_": "Boolean"}
    for name, kind in table.polars_schema.items():
        for part, wanted in endings.items():
            assert not name.endswith(part) or str(kind) == wanted, name
        for part, wanted in starts.items():
            assert not name.startswith(part) or str(kind) == wanted, name


def test_the_same_column_has_the_same_type_everywhere() -> None:
    kinds: dict[str, set[str]] = {}
    for table in TABLES.values():
        for name, kind in table.polars_schema.items():
            kinds.setdefault(name, set()).add(str(kind))
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_each_setting_and_each_page_is_on_a_page_of_its_own() -> None:
    page, contents = (ROOT / "docs" / "settings.md").read_text(), (ROOT / "docs" / "README.md").read_text()
    for name, field in Settings.model_fields.items():
        assert (field.description or "").endswith("."), name
        assert f"| `DEUNGDAE_{name.upper()}` | {field.description} |" in page
    assert [
        file.name for file in sorted((ROOT / "docs").glob("*.md")) if file.name != "README.md" and f"`{file.name}`" not in contents
    ] == []


@pytest.mark.parametrize("feature", features.FEATURES, ids=lambda feature: feature.name)
def test_each_feature_says_what_it_is_in_both_languages(feature) -> None:
    page = (ROOT / "docs" / "features.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith(f"| `{feature.name}` |")]
    assert len(rows) == 1
    cells = rows[0].strip("| ").split(" | ")
    for said in (feature.meaning, feature.unit, feature.null_means, feature.says_ko, feature.says_en):
        assert said
        assert said in cells
