"""Models in files: `.npz` (binary, dense or sparse) and `.json` (nested lists, to be written by hand).

Both hold the fields of MDP under their own names. In `.npz` a sparse P is three arrays `P.data`, `P.indices`, `P.indptr` and `P.shape` (so for r, r2); in
`.json` a sparse matrix is an object with these four keys. Outcomes are `outcomes.values` and `outcomes.chance` (`.json`: an object with two keys).
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, MissingFile
from pgtheory.tabular.models.mdp import MDP, Outcomes, as_mdp

PARTS = {"sparse": ("data", "indices", "indptr", "shape"), "outcomes": ("values", "chance")}
NAMES = tuple(field.name for field in fields(MDP) if field.init)
NEEDED = ("P", "mu")


def load(path: str | os.PathLike[str]) -> MDP:
    """The model in a `.npz` or `.json` file.

    Raises:
        MissingFile: there is no such file, or a field that a model needs is not in it.
        InvalidModel: the file is damaged, has an unknown key, or its arrays break a rule of MDP.
        InvalidArgument: another ending.
    """
    path = Path(path)
    suffix = checked_suffix(path)
    if not path.is_file():
        raise MissingFile(f"there is no file {path}. Give the path of a .npz or .json file with the fields P, r, mu (and gamma, horizon).")
    try:
        content = unflattened(read_npz(path)) if suffix == ".npz" else json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as problem:
        reason = str(problem).partition(". If you trust")[0].rstrip(".")  # numpy's advice to load what may run code
        raise InvalidModel(
            f"{path} cannot be read as {suffix}: {reason}. Write it again, for instance with `save` of pgtheory.tabular.models.files."
        ) from None
    if not isinstance(content, Mapping):
        raise InvalidModel(f"{path} holds a {type(content).__name__}, expected one object with the fields P, r, mu.")
    unknown = sorted(set(content) - set(NAMES))
    if unknown:
        raise InvalidModel(f"{path} has the unknown field {unknown[0]!r}. Fields are: {', '.join(NAMES)}.")
    for name in NEEDED:
        if content.get(name) is None:
            raise MissingFile(f"{path} has no array {name}. A model needs P, mu, and r or outcomes.")
    if content.get("r") is None and content.get("outcomes") is None:
        raise MissingFile(f"{path} has no array r. A model needs P, mu, and r or outcomes.")
    return MDP(**{name: revived(path, name, value) for name, value in content.items() if value is not None})


def save(path: str | os.PathLike[str], model: object) -> None:
    """Write a model to a `.npz` or `.json` file, which `load` reads back bit by bit. The file is replaced at once or not at all.

    Raises:
        InvalidArgument: another ending.
        InvalidModel: the object is no model.
    """
    path, mdp = Path(path), as_mdp(model)
    content = {name: plain(getattr(mdp, name)) for name in NAMES if getattr(mdp, name) is not None}
    if checked_suffix(path) == ".npz":
        arrays: dict[str, Any] = flattened(content)
        replace_file(path, lambda handle: np.savez_compressed(handle, **arrays))
    else:
        text = json.dumps(content, default=lambda array: array.tolist(), indent=1) + "\n"
        replace_file(path, lambda handle: handle.write(text.encode()))


def checked_suffix(path: Path) -> str:
    """`.npz` or `.json`.

    Raises:
        InvalidArgument: another ending.
    """
    if path.suffix not in (".npz", ".json"):
        raise InvalidArgument(f"{path} ends in {path.suffix or 'nothing'!r}. A model is stored in a file that ends in .npz or .json.")
    return path.suffix


def replace_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside `path`, then rename: a reader, or a run that is killed, sees the old file or the new one and nothing between."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        # mkstemp makes the file private; a model file is as readable as any other.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def plain(value: object) -> object:
    """A field as numbers, arrays, and mappings of arrays."""
    if sp.issparse(value):
        csr = sp.csr_array(value)
        return {"data": csr.data, "indices": csr.indices, "indptr": csr.indptr, "shape": np.array(csr.shape)}
    if isinstance(value, Outcomes):
        return {"values": value.values, "chance": value.chance}
    return value


def flattened(content: Mapping[str, object]) -> dict[str, np.ndarray]:
    """One level of names: {"P": {"data": x}} becomes {"P.data": x}."""
    flat = {}
    for name, value in content.items():
        flat |= {f"{name}.{part}": np.asarray(x) for part, x in value.items()} if isinstance(value, Mapping) else {name: np.asarray(value)}
    return flat


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file. Pickled objects are refused: a file never runs code."""
    with np.load(path, allow_pickle=False) as archive:
        if not hasattr(archive, "files"):
            raise ValueError("it holds a single array")
        return {name: archive[name] for name in archive.files}


def unflattened(flat: Mapping[str, np.ndarray]) -> dict[str, object]:
    """The inverse of `flattened`; arrays of no dimension become numbers."""
    content: dict = {}
    for key, array in flat.items():
        name, dot, part = key.partition(".")
        value = array.item() if array.ndim == 0 else array
        if not dot:
            content[name] = value
        elif isinstance(content.setdefault(name, {}), dict):
            content[name][part] = value
        else:
            raise ValueError(f"it has both {name} and {key}")
    return content


def revived(path: Path, name: str, value: object) -> Any:
    """A field of MDP from what `plain` made of it.

    Raises:
        InvalidModel: the parts of a sparse matrix or of outcomes are incomplete, unknown, or do not fit.
    """
    if not isinstance(value, Mapping):
        return value
    expected = PARTS["outcomes" if name == "outcomes" else "sparse"]
    if set(value) != set(expected):
        raise InvalidModel(f"{path}: {name} has the parts {', '.join(sorted(value))}, expected {', '.join(expected)}.")
    if name == "outcomes":
        return Outcomes(values=value["values"], chance=value["chance"])
    try:
        shape = tuple(int(n) for n in value["shape"])
        matrix = sp.csr_array((np.asarray(value["data"], dtype=float), np.asarray(value["indices"]), np.asarray(value["indptr"])), shape=shape)
        matrix.check_format(full_check=True)
    except (TypeError, ValueError) as problem:
        raise InvalidModel(f"{path}: {name} is no sparse matrix in CSR form: {problem}.") from None
    return matrix
