"""A lender's file as it is: its columns by their own names, in blocks of bounded size, with the line of each row."""

from __future__ import annotations

import csv
import gzip
import unicodedata
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import polars as pl

from signals.errors import InputError
from signals.sources.canonical import quote_name
from signals.sources.mapping import TableMapping
from signals.sources.stored import StoredFile

BLOCK_BYTES = 16 << 20
HEADER_BYTES = 1 << 16
BLOCK_ROWS = 250_000
FEW, MANY = "row|too few fields", "row|too many fields"
_END = "\x1e"  # stands behind the last field of each line, so that a line with fewer or more shows
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Some rows of a file under their own column names; blank lines are no rows.

    `lines`: where each row begins in the file, from 1. `broken`: null, or why the row's fields can't be told apart.
    """

    frame: pl.DataFrame
    lines: pl.Series
    broken: pl.Series


@dataclass(frozen=True)
class RawFile:
    """A file whose columns are known; `read` gives its blocks and raises `InputError` for what can't be read."""

    columns: Mapping[str, pl.DataType]
    read: Callable[[], Iterator[Block]]


def open_raw(file: StoredFile, mapping: TableMapping) -> RawFile:
    """Open a lender's file in the form its mapping says, gzip or not.

    Raises `InputError` for zero bytes, a gzip cut short, a header that names a column twice, bytes that are not of the
    encoding, and a file that is not Parquet although the mapping says so.
    """
    if file.path.stat().st_size == 0:
        raise _broken(file.where, "the file has zero bytes")
    return _open_parquet(file) if mapping.format == "parquet" else _open_text(file, mapping)


def _open_parquet(file: StoredFile) -> RawFile:
    with _worded(file.where):
        frame = pl.scan_parquet(file.path, glob=False)
        names = _settle_names(frame.collect_schema().names(), file.where)
        frame = frame.rename(dict(zip(frame.collect_schema().names(), names, strict=True)))
        height = int(frame.select(pl.len()).collect().item())

    def read() -> Iterator[Block]:
        for start in range(0, height, BLOCK_ROWS):
            with _worded(file.where):
                rows = frame.slice(start, BLOCK_ROWS).collect()
            lines = pl.int_range(start + 1, start + 1 + rows.height, dtype=pl.Int64, eager=True)
            yield Block(rows, lines, pl.repeat(None, rows.height, dtype=pl.String, eager=True))

    return RawFile(dict(frame.collect_schema()), read)


def _open_text(file: StoredFile, mapping: TableMapping) -> RawFile:
    def cut(size: int) -> Generator[bytes]:
        with _worded(file.where), file.open() as opened:
            yield from _cut_blocks(_unzip(opened), size)

    with closing(cut(HEADER_BYTES)) as beginning:
        first = next(beginning, b"")
    if not first:
        raise _broken(file.where, "the file has zero bytes inside its gzip")
    if first.startswith(_BOM) and mapping.encoding != "utf-8":
        raise _broken(file.where, f"the file begins with the mark of UTF-8, its mapping says {mapping.encoding}")
    header = _find_line_end(first)
    fields = next(csv.reader([_decode(first[:header], mapping, file.where, 1).removeprefix("\ufeff")], delimiter=mapping.separator), [])
    names = _settle_names(fields, file.where)

    def read() -> Iterator[Block]:
        line, skipped = 1, header
        for block in cut(BLOCK_BYTES):
            line += block.count(b"\n", 0, skipped)
            yield _parse(block[skipped:], names, mapping, file.where, line)
            line += block.count(b"\n", skipped)
            skipped = 0

    return RawFile(dict.fromkeys(names, pl.String()), read)


def _settle_names(names: list[str], where: str) -> list[str]:
    """Write Korean letters the one way (a Mac takes them apart) and leave out blanks around a name."""
    settled = [settle_name(name) for name in names]
    twice = sorted({name for name in settled if settled.count(name) > 1})
    if twice:
        raise _broken(where, f"the header names column {', '.join(quote_name(name) for name in twice)} twice")
    return settled


def settle_name(name: str) -> str:
    """Write a name of a column or a file so that two spellings of one name compare equal."""
    return unicodedata.normalize("NFC", name).strip()


def _unzip(opened: BinaryIO) -> Any:
    is_gzip = opened.read(2) == b"\x1f\x8b"
    opened.seek(0)
    return gzip.GzipFile(fileobj=opened) if is_gzip else opened


def _cut_blocks(stream: Any, usual: int) -> Iterator[bytes]:
    """Cut a stream behind line ends that stand outside quotes (bytes of a Korean letter are never one)."""
    rest, size = b"", usual
    while chunk := stream.read(size):
        rest += chunk
        end = _find_last_line_end(rest)
        size = usual if end else 2 * size
        if end:
            yield rest[:end]
        rest = rest[end:]
    if rest:
        yield rest


def _find_line_end(block: bytes) -> int:
    """Find where the first line ends, a line end inside quotes apart; the whole block where it doesn't."""
    end = block.find(b"\n") + 1
    while end and block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end) + 1
    return end or len(block)


def _find_last_line_end(block: bytes) -> int:
    end, is_inside = len(block), block.count(b'"') % 2
    while (start := block.rfind(b"\n", 0, end)) >= 0:
        is_inside ^= block.count(b'"', start, end) % 2
        if not is_inside:
            return start + 1
        end = start
    return 0


def _parse(block: bytes, names: list[str], mapping: TableMapping, where: str, line: int) -> Block:
    if mapping.encoding != "utf-8" and not block.isascii():
        block = _decode(block, mapping, where, line).encode()
    line_ends = block.count(b"\n") + (not block.endswith(b"\n") and bool(block))
    marked = _mark_ends(block, mapping.separator)
    keys = [str(place) for place in range(len(names) + 1)]
    try:
        frame = pl.read_csv(
            (mapping.separator.join(keys) + "\n").encode() + marked,
            infer_schema=False,
            separator=mapping.separator,
            empty_string_is_null=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:
        raise _explain(block, mapping, where, line) from None
    lines = pl.int_range(line, line + frame.height, dtype=pl.Int64, eager=True)
    if frame.height != line_ends:
        frame, lines = _settle_line_breaks(frame, line, mapping.separator)
    return _settle_fields(frame, lines, names)


def _mark_ends(block: bytes, separator: str) -> bytes:
    end = f"{separator}{_END}\n".encode()
    whole = block if block.endswith(b"\n") or not block else block + b"\n"
    return whole.replace(b"\r\n", b"\n").replace(b"\n", end)


def _settle_line_breaks(frame: pl.DataFrame, line: int, separator: str) -> tuple[pl.DataFrame, pl.Series]:
    """Take the marks out of fields that hold line breaks, and count the lines that each row takes."""
    frame = frame.with_columns(pl.all().str.replace_all(f"{separator}{_END}\n", "\n", literal=True))
    taken = frame.select(1 + pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).cast(pl.Int64))).to_series()
    return frame, line + taken.cum_sum() - taken


def _settle_fields(frame: pl.DataFrame, lines: pl.Series, names: list[str]) -> Block:
    *fields, end = frame.columns
    is_short = pl.any_horizontal(pl.col(name) == _END for name in fields)
    broken = pl.when(pl.col(end) != _END).then(pl.when(is_short).then(pl.lit(FEW)).otherwise(pl.lit(MANY)))
    why = frame.select(broken).to_series() if (frame[end] != _END).any() else pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    nothing = ["", _END] if why.count() else [""]
    texts = {name: pl.col(name).str.strip_chars() for name in fields}
    frame = frame.select(
        pl.when(pl.all_horizontal(text != word for word in nothing)).then(text).alias(name) for name, text in texts.items()
    )
    frame.columns = names
    block = pl.DataFrame({"line": lines, "why": why})
    if frame[names[0]].null_count():
        is_row = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        frame, block = frame.filter(is_row), block.filter(is_row)
    return Block(frame, block["line"], block["why"])


def _decode(block: bytes, mapping: TableMapping, where: str, line: int) -> str:
    try:
        return block.decode(mapping.encoding)
    except UnicodeDecodeError as error:
        at = line + block.count(b"\n", 0, error.start)
        raise InputError(
            f"the text is not {mapping.encoding}",
            f"{where}, line {at}",
            "Korean words and what stands beside them would be read wrongly",
            "say the right encoding (utf-8 or cp949) in the source file, or send the file again",
        ) from None


def _explain(block: bytes, mapping: TableMapping, where: str, line: int) -> InputError:
    """Say why polars could not read a block, without its words: they show what stands in the file."""
    try:
        if mapping.encoding == "utf-8":
            _decode(block, mapping, where, line)
    except InputError as error:
        return error
    odd = next((place for place, text in enumerate(block.split(b"\n")) if text.count(b'"') % 2), 0)
    return _broken(f"{where}, near line {line + odd}", "a field opens or closes with a quote where it should not")


@contextmanager
def _worded(where: str) -> Iterator[None]:
    """Word what the libraries raise of a damaged file, without what they show of its contents."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _broken(where, "the gzip is cut short or damaged") from None
    except pl.exceptions.PolarsError:
        raise _broken(where, "not a readable Parquet file") from None


def _broken(where: str, what: str) -> InputError:
    return InputError(what, where, "nothing of it can be trusted; a file without rows still has a header", "send the file again")
