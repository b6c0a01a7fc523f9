"""Finding the user's function."""

import functools
import sys

import pytest

from pgtheory.functions.load import load_target, name_of
from pgtheory.tabular.errors import MissingExtra, MissingFile, UserFunctionError


def test_a_function_of_a_file(losses):
    function, name, description = load_target(f"{losses}/advantages.py:batch_mean")
    assert (name, description) == ("batch_mean", f"{losses}/advantages.py:batch_mean")
    assert function.__doc__.startswith("Couples")


def test_a_method_of_a_class(losses):
    function, name, _ = load_target(f"{losses}/trl_names.py:Trainer.compute_loss")
    assert callable(function)
    assert name == "compute_loss"


def test_a_file_without_a_function_is_asked_for_one(losses):
    with pytest.raises(MissingFile, match=r"advantages\.py:FUNCTION"):
        load_target(f"{losses}/advantages.py")


def test_a_module_of_a_package():
    assert load_target("pgtheory.functions.load:load_target")[0] is load_target


def test_a_callable_is_taken_as_it_is():
    partial = functools.partial(functools.partial(sorted), key=len)
    assert load_target(partial) == (partial, "sorted", "sorted")


def test_an_instance_has_the_name_of_its_class():
    class Loss:
        def __call__(self, rewards):
            return rewards

    assert name_of(Loss()) == "Loss"


def test_a_missing_file():
    with pytest.raises(MissingFile, match=r"no file 'nowhere\.py'"):
        load_target("nowhere.py:f")


def test_a_missing_function_is_met_with_those_that_are_there(losses):
    with pytest.raises(MissingFile, match=r"no function 'leave_one_aut'.*Did you mean 'leave_one_out'.*standardised"):
        load_target(f"{losses}/advantages.py:leave_one_aut")


def test_something_that_is_no_function(losses):
    with pytest.raises(MissingFile, match="not a function"):
        load_target("pgtheory.functions.names:MEANINGS")


def test_a_name_without_a_place():
    with pytest.raises(MissingFile, match=r"file\.py:function"):
        load_target("gropo")


def test_a_missing_module():
    with pytest.raises(MissingFile, match="no module 'a_package_of_nobody"):
        load_target("a_package_of_nobody.losses:f")


def test_an_import_that_fails_shows_the_users_line(losses):
    with pytest.raises(UserFunctionError, match="a_module_that_nobody_has") as caught:
        load_target(f"{losses}/imports_what_is_missing.py:advantages")
    assert 'imports_what_is_missing.py", line 3' in str(caught.value)
    assert "importlib" not in str(caught.value)


def test_a_syntax_error_names_its_line(tmp_path):
    (tmp_path / "wrong.py").write_text("def f(rewards):\n    return rewards +\n")
    with pytest.raises(UserFunctionError, match=r"SyntaxError.*line 2: return rewards \+"):
        load_target(f"{tmp_path}/wrong.py:f")


def test_a_missing_framework_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "loss.py").write_text("import torch\n\n\ndef f(rewards):\n    return rewards\n")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"pgtheory\[deep\]"):
        load_target(f"{tmp_path}/loss.py:f")


def test_neighbours_of_the_file_can_be_imported_when_the_function_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "neighbour_of_a_loss.py").write_text("SCALE = 2\n")
    (tmp_path / "late.py").write_text("def f(rewards):\n    import neighbour_of_a_loss\n    return rewards * neighbour_of_a_loss.SCALE\n")
    assert load_target(f"{tmp_path}/late.py:f")[0](3) == 6
