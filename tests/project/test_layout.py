"""The house keeps its order: imports point down, modules stay small, names are nouns."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.project.repository import ROOT, read, tracked_modules

MODULE_LINES = 400  # beyond it: a package with the same name and the same public names
FUNCTION_LINES = 40  # without docstring and decorators
BANNED_NAMES = {"utils", "helpers", "common", "misc", "manager", "handler", "service", "core"}

INSIDE = {"pydantic_core"}  # pinned by pydantic to the one version that fits


def test_imports_obey_the_contracts():
    linter = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_are_small():
    lines = {str(module): read(module).count("\n") for module in tracked_modules()}

    too_long = {module: count for module, count in lines.items() if count > MODULE_LINES}

    assert lines
    assert too_long == {}


def test_functions_are_small():
    lines = {
        f"{module}: {function.name}": length(function)
        for module in tracked_modules()
        for function in functions(ast.parse(read(module)))
    }

    too_long = {function: count for function, count in lines.items() if count > FUNCTION_LINES}

    assert lines
    assert too_long == {}


def test_modules_are_named_after_what_they_own():
    modules = tracked_modules()

    drawers = [path for path in modules if BANNED_NAMES & {path.stem, *path.parent.parts}]
    bases = [path for path in modules if path.stem == "base"]

    assert drawers == []
    assert bases == [Path("oidc_server/domain/base.py")]


def test_every_package_that_is_imported_is_a_declared_dependency():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    providers = packages_distributions()

    imported = {
        name
        for module in tracked_modules()
        for name in imported_names(ast.parse(read(module)))
        if name != "oidc_server" and name not in sys.stdlib_module_names
    }
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["otel"], *extras["sentry"]]
    declared = {re.split(r"[^\w.-]", line)[0].lower() for line in lines}

    assert {name for name in imported if not declared & normalized(providers[name])} <= INSIDE


def imported_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]


def normalized(distributions):
    return {name.lower().replace("_", "-") for name in distributions}


def functions(tree):
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def length(function):
    described = ast.get_docstring(function, clean=False) is not None
    docstring = function.body[0].end_lineno - function.body[0].lineno + 1 if described else 0
    return function.end_lineno - function.lineno + 1 - docstring
