"""Data Docs are read on closed networks: nothing on any page comes from elsewhere, and the first page leads to all others."""

import random
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from signals.gate import Gate
from signals.measures import measure_deliveries
from signals.records.deliveries import DeliveryHistory, TableDelivery
from tests.signals.test_gate import some_arrears

NIGHT = date(2026, 10, 27)


class Page(HTMLParser):
    """What a page loads, where it leads, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = {name: value or "" for name, value in attrs}
        links = [values[name] for name in ("src", "srcset", "href", "data", "action", "poster") if name in values]
        (self.leads if tag == "a" else self.loads).extend(links)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@pytest.fixture(scope="module")
def docs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("night") / "docs"
    folder.mkdir()
    (folder / "old.html").write_text("of an earlier try")
    gate = Gate(folder, NIGHT)
    for part in range(2):
        gate.count_rows("arrears", some_arrears(100, random.Random(part), amount=-1))
    broken = [TableDelivery("<한빛은행>", "arrears", {"read": 10, "quarantined": 9, "accepted": 1})]
    many = [TableDelivery(f"source-{number}", "arrears", {"read": 10, "quarantined": 9}) for number in range(30)]
    sources = [row.source_id for row in (*broken, *many)]
    gate.judge_deliveries("arrears", measure_deliveries("arrears", [*broken, *many], DeliveryHistory(), sources, NIGHT))
    gate.write_docs()
    return folder


def pages(docs: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text(encoding="utf-8")) for file in sorted(docs.rglob("*.html"))}


def test_no_page_loads_anything(docs: Path) -> None:
    assert len(pages(docs)) == 1 + 2 * 3
    for file, page in pages(docs).items():
        assert [load for load in page.loads if load != "data:,"] == [], file.name
        assert not {"script", "img", "iframe", "object", "embed", "base"} & set(page.tags)
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(|\son\w+=", text)
        assert "--ink" in text  # our own looks are inside


def test_every_link_leads_to_a_page_that_is_there(docs: Path) -> None:
    for file, page in pages(docs).items():
        for link in page.leads:
            assert not re.match(r"\w+:|//", link), link
            place, _, section = link.partition("#")
            target = (file.parent / place).resolve() if place else file
            assert target.is_file(), link
            assert not section or f'id="{section}"' in target.read_text(encoding="utf-8")


def test_the_first_page_leads_to_every_validation(docs: Path) -> None:
    led = {(docs / link).resolve() for link in pages(docs)[docs / "index.html"].leads}
    assert led == {file.resolve() for file in (docs / "validations").rglob("*.html")}


def test_the_first_page_says_what_broke_and_by_which_source(docs: Path) -> None:
    said = " ".join(pages(docs)[docs / "index.html"].said)
    assert "What came in for the night of 2026-10-27" in said
    assert "31 failures" in said
    assert "✗ <한빛은행>: of all rows sent 10.0 % pass the row rules, 50 % needed" in said


def test_the_pages_in_full_name_the_sources(docs: Path) -> None:
    (page,) = (page for file, page in pages(docs).items() if file.name.startswith("arrears-sources-"))
    said = " ".join(page.said)
    assert "values must be greater than or equal to" in said
    assert "source-1" in said


def test_nothing_of_an_earlier_try_and_nothing_unused_is_left(docs: Path) -> None:
    assert not (docs / "old.html").exists()
    assert {file.suffix for file in docs.rglob("*") if file.is_file()} == {".html"}


def test_a_night_without_news_has_a_page_too(tmp_path: Path) -> None:
    Gate(tmp_path / "docs", NIGHT).write_docs()
    assert "Nothing new came in." in (tmp_path / "docs" / "index.html").read_text()
