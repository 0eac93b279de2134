"""The rules of ARCHITECTURE.md, read from its tables and held against the syntax trees of the package."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.made_run import write_run

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qm_cli"
TESTS = ROOT / "tests"
MAX_LINES = 300
BANNED = {"utils", "util", "helpers", "common", "misc", "base"}
GRAPHS = {"kernels/", "analysis/"}  # families whose files may import each other
ANYWHERE, TOP, LATE, EITHER = "anywhere", "top", "late", "either"
UNMIRRORED = {
    "options": "annotations alone; tests/golden holds what the commands say",
    "rank_options": "annotations alone, as options",
    "detail_options": "as options",
    "schema": "contracts alone; tests of tables and run_tables hold tables against them",
}
HEAVY = ("pyarrow", "duckdb", "pandas", "cv2", "PIL", "shapely", "sklearn", "scipy", "faiss", "plotly")


@dataclass(frozen=True)
class Import:
    """One imported name. late: inside a function. typing: under TYPE_CHECKING."""

    target: str
    line: int
    late: bool
    typing: bool


@dataclass(frozen=True)
class Reserved:
    """Where a name may be used and how it is imported."""

    places: frozenset[str]
    how: str

    def allows(self, module: str) -> bool:
        return ANYWHERE in self.places or unit(module) in self.places


def table(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


STAIRS = [name for _, names, _ in table("The staircase") for name in quoted(names)]
RESERVED = {
    name: Reserved(frozenset(quoted(places) or [places]), how)
    for names, places, how in table("Who may use what")
    for name in quoted(names)
}


def unit(module: str) -> str:
    """What the staircase calls a module: a flat file's name, or its family.

    >>> unit("kernels.iou"), unit("run")
    ('kernels/', 'run')
    """
    family, dot, _ = module.partition(".")
    return f"{family}/" if dot or (PACKAGE / family).is_dir() else family


def step(module: str) -> float:
    """Where a module stands; nowhere is another test's matter."""
    return STAIRS.index(unit(module)) if unit(module) in STAIRS else float("nan")


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def place(module: str, line: int) -> str:
    return f"{MODULES[module].relative_to(ROOT)}:{line}"


@cache
def imports(module: str) -> tuple[Import, ...]:
    return tuple(_imports(tree(module), late=False, typing=False))


def _imports(node: ast.AST, late: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, late, typing)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                yield Import(f"{'.' * child.level}{child.module or ''}.{alias.name}", child.lineno, late, typing)
        else:
            inside = late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            types = typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
            yield from _imports(child, inside, types)


def own(target: str) -> str | None:
    """The module of this package that an import names, if it is one.

    >>> own("qm_cli.kernels.iou.pair_iou"), own("qm_cli.__version__"), own("numpy")
    ('kernels.iou', '__init__', None)
    """
    first, _, rest = target.partition(".")
    if first != "qm_cli":
        return None
    while rest and rest not in MODULES:
        rest = rest.rpartition(".")[0]
    return rest or "__init__"


def reserved(target: str) -> str | None:
    """The name of the table that an import falls under: the longest.

    >>> reserved("pyarrow.parquet.read_table"), reserved("pyarrow.Table")
    ('pyarrow.parquet', None)
    """
    while target and target not in RESERVED:
        target = target.rpartition(".")[0]
    return target or None


def edges() -> Iterator[tuple[str, Import, str]]:
    for module in MODULES:
        for one in imports(module):
            target = own(one.target)
            if target is not None and target != module:
                yield module, one, target


def started() -> set[str]:
    """The modules that `qm --help` loads: the entry, all that `main` imports at the top, and so on."""
    found, left = set(), ["__main__", "main"]
    while left:
        module = left.pop()
        if module in found:
            continue
        found.add(module)
        targets = [own(one.target) for one in imports(module) if not (one.late or one.typing)]
        left += [target for target in targets if target is not None]
    return found


def none_of(breaches: list[str]) -> None:
    assert not breaches, "\n" + "\n".join(breaches)


def test_every_module_has_one_place_on_the_staircase() -> None:
    units = {unit(module) for module in MODULES}
    none_of([f"{name} is on the staircase twice" for name in STAIRS if STAIRS.count(name) > 1])
    none_of([f"{name} has no place on the staircase of ARCHITECTURE.md" for name in sorted(units - set(STAIRS))])
    none_of([f"{name} is on the staircase and not in the package" for name in sorted(set(STAIRS) - units)])


def test_imports_go_down() -> None:
    none_of(
        [
            f"{place(module, one.line)}: {module} imports {target}, which stands above or to its right"
            for module, one, target in edges()
            if unit(module) != unit(target) and step(target) > step(module)
        ]
    )


def test_siblings_do_not_import_each_other() -> None:
    none_of(
        [
            f"{place(module, one.line)}: {module} imports its sibling {target}"
            for module, one, target in edges()
            if unit(module) == unit(target) and unit(module) not in GRAPHS and not module.startswith(f"{target}_")
        ]
    )


def test_no_import_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for module, one, target in edges():
        if not one.typing:
            graph.setdefault(module, set()).add(target)
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"cycle: {' → '.join(error.args[1])}")


def test_imports_are_absolute() -> None:
    found = [(module, one) for module in MODULES for one in imports(module) if one.target.startswith(".")]
    none_of([f"{place(module, one.line)}: relative import" for module, one in found])


def test_imports_stand_at_the_top() -> None:
    at_start = started()
    breaches = []
    for module in MODULES:
        for one in imports(module):
            name = reserved(one.target)
            how = RESERVED[name].how if name else TOP
            if one.late and module not in at_start and how == TOP:
                breaches.append(f"{place(module, one.line)}: {one.target} belongs at the top")
            if not one.late and not one.typing and how == LATE:
                breaches.append(f"{place(module, one.line)}: {name} is heavy, import it where it is used")
    none_of(breaches)


def test_reserved_packages_stay_in_their_place() -> None:
    none_of(
        [
            f"{place(module, one.line)}: {name} belongs in {', '.join(sorted(RESERVED[name].places))}"
            for module in MODULES
            for one in imports(module)
            if not one.typing and (name := reserved(one.target)) and not RESERVED[name].allows(module)
        ]
    )


def test_only_the_edge_prints() -> None:
    breaches = []
    for module in MODULES:
        for node in ast.walk(tree(module)):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            name = ast.unparse(node) if isinstance(node, ast.Attribute) else name
            if name in ("print", "sys.stdout", "sys.stderr") and not RESERVED[name].allows(module):
                breaches.append(f"{place(module, node.lineno)}: {name}")
    none_of(breaches)


def test_files_are_short() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES.values()}
    long = {path: count for path, count in lengths.items() if count > MAX_LINES}
    none_of([f"{path.relative_to(ROOT)}: {count} lines, at most {MAX_LINES}" for path, count in long.items()])


def test_no_module_has_a_name_that_says_nothing() -> None:
    none_of([module for module in MODULES if set(module.split(".")) & BANNED])


def test_folders_are_families_of_files() -> None:
    none_of([module for module in MODULES if module.count(".") > 1])


def test_every_module_is_mirrored() -> None:
    breaches = []
    for module, path in MODULES.items():
        family, _, name = module.rpartition(".")
        mirror = TESTS / family / f"test_{name}.py"
        empty = path.name == "__init__.py" and not path.read_text("utf-8").strip()
        if module == "__init__" or empty or module in UNMIRRORED:
            continue
        if not mirror.is_file():
            breaches.append(f"{path.relative_to(ROOT)}: has no {mirror.relative_to(ROOT)}")
    none_of(breaches)


def test_the_list_of_unmirrored_modules_is_up_to_date() -> None:
    assert set(UNMIRRORED) <= set(MODULES)


def test_public_names() -> None:
    """Whatever was imported before them."""
    script = (
        "import qm_cli.main, qm_cli.run, qm_cli.engine, qm_cli\n"
        "for name in qm_cli.__all__:\n"
        "    one = getattr(qm_cli, name)\n"
        "    assert callable(one) or name == '__version__', (name, one)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr.splitlines()[-1]


def loaded(*arguments: str) -> set[str]:
    """The packages that are loaded when a command has run in a fresh process."""
    script = (
        "import sys, json, os\n"
        "from qm_cli.main import run\n"
        "code = run(sys.argv[1:])\n"
        "sys.stdout.flush()\n"
        "sys.stderr.write('\\n' + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stderr.splitlines()[-1])
    return set(names)


def test_help_starts_without_numpy() -> None:
    for arguments in (["--help"], ["score", "--help"], ["--version"]):
        assert not loaded(*arguments) & {"numpy", "msgspec", *HEAVY}


def test_metrics_start_without_arrow() -> None:
    assert not loaded("metrics") & set(HEAVY)
    assert not loaded("metrics", "entropy") & set(HEAVY)


def test_rank_starts_without_what_it_does_not_need(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    found = loaded("rank", str(tmp_path / "run"), "-a", "entropy")
    assert not found & set(HEAVY) - {"pyarrow"}, sorted(found & set(HEAVY))
