"""The house: what importing costs, which way imports run, and what the texts promise about the code."""

import ast
import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import pgtheory

ROOT = Path(__file__).parent.parent
FLOORS = ("tabular", "deep", "proofs", "pgtheory")
"""From the lowest to the highest: a floor imports from itself and from those before it."""

MAY_IMPORT = {
    "numpy": FLOORS,
    "scipy": FLOORS,
    "jaxtyping": FLOORS,
    "sympy": ("tabular", "proofs"),
    "flint": ("tabular", "proofs"),
    "gymnasium": ("tabular", "deep"),
    "numba": ("tabular",),
    "torch": ("deep",),
    "jax": ("deep",),
    "matplotlib": ("pgtheory",),
    "typer": ("pgtheory",),
    "rich": ("pgtheory",),
    "pytest": ("pgtheory",),
    "hypothesis": ("pgtheory",),
    "dask": ("pgtheory",),
    "distributed": ("pgtheory",),
}
"""Distribution -> the floors that may import it, anywhere in a file. A new dependency is a new line here."""

AT_THE_TOP = {"tabular": {"numpy", "scipy", "jaxtyping"}}
"""What a floor may import at the top of a file, where that is less; other imports stand inside the function that needs them."""

EXEMPT = ("tabular/exact/",)
"""Folders that load only on demand and exist for one of the optional distributions."""

DOCTEST_OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def sources(*folders: str) -> list[Path]:
    """The Python files of some folders, each once: the links under pgtheory/ are not followed."""
    found = (Path(top) / name for folder in folders for top, _, names in os.walk(ROOT / folder) for name in names)
    return sorted(path for path in found if path.suffix == ".py")


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python(code: str, *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, timeout=60)


# What importing costs


def test_importing_pgtheory_costs_at_most_150_ms():
    """Minimum over several runs of each: the minimum is what the import needs, the rest is what else the machine did."""

    def seconds(code: str) -> float:
        start = time.perf_counter()
        assert python(code).returncode == 0
        return time.perf_counter() - start

    runs = [(seconds("pass"), seconds("import pgtheory")) for _ in range(7)]
    bare, loaded = (min(column) for column in zip(*runs, strict=True))

    assert loaded - bare <= 0.15


@pytest.mark.parametrize("module", ["pgtheory", "pgtheory.tabular", "pgtheory.deep", "pgtheory.proofs", "pgtheory.pytest_plugin"])
def test_importing_a_floor_loads_no_large_library(module):
    code = f"import {module}, sys; print(*{{'numpy', 'torch', 'jax', 'sympy', 'scipy', 'matplotlib'}} & set(sys.modules))"

    result = python(code)

    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


# The public names


@pytest.mark.parametrize("name", pgtheory.__all__)
def test_public_name_resolves(name):
    module, _, attribute = pgtheory._HOME[name].partition(":")
    home = importlib.import_module(module)

    assert getattr(pgtheory, name) is (getattr(home, attribute) if attribute else home)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'MPD'"):
        _ = pgtheory.MPD  # pyright: ignore[reportAttributeAccessIssue]


def test_dir_lists_the_public_names_without_loading_them():
    code = "import pgtheory, sys; assert set(pgtheory.__all__) <= set(dir(pgtheory)); assert 'numpy' not in sys.modules"

    result = python(code)

    assert result.returncode == 0, result.stderr


def test_type_checkers_see_the_same_names_as_the_interpreter():
    """`__all__`, the table and the imports for type checkers are three lists of the same names in the same places."""
    tree = ast.parse((ROOT / "pgtheory/__init__.py").read_text(encoding="utf8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {}
    for node in guarded.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            is_module = f"{node.module}.{alias.name}" == pgtheory._HOME[alias.asname or alias.name]
            seen[alias.asname or alias.name] = f"{node.module}{'.' if is_module else ':'}{alias.name}"

    assert seen == pgtheory._HOME
    assert pgtheory.__all__ == list(pgtheory._HOME)


def test_no_public_function_has_the_name_of_a_module():
    """Importing the module `pgtheory.check` would replace the function `pgtheory.check`."""
    modules = {module.name for module in pkgutil.iter_modules(pgtheory.__path__)}

    assert not modules & {name for name, home in pgtheory._HOME.items() if ":" in home}


# One import name


@pytest.mark.parametrize("layer", FLOORS[:3])
def test_bare_name_of_a_layer_is_refused(layer):
    result = python(f"import {layer}")

    assert result.returncode == 1
    assert f"ImportError: this package is imported as pgtheory.{layer}, not as {layer}" in result.stderr


@pytest.mark.parametrize("layer", FLOORS[:3])
def test_link_under_pgtheory_leads_to_the_layer(layer):
    link = ROOT / "pgtheory" / layer
    if link.is_file():
        pytest.skip("this clone was made without symbolic links")

    assert link.readlink() == Path("..") / layer


@pytest.mark.parametrize("floor", FLOORS)
def test_every_folder_with_code_is_a_package(floor):
    """setuptools leaves a folder without `__init__.py` out of the wheel."""
    folders = {path.parent for path in sources(floor)}

    assert [short(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
    assert (ROOT / floor / "py.typed").exists()


# Imports run downwards only


def imported(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Absolute names of the modules that a file imports, with the statement; `from pgtheory import x` counts as pgtheory.x."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from ((alias.name, node) for alias in node.names)
            case ast.ImportFrom(level=0, module="pgtheory"):
                yield from ((f"pgtheory.{alias.name}", node) for alias in node.names)
            case ast.ImportFrom():
                yield "." * node.level + (node.module or ""), node
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name, node


def violations(name: str, text: str) -> list[str]:
    """What a file of the house imports against the rules; `name` is its path from the root."""
    floor, tree = name.split("/")[0], ast.parse(text)
    wrong = []
    for module, node in imported(tree):
        top, *rest = module.split(".")
        if top == "pgtheory":
            target = rest[0] if rest and rest[0] in FLOORS[:3] else "pgtheory"
            bad = FLOORS.index(target) > FLOORS.index(floor)
        elif top in sys.stdlib_module_names:
            bad = False
        else:
            here = AT_THE_TOP.get(floor) if node in tree.body and not name.startswith(EXEMPT) else None
            bad = floor not in MAY_IMPORT.get(top, ()) or (here is not None and top not in here)
        if bad:
            wrong.append(f"{name} imports {module}")
    return wrong


@pytest.mark.parametrize("path", sources(*FLOORS), ids=short)
def test_imports_run_downwards(path):
    assert violations(short(path), path.read_text(encoding="utf8")) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("tabular/a.py", "import torch"),
        ("tabular/a.py", "def f():\n    import torch.nn"),
        ("tabular/a.py", "import sympy"),
        ("tabular/a.py", "from pgtheory import MDP"),
        ("tabular/a.py", "from pgtheory.deep.adapt import from_loss"),
        ("tabular/a.py", "from . import data"),
        ("tabular/a.py", "import_module('pgtheory.proofs')"),
        ("deep/a.py", "import pgtheory"),
        ("deep/a.py", "from pgtheory.proofs import claim"),
        ("proofs/a.py", "from pgtheory.checking import check"),
        ("pgtheory/a.py", "def f():\n    import torch"),
        ("pgtheory/a.py", "import importlib\nimportlib.import_module('torch')"),
        ("pgtheory/a.py", "import tabular"),
        ("pgtheory/a.py", "import pandas"),
    ],
)
def test_import_against_the_rules_is_found(name, line):
    assert len(violations(name, line)) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("tabular/a.py", "import numpy as np\nimport scipy.sparse as sp\nfrom pgtheory.tabular.data import Data\nfrom pgtheory import tabular"),
        ("tabular/a.py", "def f():\n    import sympy"),
        ("tabular/exact/a.py", "import sympy, flint"),
        ("deep/a.py", "import torch\nfrom pgtheory.tabular.data import Data"),
        ("pgtheory/a.py", "import pgtheory\nimport typer\nfrom pgtheory.deep.adapt import from_loss"),
    ],
)
def test_import_within_the_rules_is_accepted(name, line):
    assert violations(name, line) == []


# Files


@pytest.mark.parametrize("path", sources(*FLOORS, "tests"), ids=short)
def test_file_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf8").splitlines()) <= 400


MODULES = sorted(m.name for m in pkgutil.walk_packages(pgtheory.__path__, "pgtheory.", onerror=lambda name: None) if not m.name.endswith("__main__"))


def test_walk_reaches_every_file():
    """The doctests below cover every module: none is hidden behind a package that fails to load."""
    names = (short(path.with_suffix("")).split("/") for path in sources(*FLOORS))
    expected = {".".join(["pgtheory", *parts] if parts[0] != "pgtheory" else parts).removesuffix(".__init__") for parts in names}

    assert {name for name in expected if not name.endswith("__main__")} == {"pgtheory", *MODULES}


@pytest.mark.parametrize("name", ["pgtheory", *MODULES])
def test_examples_in_docstrings(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=DOCTEST_OPTIONS)

    assert failed == 0, "see the captured output"


# Texts


def test_examples_on_the_page_of_variance():
    failed, tried = doctest.testfile(str(ROOT / "docs/variance.md"), module_relative=False, optionflags=DOCTEST_OPTIONS)

    assert tried > 30
    assert failed == 0, "see the captured output"


@pytest.mark.parametrize("name", ["solve", "rate", "sweep", "papers", "verify", "reproduce", "check"])
def test_readme_shows_every_command_with_options_that_exist(name):
    from typer.testing import CliRunner

    from pgtheory.cli import app

    shown = re.findall(rf"^pgtheory {name} ?([^#\n]*)", (ROOT / "README.md").read_text(encoding="utf8"), flags=re.MULTILINE)
    text = CliRunner().invoke(app, [name, "--help"]).output

    assert shown
    assert [option for line in shown for option in re.findall(r"--[a-z-]+", line) if option not in text] == []


def command(name: str) -> str:
    """A command of the README, read in another way than .ci/run does."""
    text = (ROOT / "README.md").read_text(encoding="utf8")
    block = re.search(rf"^<!-- command: {name} -->\n```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert block is not None, f"README.md has no code block after <!-- command: {name} -->"
    return block[1]


@pytest.mark.skipif(os.name == "nt", reason="CI is a bash script")
@pytest.mark.parametrize("name", ["check", "test"])
def test_ci_runs_the_command_of_the_readme(name):
    result = subprocess.run(["bash", ".ci/run", "--show", name], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert result.returncode == 0, result.stderr
    assert result.stdout == command(name)


def test_readme_has_two_commands_and_they_install_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]["optional-dependencies"]
    text = (ROOT / "README.md").read_text(encoding="utf8")

    assert re.findall(r"^<!-- command: (\w+) -->$", text, flags=re.MULTILINE) == ["check", "test"]
    for name in ("check", "test"):
        asked = re.findall(r"-e '\.\[([\w,]+)\]'", command(name))
        assert len(asked) == 1
        assert set(asked[0].split(",")) <= set(extras)


def test_version_stands_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))

    assert re.fullmatch(r"\d+\.\d+\.\d+", pgtheory.__version__)
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "pgtheory.__version__"}


CONVENTIONS = (ROOT / "docs/conventions.md").read_text(encoding="utf8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(pgtheory[\w.]*:[\w.]+)`", CONVENTIONS))))
def test_name_on_the_page_of_conventions_exists(name):
    module, attributes = name.split(":")
    found = importlib.import_module(module)
    for attribute in attributes.split("."):
        found = found.__annotations__[attribute] if attribute in getattr(found, "__dataclass_fields__", {}) else getattr(found, attribute)


def test_fall_backs_of_roles_are_those_on_the_page_of_conventions():
    from pgtheory.tabular.scene import FALL_BACK

    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (?:`(\w+)`|an error)[^|]*\|$", CONVENTIONS, flags=re.MULTILINE)

    assert {role: other for role, other in rows if other} == FALL_BACK
    assert [role for role, other in rows if not other] == ["current", "ref"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/conventions.md", "docs/variance.md"])
def test_links_lead_to_files_that_exist(name):
    text = (ROOT / name).read_text(encoding="utf8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(r'src="(?!https?:)([^"]+)"', text)

    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_changelog_fragments_have_a_kind():
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["tool"]["towncrier"]["type"]
    kinds = "|".join(table["directory"] for table in tables)
    names = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]

    assert [name for name in names if not re.fullmatch(rf"\+[a-z0-9-]+\.({kinds})\.md", name)] == []
