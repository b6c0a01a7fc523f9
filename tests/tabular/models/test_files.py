"""Files: what is written is read back bit by bit; what is damaged is named."""

import json
import os
import stat

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, MissingFile
from pgtheory.tabular.models import files
from pgtheory.tabular.models.files import NAMES, load, save
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.models.problems import problem

P = np.array([[[0.1, 0.2], [0.3, 0.7]], [[1 / 3, 1 / 3], [0.0, 0.0]]])
SPARSE = sp.csr_array(P.reshape(4, 2))
REWARD = sp.csr_array((np.arange(1.0, 1 + SPARSE.nnz), SPARSE.indices, SPARSE.indptr), shape=(4, 2))
MODELS = {
    "dense": MDP(P=P, r=np.full((2, 2), np.pi), mu=[0.1, 0.9], gamma=0.99),
    "horizon": problem("loop"),
    "transition": MDP(P=P, r=P * 7, r_end=np.full((2, 2), 1 / 3), mu=[1.0, 0.0]),
    "sparse": MDP(P=SPARSE, r=REWARD, r2=REWARD * REWARD * 2, r_end=np.ones((2, 2)), r2_end=np.full((2, 2), 3.0), mu=[1.0, 0.0]),
    "outcomes": MDP(P=P, mu=[1.0, 0.0], outcomes=Outcomes(values=np.array([0.0, 1.0]), chance=np.full((2, 2, 2), 0.5))),
}


def parts(value: object) -> list:
    """A field as nested lists, every number with all of its digits."""
    if sp.issparse(value):
        return [value.data.tolist(), value.indices.tolist(), value.indptr.tolist(), list(value.shape)]
    if isinstance(value, Outcomes):
        return [value.values.tolist(), value.chance.tolist()]
    return value.tolist() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("name", MODELS)
def test_round_trip_is_exact(tmp_path, name, suffix):
    path = tmp_path / f"model{suffix}"

    save(path, MODELS[name])
    found = load(path)

    for field in NAMES:
        assert parts(getattr(found, field)) == parts(getattr(MODELS[name], field)), field


def test_model_behind_a_description_is_saved(tmp_path):
    save(tmp_path / "bandit.json", problem("bandit/K=3"))

    assert load(tmp_path / "bandit.json").A == 3


def test_json_by_hand(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"P": [[[0.5]]], "r": [[1]], "mu": [1], "gamma": 0.9, "horizon": null}')

    assert load(path).gamma == 0.9


@pytest.mark.parametrize("name", ["model.npz", "model.json"])
def test_missing_file(tmp_path, name):
    with pytest.raises(MissingFile, match=f"there is no file .*{name}"):
        load(tmp_path / name)


@pytest.mark.parametrize("field", ["P", "mu", "r"])
@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_missing_array_is_named(tmp_path, field, suffix):
    path = tmp_path / f"model{suffix}"
    content = {name: value for name, value in {"P": P, "r": P[..., 0], "mu": np.array([0.5, 0.5])}.items() if name != field}
    if suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_text(json.dumps({name: value.tolist() for name, value in content.items()}))

    with pytest.raises(MissingFile, match=f"has no array {field}"):
        load(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"P": [[[0.5]]], "r": [[1]], "mu": [1], "discount": 0.9}', "unknown field 'discount'.*Fields are: P, mu, r, gamma, horizon"),
        ('{"P": [[[0.5]]], "r": [[1]], "mu": [1]', "cannot be read as .json"),
        ("[]", "holds a list"),
        ('{"P": [[[1.5]]], "r": [[1]], "mu": [1]}', r"P\[0, 0\] sums to 1.5"),
        ('{"P": [[[0.5]]], "r": [[NaN]], "mu": [1]}', r"r\[0, 0\] is nan"),
        ('{"P": {"data": [0.5]}, "r": [[1]], "mu": [1]}', "P has the parts data, expected data, indices, indptr, shape"),
        ('{"P": {"data": [0.5], "indices": [3], "indptr": [0, 1], "shape": [1, 1]}, "r": [[1]], "mu": [1]}', "P is no sparse matrix in CSR form"),
        ('{"P": [[[0.5]]], "outcomes": {"values": [1]}, "mu": [1]}', "outcomes has the parts values, expected values, chance"),
    ],
)
def test_json_that_is_no_model(tmp_path, text, message):
    path = tmp_path / "model.json"
    path.write_text(text)

    with pytest.raises(InvalidModel, match=message):
        load(path)


def test_npz_that_is_none(tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(b"not a zip archive")

    with pytest.raises(InvalidModel, match="cannot be read as .npz.*Write it again") as caught:
        load(path)
    assert "allow_pickle" not in str(caught.value)  # numpy advises to load it unsafely


def test_npz_with_pickled_objects_is_refused(tmp_path):
    """Loading a file never runs code."""
    path = tmp_path / "model.npz"
    np.savez(path, P=np.array([{"a": 1}], dtype=object), allow_pickle=True)

    with pytest.raises(InvalidModel, match="cannot be read as .npz"):
        load(path)


def test_npz_with_two_forms_of_one_field(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, **{"P": P, "P.data": P})

    with pytest.raises(InvalidModel, match="has both P and P.data"):
        load(path)


@pytest.mark.parametrize("call", [lambda path: load(path), lambda path: save(path, MODELS["dense"])], ids=["load", "save"])
def test_other_ending(tmp_path, call):
    with pytest.raises(InvalidArgument, match=r"ends in '.csv'. A model is stored in a file that ends in .npz or .json"):
        call(tmp_path / "model.csv")


def test_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    save(path, MODELS["dense"])
    before = path.read_bytes()

    def torn(handle, **arrays):
        handle.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(files.np, "savez_compressed", torn)
    with pytest.raises(OSError, match="disk full"):
        save(path, MODELS["horizon"])

    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_file_has_the_permissions_of_any_other(tmp_path):
    save(tmp_path / "model.json", MODELS["dense"])
    (tmp_path / "other").touch()

    mode = lambda name: stat.S_IMODE((tmp_path / name).stat().st_mode)
    assert mode("model.json") == mode("other")
