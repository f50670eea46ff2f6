"""The rules of the house, read from the code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("signals", "features", "models", "guidance", "dags", "doors")
FILES = [
    *sorted(file for place in (*PACKAGES, "docs", "bench") for file in (ROOT / place).rglob("*.py")),
    ROOT / "nightly.py",
    ROOT / "training.py",
    ROOT / "deungdae.py",
]
OURS = {"signals", "features", "models", "guidance", "nightly", "training", "deungdae", "doors", "dags", "review"}
MAY_IMPORT = {
    "signals": set(),
    "features": {"signals"},
    "models": {"signals"},
    "guidance": {"signals"},
    "nightly": {"signals", "features", "models", "guidance"},
    "training": {"signals", "features", "models", "guidance"},
    "deungdae": OURS,
    "doors": OURS - {"deungdae"},
    "dags": {"nightly", "training", "signals", "deungdae"},
    "docs": OURS,
    "bench": OURS,
}
OWNERS = {
    "great_expectations": {"signals"},
    "dataframely": {"signals"},
    "deltalake": {"signals"},
    "alembic": {"signals"},
    "lightgbm": {"models"},
    "sklearn": {"models"},
    "woodelf": {"models"},
    "pyspark": {"signals"},
    "airflow": {"dags"},
    "typer": {"deungdae", "doors"},
}
SLOW_TO_IMPORT = {"great_expectations", "lightgbm", "sklearn", "woodelf", "pandas", "scipy", "pyspark"}
MAY_ASK_THE_CLOCK = {
    "deungdae.py": ["datetime.now"],  # programmes check without a day judges the windows by today
    "doors/models.py": ["datetime.now"],  # when a model was made champion
    "signals/records/leases.py": ["datetime.now"],  # whether a lease ran out
    "signals/records/forgotten.py": ["datetime.now"],  # when a borrower was forgotten
    "signals/records/runs.py": ["datetime.now"],  # when a run was committed
}


def place_of(file: Path) -> str:
    return file.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def top_imports(tree: ast.Module) -> set[str]:
    return imports(ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], []))


def each_file() -> list[object]:
    return [pytest.param(file, id=str(file.relative_to(ROOT))) for file in FILES]


def test_there_is_code_to_read() -> None:
    assert {place_of(file) for file in FILES} >= {"signals", "features", "models", "guidance", "dags", "nightly", "training", "deungdae"}


@pytest.mark.parametrize("file", each_file())
def test_imports_go_down_and_never_sideways(file: Path) -> None:
    place = place_of(file)
    assert imports(ast.parse(file.read_text())) & OURS - {place} <= MAY_IMPORT[place]


@pytest.mark.parametrize("file", each_file())
def test_a_heavy_library_is_known_to_its_owner_alone(file: Path) -> None:
    foreign = {name for name in imports(ast.parse(file.read_text())) if place_of(file) not in OWNERS.get(name, {place_of(file)})}
    assert foreign <= ({"pandas"} if place_of(file) == "bench" else set())


@pytest.mark.parametrize(
    "file", [file for file in FILES if place_of(file) in {"dags", "nightly", "training", "deungdae", "doors"}], ids=str
)
def test_composition_imports_what_is_heavy_inside_functions(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert not top_imports(tree) & (SLOW_TO_IMPORT | {"polars", "deltalake", "sqlalchemy", "features", "models", "guidance"})
    assert place_of(file) != "dags" or not top_imports(tree) & OURS


@pytest.mark.parametrize("file", each_file())
def test_no_module_asks_the_clock_what_day_it_is(file: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    asked = [ast.unparse(call) for call in calls if isinstance(call, ast.Attribute) and call.attr in {"now", "utcnow", "today"}]
    assert asked == MAY_ASK_THE_CLOCK.get(str(file.relative_to(ROOT)), [])


@pytest.mark.parametrize("file", each_file())
def test_names_say_something_and_functions_fit_in_a_glance(file: Path) -> None:
    assert file.stem not in {"utils", "helpers", "common", "manager", "misc"}
    tree = ast.parse(file.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "migrations" not in file.parts]
    long = {node.name: _code_lines(node) for node in functions if _code_lines(node) > 30}
    assert not long
    assert file.read_text().count("\n") <= 350


def _code_lines(node: ast.FunctionDef) -> int:
    """Count a function's lines without its docstring, which may be as long as it needs."""
    total = (node.end_lineno or 0) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or 0) - first.lineno + 1
    return total


def folders() -> list[Path]:
    inner = {file.parent for file in FILES if file.parent != ROOT and "migrations" not in file.parts}
    return sorted({*inner, ROOT / "tests"})


@pytest.mark.parametrize("folder", folders(), ids=str)
def test_each_folder_says_what_belongs_there(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "elongs here" in text
    assert "oes not" in text
    assert "tart reading" in text
    assert text.count("\n") <= 20


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()
