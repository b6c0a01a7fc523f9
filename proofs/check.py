"""Checks the theorems with the proof kernel: python proofs/check.py [T02 ...]

Exit codes: 0 every theorem is accepted, 1 one is refused, 2 bad use, 3 not checked: there is no prover, or a theorem
has too few mutants. Runs in a bare clone, without installation.

    python proofs/check.py                 build what is not stored, ask Coq, compare with proofs/coq/statements.txt
    python proofs/check.py --fresh         trust no stored file
    python proofs/check.py --write         accept the statements as they are now; the difference is shown
    python proofs/check.py --bridge        let Coq prove that its definitions have the values of the library's functions (needs the package)
    python proofs/check.py --recheck       let coqchk, an independent checker, verify the compiled files too (minutes)
"""

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    from pgtheory.proofs.kernel.prover import INSTALL, recheck
    from pgtheory.proofs.kernel.sources import GOLDEN, read
    from pgtheory.proofs.kernel.verdict import check, ids

    parser = argparse.ArgumentParser(prog="check.py", description="Checks the theorems with the proof kernel.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="theorems such as T02; none: all")
    parser.add_argument("--fresh", action="store_true", help="trust no stored file")
    parser.add_argument("--write", action="store_true", help="write the golden file; show the difference")
    parser.add_argument("--bridge", action="store_true", help="compare Coq's definitions with the library's functions, and end")
    parser.add_argument("--recheck", action="store_true", help="let coqchk verify the compiled files as well")
    parser.add_argument("--how-to-install", action="store_true", help="print the line that installs the prover, and end")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    if chosen.how_to_install:
        print(INSTALL)
        return 0
    if chosen.bridge:
        return bridge()
    wanted = [id.upper() for id in chosen.ids] or None
    if unknown := [id for id in wanted or () if id not in ids()]:
        parser.error(f"no theorem here is called {', '.join(unknown)}; there are {', '.join(ids())}.")
    if chosen.write and wanted:
        parser.error("--write takes no ids: the golden file is written as a whole.")
    say = (lambda _: None) if chosen.json else lambda text: print(f"  {text}", flush=True)
    report = check(wanted, fresh=chosen.fresh, say=say)
    if chosen.write and report.golden:
        before = GOLDEN.read_text(encoding="utf8") if GOLDEN.exists() else ""
        sys.stderr.writelines(difflib.unified_diff(before.splitlines(True), report.golden.splitlines(True), "golden before", "golden now"))
        GOLDEN.write_text(report.golden, encoding="utf8")
        report = check(wanted, say=say)
    if chosen.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        show(report)
    if chosen.recheck and report.exit_code == 0:
        complaint = recheck(read(), say)
        print(complaint or "coqchk agrees")
        return 1 if complaint else 0
    return report.exit_code


def bridge() -> int:
    """Lets Coq prove the equations of the bridge; returns the exit code."""
    from pgtheory.proofs.bridge import cross
    from pgtheory.proofs.spans import SPANS

    found = cross(SPANS, say=lambda text: print(f"  {text}", flush=True))
    for crossing in found:
        if crossing.complaint:
            print(f"{', '.join(crossing.span.definitions)}: {crossing.complaint}")
    if not all(crossing.checked for crossing in found):
        return 3
    print(f"{sum(len(crossing.equations) for crossing in found)} equations in {len(found)} spans")
    return 1 if any(crossing.complaint for crossing in found) else 0


def show(report) -> None:
    """The verdicts as text."""
    accepted = [verdict for verdict in report.verdicts.values() if verdict.status == "accepted"]
    if not accepted and all(verdict.status == "not checked" and not verdict.facts for verdict in report.verdicts.values()):
        print(f"not checked: {report.prover}")
        return
    for verdict in report.verdicts.values():
        if verdict.status == "accepted":
            axioms = f"   axioms: {', '.join(verdict.axioms)}" if verdict.axioms else ""
            print(f"{verdict.id}  accepted  {', '.join(verdict.facts)}  ({len(verdict.mutants)} mutants refuted){axioms}")
        else:
            print(f"{verdict.id}  {verdict.status.upper()}  " + "\n        ".join(verdict.reasons))
    print(f"{len(accepted)} of {len(report.verdicts)} theorems accepted by {report.prover}, {report.seconds:.1f} s")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    sys.exit(main())
