"""The prover on this machine, and a build of Coq files in a cache.

A compiled file is stored under the hash of its text, of the compiled files that it requires, and of the prover with its libraries: it is found again wherever
that is the same, and nowhere else. Nothing is ever written beside the sources.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from pgtheory.proofs.kernel.sources import LIBRARY, Source

INSTALL = "apt-get install coq libcoq-mathcomp-algebra libcoq-mathcomp-algebra-tactics libcoq-mathcomp-analysis"
"""The one line, on Debian 12 and what has its packages."""

VERSION = "8.16"
"""Series of Coq that the files are written for; its MathComp is 1.15."""

LIBRARIES = ("ssreflect/all_ssreflect.vo", "algebra/all_algebra.vo", "algebra_tactics/ring.vo", "analysis/derive.vo")
"""One compiled file of each package of MathComp that must be there."""

AT_ONCE = 2
"""Files that are compiled at the same time."""

PATIENCE = 900.0
"""Seconds that one file may take; the slowest takes 15 on an idle machine."""

QUIET = ("-q", "-w", "-notation-overridden,-ambiguous-paths")


class NoProver(Exception):
    """There is no prover that could check anything; the text says what is missing and how it is installed."""


class Rejected(Exception):
    """Coq refuses a file: its name and what Coq says."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


@dataclass(frozen=True)
class Prover:
    """coqc, and what a build with it depends on.

    Attributes:
        command: path of coqc.
        version: "8.16.1".
        fingerprint: hash of the version and of the compiled libraries.
    """

    command: str
    version: str
    fingerprint: str


def find(command: str = "coqc") -> Prover:
    """The prover on this machine.

    Raises:
        NoProver: there is none, or another version, or libraries are missing.
    """
    path = shutil.which(command)
    if path is None:
        raise NoProver(f"coqc is not installed: {INSTALL}")
    asked = lambda option: subprocess.run([path, option], capture_output=True, text=True, timeout=60).stdout
    version = next(iter(re.findall(r"\d+\.\d+[\w.+]*", asked("--print-version"))), "unknown")
    if not version.startswith(f"{VERSION}."):
        raise NoProver(f"coqc is version {version}, the proofs are for {VERSION} with MathComp 1.15: {INSTALL}")
    libraries = Path(asked("-where").strip()) / "user-contrib" / "mathcomp"
    missing = [name for name in LIBRARIES if not (libraries / name).exists()]
    if missing:
        raise NoProver(f"coqc {version} has no mathcomp/{missing[0].removesuffix('.vo')}: {INSTALL}")
    stamp = [f"{name} {(libraries / name).stat().st_size} {sha256((libraries / name).read_bytes()).hexdigest()}" for name in LIBRARIES]
    return Prover(path, version, sha256("\n".join([version, *stamp]).encode()).hexdigest()[:16])


def cache_folder() -> Path:
    """PGTHEORY_CACHE, or `pgtheory` in the user's folder of caches."""
    chosen = os.environ.get("PGTHEORY_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgtheory"


@dataclass(frozen=True)
class Store:
    """Files by key. A file appears whole or not at all, so that processes may share the store."""

    folder: Path

    def path(self, key: str, kind: str) -> Path:
        """Where it is, or would be."""
        return self.folder / "coq" / f"{key}.{kind}"

    def put(self, key: str, kind: str, content: bytes) -> None:
        """Stores a file."""
        target = self.path(key, kind)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, target)

    def get(self, key: str, kind: str) -> bytes | None:
        """The file, if it is there."""
        path = self.path(key, kind)
        return path.read_bytes() if path.exists() else None


class Build:
    """A folder in which Coq files and all they require are compiled, or fetched from the store. To be used in a `with`: the folder goes with it.

    Attributes:
        folder: where the files are.
        done: the files that are compiled, with the hash of what came out.
        refused: the files that Coq refuses, or that require one.
        absent: with `compiling` off, the files that are not in the store.
    """

    def __init__(self, prover: Prover, store: Store, *, fresh: bool = False, compiling: bool = True) -> None:
        self.prover, self.store, self.fresh, self.compiling = prover, store, fresh, compiling
        self.temporary = tempfile.TemporaryDirectory(prefix="pgtheory-coq-")
        self.folder = Path(self.temporary.name)
        self.done: dict[str, str] = {}
        self.refused: dict[str, Rejected] = {}
        self.absent: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.temporary.cleanup()

    def make(self, needed: Mapping[str, Source], say: Callable[[str], None]) -> None:
        """Compiles files, two at a time, each after those it requires; `fresh` looks nothing up. Cost: the time of Coq for what is not in the store.

        The files come in the order of what is required, as `sources.read` has it. Of those that can be compiled the one with the longest way behind it goes first.
        """
        for source in needed.values():
            place = self.folder / source.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(source.text, encoding="utf8")
        before = {name: set(source.requires(needed)) - {name} for name, source in needed.items()}
        way = ways(needed, before)
        todo, running = sorted(needed, key=lambda name: -way[name]), dict[Future[float], tuple[str, str]]()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while todo or running:
                for name in [*todo]:
                    if lost := before[name] & (self.refused.keys() | self.absent):
                        self._lose(name, lost)
                    elif before[name] <= self.done.keys() and len(running) < AT_ONCE:
                        key = self.key(needed[name], before[name])
                        if not self._fetch(needed[name], key):
                            running[pool.submit(compile_file, self.folder, needed[name].path, self.prover)] = name, key
                    else:
                        continue
                    todo.remove(name)
                for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                    name, key = running.pop(future)
                    try:
                        say(f"{name} {future.result():.1f} s")
                    except Rejected as error:
                        self.refused[name] = error
                        say(f"{name} REFUSED")
                        continue
                    compiled = self.vo(needed[name]).read_bytes()
                    self.done[name] = digest(compiled)
                    self.store.put(key, "vo", compiled)

    def key(self, source: Source, before: Iterable[str]) -> str:
        """What a compiled file depends on: the prover, its own name and text, and the very files it was compiled against."""
        return digest(
            "\0".join([self.prover.fingerprint, source.name, source.text, *(f"{name} {self.done[name]}" for name in sorted(before))]).encode()
        )

    def vo(self, source: Source) -> Path:
        """Where the compiled file is."""
        return (self.folder / source.path).with_suffix(".vo")

    def _lose(self, name: str, lost: set[str]) -> None:
        if lost <= self.absent:
            self.absent.add(name)
        else:
            self.refused[name] = Rejected(name, f"it requires {', '.join(sorted(lost & self.refused.keys()))}, which is refused")

    def _fetch(self, source: Source, key: str) -> bool:
        """Whether the file needs no compiling: it is in the store, or counts as absent."""
        kept = None if self.fresh else self.store.get(key, "vo")
        if kept is not None:
            self.vo(source).write_bytes(kept)
            self.done[source.name] = digest(kept)
        elif not self.compiling:
            self.absent.add(source.name)
        return kept is not None or not self.compiling


def ways(needed: Mapping[str, Source], before: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Letters in the longest chain of files that begins with a file and in which each requires the one before it: what must be compiled one after the other."""
    after = dict.fromkeys(needed, 0)
    for name in reversed([*needed]):
        for required in before[name]:
            after[required] = max(after[required], after[name] + len(needed[name].text))
    return {name: len(source.text) + after[name] for name, source in needed.items()}


def digest(content: bytes) -> str:
    """The name of a content."""
    return sha256(content).hexdigest()[:32]


def compile_file(folder: Path, path: str, prover: Prover) -> float:
    """Seconds that Coq took.

    Raises:
        Rejected: Coq refuses it.
    """
    start = time.perf_counter()
    answer = coq(folder, path, prover)
    if answer.returncode:
        raise Rejected(path, answer.stderr.strip() or f"coqc ended with {answer.returncode}")
    return time.perf_counter() - start


def coq(folder: Path, path: str, prover: Prover, *, limit: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Runs coqc on a file of a folder; after `limit` seconds that counts as a refusal."""
    command = [prover.command, *QUIET, "-R", ".", LIBRARY, path]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, returncode=124, stdout="", stderr=f"Coq did not end within {limit:.0f} seconds.")


def recheck(sources: Mapping[str, Source], say: Callable[[str], None]) -> str:
    """What coqchk, the independent checker, complains about in the compiled files and the libraries behind them; empty if nothing. Cost: minutes.

    Raises:
        NoProver: there is no prover.
    """
    with Build(find(), Store(cache_folder())) as build:
        build.make(sources, say)
        names = [f"{LIBRARY}.{name}" for name in build.done]
        found = subprocess.run(["coqchk", "-silent", "-R", ".", LIBRARY, *names], cwd=build.folder, capture_output=True, text=True)
        return found.stderr.strip() if found.returncode else ""
