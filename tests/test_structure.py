"""The rules of the tree's structure, kept by tests: which way imports run, who prints, how long a file may be."""

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import networkx
import pytest

from tests.paths import ROOT

FOLDERS = ("model", "implementation", "conformance", "onceproof")
LINES_MAX = 450

MODEL = {f"onceproof.model{part}" for part in ("", ".language", ".protocol", ".checker")}
# Each zone of the tree, and what else of ours it may import. A module belongs to the longest zone that begins its name.
ARROWS: dict[str, set[str]] = {
    "onceproof.model": set(),
    "onceproof.model.language": set(),
    "onceproof.model.protocol": {"onceproof.model.language"},
    "onceproof.model.checker": {"onceproof.model.language"},
    "onceproof.implementation": set(),
    # These two run in other people's environments.
    "onceproof.driver": set(),
    "onceproof.storm": set(),
    "onceproof.conformance": {*MODEL, "onceproof.driver", "onceproof.storm"},
    "onceproof.conformance.reference": {*MODEL, "onceproof.conformance", "onceproof.implementation"},
    "onceproof": {
        *MODEL,
        *("onceproof.implementation", "onceproof.conformance", "onceproof.conformance.reference"),
        *("onceproof.driver", "onceproof.storm"),
    },
}
# The one door from generic conformance to the drivers of the reference system: their registry.
DOOR = ("onceproof.conformance.drivers", "onceproof.conformance.reference")

# What costs more than a few milliseconds to import: `onceproof --help` must not wait for it.
HEAVY = {
    *("celery", "cvc5", "fastapi", "httpx", "hypothesis", "jinja2", "llvmlite", "nats", "networkx", "numpy"),
    *("procrastinate", "psycopg", "pydantic", "ray", "redis", "rich", "sqlite3", "starlette", "structlog"),
    *("uvicorn", "z3"),
}


def module_name(path: Path) -> str:
    """Return the dotted name of a Python file of ours; a package's is that of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    inside = parts if parts[0] == "onceproof" else ("onceproof", *parts)
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


# Files as users write them, each for an environment of its own: no modules of ours.
NOT_OURS = ROOT / "conformance" / "storms" / "queues"
# The folders of the root are links inside the package; rglob follows no links, so each file is listed once.
SOURCES = {
    module_name(path): path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.is_relative_to(NOT_OURS)
}


def tree_files() -> Iterator[Path]:
    """Yield the project's own text files: not those of environments, caches and builds."""
    for folder, folders, names in os.walk(ROOT):
        hidden = {name for name in folders if name.startswith(".") and name != ".ci"}
        folders[:] = sorted(set(folders) - hidden - {"__pycache__", "build", "dist", "node_modules", "out"})
        # In a linked worktree .git is a file, with the path of the checkout that it belongs to.
        yield from (Path(folder, name) for name in sorted(names) if not name.endswith((".git", ".pyc", ".png", ".db")))


def zone_of(name: str) -> str | None:
    """Return the zone of a dotted name; None for what is not ours."""
    return max((zone for zone in ARROWS if f"{name}.".startswith(f"{zone}.")), key=len, default=None)


def imported_names(source: str, name: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of all that a module imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = name.split(".")
                up = here[: len(here) - node.level + (1 if is_package else 0)]
                base = ".".join([*up, *filter(None, [node.module])])
            # `from onceproof.model import checker` reaches into another zone than the module it names.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and re.search(r"\b(import_module|__import__)$", ast.unparse(node.func)):
            yield from ((node.lineno, str(name.value)) for name in node.args[:1] if isinstance(name, ast.Constant))


def wrong_arrows(source: str, name: str, *, is_package: bool = False) -> list[str]:
    """Return a line for each import of ours that the zone of the module does not allow."""
    zone = zone_of(name)
    assert zone is not None
    found = []
    for line, target in imported_names(source, name, is_package=is_package):
        reached = zone_of(target)
        if reached is not None and reached not in {zone, *ARROWS[zone]} and (name, reached) != DOOR:
            found.append(
                f"{name}:{line} imports {target}; {zone} may import {sorted(ARROWS[zone]) or 'nothing of ours'}"
            )
    return found


def test_imports_run_one_way() -> None:
    assert set(ARROWS) <= set(SOURCES)
    wrong = [
        line
        for name, path in SOURCES.items()
        for line in wrong_arrows(path.read_text(encoding="utf-8"), name, is_package=path.name == "__init__.py")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("model.checker.engines", "from ..protocol import platform"),
        ("model.checker.engines", "from onceproof.model import protocol"),
        ("model.protocol.queue", "def late():\n    import onceproof.model.checker.engines"),
        ("model.language.run", "from onceproof.model.protocol.queue import Queue"),
        ("model.language.run", "import onceproof.conformance"),
        ("implementation.queue", "import importlib\nimportlib.import_module('onceproof.model.language')"),
        ("conformance.replay", "from onceproof.reports.tables import table"),
        ("conformance.replay", "import onceproof.implementation.clock"),
        ("conformance.replay", "from onceproof.conformance.reference import core_driver"),
    ],
)
def test_import_check_catches_wrong_imports(name: str, source: str) -> None:
    assert len(wrong_arrows(source, f"onceproof.{name}")) == 1


@pytest.mark.parametrize(
    ("name", "source", "is_package"),
    [
        ("model.checker.explore", "from ..language import Model\nfrom .trace import Trace\nimport modelling", False),
        ("model.checker", "from .explore import explore", True),
        ("conformance.replay", "from onceproof.model import protocol", False),
        ("conformance.drivers", "from onceproof.conformance.reference import core_driver", False),
        ("conformance.reference.core_driver", "import onceproof.implementation.queue", False),
    ],
)
def test_import_check_accepts_right_imports(name: str, source: str, is_package: bool) -> None:
    assert wrong_arrows(source, f"onceproof.{name}", is_package=is_package) == []


def ours_imported(source: str, name: str, *, is_package: bool) -> set[str]:
    """Return the modules of ours that a module imports, late ones and those for the type checker included."""
    found = set()
    for _, target in imported_names(source, name, is_package=is_package):
        parts = target.split(".")
        heads = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        found.add(next((head for head in heads if head in SOURCES), name))
    return found - {name}


def import_circle(sources: dict[str, Path]) -> list[str]:
    """Return the modules of a circle of imports, the first of them again at its end; none where there is no circle."""
    graph = {
        name: ours_imported(path.read_text(encoding="utf-8"), name, is_package=path.name == "__init__.py")
        for name, path in sources.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_imports_run_in_a_circle() -> None:
    """Not even late imports: of two modules that need each other, neither can be read, tested or changed alone."""
    assert import_circle(SOURCES) == []


def test_circle_of_late_imports_is_found(tmp_path: Path) -> None:
    late = tmp_path / "errors.py"
    late.write_text("def late():\n    from onceproof.model.language.sorts import Sort\n", encoding="utf-8")
    circle = import_circle({**SOURCES, "onceproof.model.language.errors": late})
    assert {"onceproof.model.language.errors", "onceproof.model.language.sorts"} <= set(circle)


def test_no_test_is_imported() -> None:
    """What tests share is in a helper module: a test file can be moved, renamed or run alone."""
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {target}"
        for folder in ("tests", "bench")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, target in imported_names(path.read_text(encoding="utf-8"), folder, is_package=False)
        if re.match(r"tests\.(\w+\.)*(test_\w+|conftest)\.", target)
    ]
    assert found == []


def test_every_module_of_model_lies_in_a_zone() -> None:
    """A folder beside model/language and the others would escape the arrows."""
    assert [name for name in SOURCES if zone_of(name) == "onceproof.model" and name != "onceproof.model"] == []


# What is below the command line returns values and raises errors: it can be called from Python as well.
COMMAND_LINE = ("onceproof.commands", "onceproof.main", "onceproof.__main__")
PRINTS = {"print", "sys.stdout.write", "sys.stderr.write", "sys.exit", "exit", "quit"}


def command_line_habits(source: str) -> list[str]:
    """Return a line for each print, exit, use of click and of exit statuses; a ``main`` for ``python -m`` may do it."""
    tree = ast.parse(source)
    mains = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    free = {id(inner) for main in mains for inner in ast.walk(main)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in free and ast.unparse(node.func) in PRINTS:
            found.append(f"{node.lineno} calls {ast.unparse(node.func)}")
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "click" for alias in node.names):
            found.append(f"{node.lineno} imports click")
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if (node.module or "").split(".")[0] == "click" or (node.module == "onceproof.errors" and "Exit" in names):
                found.append(f"{node.lineno} imports {', '.join(sorted(names))} from {node.module}")
    return found


def test_only_the_command_line_prints_and_knows_exit_statuses() -> None:
    found = [
        f"{name}:{habit}"
        for name, path in SOURCES.items()
        if not name.startswith(COMMAND_LINE)
        for habit in command_line_habits(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "def loud():\n    print(1)",
        "import sys\nsys.exit(1)",
        "def late():\n    import click",
        "from click.testing import CliRunner",
        "from onceproof.errors import Exit",
    ],
)
def test_the_command_line_test_catches(source: str) -> None:
    assert len(command_line_habits(source)) == 1


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(owner: ast.Module | ast.ClassDef) -> dict[str, Function]:
    """Return the public functions of a module or class by name, without overloads and setters."""
    return {
        node.name: node
        for node in owner.body
        if isinstance(node, Function) and not node.name.startswith("_")
        if not any(re.search(r"overload$|\.setter$", ast.unparse(mark)) for mark in node.decorator_list)
    }


def base_names(owner: ast.ClassDef) -> list[str]:
    """Return the bare names of the bases: ``Kind`` for ``sorts.Kind[int]``."""
    return [ast.unparse(base).split("[")[0].split(".")[-1] for base in owner.bases]


def inherits_meaning(owner: ast.ClassDef, method: str, classes: dict[str, list[ast.ClassDef]]) -> bool:
    """Tell whether a base class of ours says what the method means: an override that keeps it need not repeat it."""
    return any(
        (method in functions_of(base) and bool(ast.get_docstring(functions_of(base)[method])))
        or inherits_meaning(base, method, {word: these for word, these in classes.items() if word != name})
        for name in base_names(owner)
        for base in classes.get(name, [])
    )


def silent_functions(sources: dict[str, str]) -> list[str]:
    """Return the public functions and methods, of the given modules, that neither say nor inherit what they mean."""
    trees = {name: ast.parse(source) for name, source in sources.items()}
    owners = [(name, node) for name, tree in trees.items() for node in tree.body if isinstance(node, ast.ClassDef)]
    classes: dict[str, list[ast.ClassDef]] = {}
    for _, owner in owners:
        classes.setdefault(owner.name, []).append(owner)
    silent = [
        f"{name}:{function.lineno} {owner.name}.{method}"
        for name, owner in owners
        if not owner.name.startswith("_")
        for method, function in functions_of(owner).items()
        if not ast.get_docstring(function) and not inherits_meaning(owner, method, classes)
    ]
    for name, tree in trees.items():
        bare = [
            (function.lineno, word) for word, function in functions_of(tree).items() if not ast.get_docstring(function)
        ]
        silent += [f"{name}:{line} {word}" for line, word in bare]
    return silent


def test_public_functions_say_what_they_mean() -> None:
    # A driver's methods are called as the model's actions and fields are, and mean the same.
    meant = {name: path for name, path in SOURCES.items() if ".examples." not in name}
    silent = silent_functions({name: path.read_text(encoding="utf-8") for name, path in meant.items()})
    assert not silent, "\n".join(silent)


def test_docstring_check_catches_silent_functions() -> None:
    source = """
        class Base:
            def spoken(self):
                "Say it."
            def silent(self): ...
        class Derived(Base):
            def spoken(self): ...
            def other(self): ...
            def _private(self): ...
        def loose(): ...
    """
    found = silent_functions({"m": textwrap.dedent(source)})
    assert [line.split()[1] for line in found] == ["Base.silent", "Derived.other", "loose"]


def test_files_are_short_enough_to_read() -> None:
    lengths = {path: path.read_bytes().count(b"\n") for path in tree_files() if path.suffix == ".py"}
    assert [f"{path.relative_to(ROOT)}: {lines}" for path, lines in lengths.items() if lines > LINES_MAX] == []


def test_no_file_names_a_machine() -> None:
    """Paths of one machine and hosts of package indexes are of no use anywhere else."""
    foreign = re.compile(rb"(?<![\w.~-])/(?:work|home|Users|root)/\w|\bpypi\.org|\bpythonhosted\.")
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in tree_files()
        for match in foreign.finditer(path.read_bytes())
    ]
    assert found == []


def fresh_python(code: str, *arguments: str) -> str:
    """Run code in an interpreter that has imported nothing of ours, and return what it prints."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class AtImport(ast.NodeTransformer):
    """Leaves of a module what runs when it is imported."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Pass:
        """Drop what runs when it is called."""
        return ast.Pass()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_If(self, node: ast.If) -> ast.stmt:
        """Drop what is for type checkers alone."""
        return ast.Pass() if ast.unparse(node.test) == "TYPE_CHECKING" else node


def modules_in_circles() -> list[str]:
    """Return the modules that import each other in a circle, most of them through the package they belong to."""
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    for name, path in SOURCES.items():
        graph.add_edges_from((name, parent) for parent in SOURCES if name.startswith(f"{parent}."))
        at_import = ast.unparse(AtImport().visit(ast.parse(path.read_text(encoding="utf-8"))))
        for _, target in imported_names(at_import, name, is_package=path.name == "__init__.py"):
            graph.add_edges_from((name, found) for found in (target, target.rpartition(".")[0]) if found in SOURCES)
    return sorted(
        name for circle in networkx.strongly_connected_components(graph) if len(circle) > 1 for name in circle
    )


def test_each_module_imports_alone() -> None:
    """A module that works only after another was imported is a circle that nobody has seen yet."""
    # A module that is in no circle imports alone if those that it imports do: only the others need to be tried. A fork
    # for each: as alone as in an interpreter of its own, without the cost of starting one.
    code = """
        import importlib, os, sys, traceback
        failed = []
        for name in sys.argv[1:]:
            child = os.fork()
            if child == 0:
                try:
                    importlib.import_module(name)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                failed.append(name)
        sys.exit(f"do not import alone: {failed}" if failed else 0)
    """
    names = modules_in_circles()
    assert {"onceproof.model.language", "onceproof.model.language.state"} <= set(names) < set(SOURCES)
    fresh_python(code, *names)


def test_all_modules_import_together() -> None:
    fresh_python("import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]", *SOURCES)


@pytest.mark.parametrize("folder", ["model", "implementation", "conformance"])
def test_no_module_can_be_imported_under_two_names(folder: str) -> None:
    """From the root of a checkout the folder would be a package of its own: it says what its name is."""
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        try:
            import {folder}
        except ImportError as error:
            print(error)
    """
    assert fresh_python(code).strip() == f"this package is imported as `onceproof.{folder}`"


def test_command_line_starts_without_heavy_libraries() -> None:
    loaded = json.loads(fresh_python("import json, sys, onceproof.main; print(json.dumps(list(sys.modules)))"))
    assert sorted(HEAVY & set(loaded)) == []


def test_requirements_pin_all_that_the_project_declares() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9-]+(\[\w+\])?==[\w.]+", line)] == []
    pinned = {re.split(r"[=\[]", line)[0].lower() for line in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    assert {re.split(r"[><=\[]", line)[0].lower() for line in declared} - pinned == set()


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/demo", "scripts/test", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
