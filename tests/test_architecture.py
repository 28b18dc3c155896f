"""The house stays in order: what import-linter cannot see."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(path for path in (ROOT / "chatapp").rglob("*.py") if "standin" not in path.relative_to(ROOT).parts)
STATES = [path for path in CODE if path.name in {"state.py", "live.py", "gate.py"}]
SYSTEM_MAY_BE_USED_IN = {
    "accounts/actions.py",
    "accounts/attempts.py",
    "accounts/links.py",
    "accounts/queries.py",
    "messages/queries.py",
    "receipts/actions.py",
    "receipts/queries.py",
    "rooms/queries.py",
    "threads/queries.py",
    "presence/actions.py",
    "demo.py",
    "db.py",
    "actor.py",
}
STANDIN = sorted((ROOT / "chatapp" / "standin").rglob("*.py"))
STANDIN_MAY_BE_KNOWN_IN = {"launcher.py", "project.py"}
ENVIRONMENT_MAY_BE_READ_IN = {"settings.py", "__main__.py", "preflight.py", "serve.py"}
MOST_VARS = 10
MOST_LINES = 400


def name_of(path: Path) -> str:
    return path.relative_to(ROOT / "chatapp").as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def states() -> list[tuple[str, ast.ClassDef]]:
    classes = [(path, node) for path in CODE for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]
    return [
        (f"{name_of(path)}:{node.name}", node)
        for path, node in classes
        if any(ast.unparse(base).endswith("State") for base in node.bases)
    ]


def decorators(function: ast.AST) -> set[str]:
    return {ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in getattr(function, "decorator_list", [])}


def test_there_are_states_to_look_at() -> None:
    assert len(states()) >= 8


@pytest.mark.parametrize(("name", "state"), states())
def test_every_public_method_of_a_state_is_a_declared_handler(name: str, state: ast.ClassDef) -> None:
    # Reflex lets anyone call any public method of a state; only @handler puts it behind the gate.
    open_methods = [
        method.name
        for method in state.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        and not method.name.startswith("_")
        and not decorators(method) & {"handler", "rx.var"}
    ]
    assert open_methods == []


@pytest.mark.parametrize(("name", "state"), states())
def test_a_state_has_few_vars(name: str, state: ast.ClassDef) -> None:
    assert sum(isinstance(node, ast.AnnAssign) for node in state.body) <= MOST_VARS


@pytest.mark.parametrize(("name", "state"), states())
def test_handlers_type_every_argument(name: str, state: ast.ClassDef) -> None:
    # The gate validates what is declared; an argument without a type would pass anything.
    for method in state.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and "handler" in decorators(method):
            arguments = [*method.args.args[1:], *method.args.kwonlyargs]
            assert all(argument.annotation for argument in arguments), method.name
            assert (method.args.vararg, method.args.kwarg) == (None, None), method.name


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_events_are_declared_through_the_gate(path: Path) -> None:
    functions = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert not any("rx.event" in decorators(function) for function in functions)


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_only_named_places_act_as_the_process_itself(path: Path) -> None:
    uses = any(isinstance(node, ast.Name) and node.id == "SYSTEM" for node in ast.walk(tree_of(path)))
    assert not uses or name_of(path) in SYSTEM_MAY_BE_USED_IN


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_only_settings_reads_the_environment(path: Path) -> None:
    reads = {"os.environ", "os.getenv", "environ"} & {
        ast.unparse(node) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute | ast.Name)
    }
    assert not reads or name_of(path) in ENVIRONMENT_MAY_BE_READ_IN


def imported(path: Path) -> set[str]:
    """The modules of ours that a file names in imports."""
    nodes = list(ast.walk(tree_of(path)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    names |= {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
    return {name for name in names if name.split(".")[0] == "chatapp"}


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_nothing_knows_of_the_stand_in_but_the_root(path: Path) -> None:
    knows = any(name.startswith("chatapp.standin") for name in imported(path))
    assert not knows or name_of(path) in STANDIN_MAY_BE_KNOWN_IN


@pytest.mark.parametrize("path", STANDIN, ids=name_of)
def test_the_stand_in_can_be_lifted_out(path: Path) -> None:
    assert all(name.startswith("chatapp.standin") for name in imported(path))


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", [*(ROOT / "alembic").glob("*.py")], ids=lambda path: path.name)
def test_alembic_does_not_shadow_the_package(path: Path) -> None:
    assert path.name != "__init__.py"


REFINED = {".text", ".edit"}
"""One and the same thing in both files: what a message says, and the box it is edited in."""


def test_a_class_of_the_styles_means_one_thing() -> None:
    # All files are bundled into one: a name that two of them give to different things dresses both as both.
    files: dict[str, set[str]] = {}
    for path in (ROOT / "assets" / "styles").glob("*.css"):
        css = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for selectors in re.findall(r"^([^\s@}][^{}]*)\{", css, flags=re.MULTILINE):
            for name in selectors.split(","):
                if re.fullmatch(r"\.[\w-]+", name.strip()):
                    files.setdefault(name.strip(), set()).add(path.name)
    assert len(files) > 100
    assert {name: where for name, where in files.items() if len(where) > 1 and name not in REFINED} == {}
