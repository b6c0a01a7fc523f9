"""What was measured, one JSON object a line, in results/PART.jsonl: the tables and the pictures of docs/performance.md are made from these files alone.

A line is written the moment it is known, so that a run that is cut short loses nothing. Of several lines with one key the last counts.
"""

import json
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).with_name("results")
PACKAGES = ("numpy", "scipy", "numba", "torch", "quantecon")


def write(part: str, key: str, **values) -> None:
    """Append a figure and print it."""
    FOLDER.mkdir(exist_ok=True)
    line = json.dumps({"key": key, **values, "load": round(os.getloadavg()[0], 1), "when": time.strftime("%Y-%m-%d %H:%M", time.gmtime())})
    with (FOLDER / f"{part}.jsonl").open("a") as file:
        file.write(line + "\n")
    print(f"{part}: {line}", flush=True)


def write_machine(part: str, **values) -> None:
    """What the figures of a part were measured on."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "not installed"
    write(part, "machine", cores=os.cpu_count(), architecture=platform.machine(), python=platform.python_version(), packages=installed, **values)


def read(part: str) -> dict[str, dict]:
    """Key -> the last line with it, in the order in which the keys first came."""
    path, found = FOLDER / f"{part}.jsonl", {}
    for line in path.read_text().splitlines() if path.exists() else ():
        values = json.loads(line)
        found[values["key"]] = values
    return found


def compact(part: str) -> None:
    """Drop the lines that no longer count."""
    lines = [json.dumps(values) for values in read(part).values()]
    (FOLDER / f"{part}.jsonl").write_text("".join(line + "\n" for line in lines))
