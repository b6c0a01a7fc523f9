"""Writes docs/theorems.md: every theorem with its statement and source, and how tight its bound is on 200 random instances.

python tests/benchmarks/theorems.py
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tabular" / "rates")]

HEAD = """# Theorems

`pgtheory rate UPDATE --theorem NAME` runs an update and holds one of these bounds against every step, its constants computed on the problem. Gradients are exact; where a theorem
speaks of one sample a step (T83 to T86), the run follows every sample path, so that its numbers are exact expectations.
Each is run here on 200 random instances (one for `lock-plateau`, 20 for `slow-chain`) by `python tests/benchmarks/theorems.py`; every bound holds at every step of every instance, and
`tests/tabular/rates/test_theorems.py` shows for each a wrong step or a wrong constant that is caught.

*Closest* is the quantity over the bound where the two come nearest, over all steps and instances: 1 is tight. *At the end* is the median of this ratio at the last step at which the bound is above
rounding. For lower bounds the ratio is at least 1, and the smallest is given. A bound with an infimum over the run is marked *a posteriori*: it is known only afterwards.

| id | name | bound | closest | at the end | steps | source |
|---|---|---|---|---|---|---|
"""

NOTES = """
## What the ratios say

- Identities and inequalities that hold at every point (`performance-difference`, `gradient-domination`, `softmax-lojasiewicz`, `policy-iteration`, `mirror-growing`) are tight or nearly so.
- Rates with a constant of the worst case (`softmax`, `softmax-entropy`, `projected`, `normalised`) are loose by three to five decades on random problems: they show a wrong exponent at once, and a wrong step
  only through the assumption on the step, which is checked. The constants of the first two are derived from lemmas that `tests/tabular/rates/test_lemmas.py` checks at random points; most of what is lost
  is the smoothness constant 8/(1-gamma)^3: second derivatives found there grow like 0.24/(1-gamma).
- `natural` and `mirror` fall exponentially once one action dominates, so that a bound of 1/t is left behind; they come within a factor of ten at the first steps.
- Constants that are quoted from memory are said to be; all of them hold on every instance that was tried, which is evidence and not a proof.
"""


def rows():
    """A line a theorem."""
    from test_theorems import INSTANCES, standard

    from pgtheory.tabular.rates.registry import THEOREMS

    for name, theorem in THEOREMS.items():
        found = standard(name)
        assert found.certificate.holds.all(), name
        closest = found.certificate.closest[np.isfinite(found.certificate.closest)]
        ends = found.certificate.tightness[np.isfinite(found.certificate.tightness)]
        near = closest.min() if theorem.side == "lower" else closest.max()
        kind = {"upper": "", "lower": " (lower bound)", "equal": " (identity)"}[theorem.side] + (" *a posteriori*" if theorem.a_posteriori else "")
        text = theorem.statement.replace("|", "\\|")
        source = theorem.source.replace("|", "\\|")
        yield f"| {theorem.id} | `{name}` | {text}{kind} | {near:.2g} | {np.median(ends):.2g} | {INSTANCES[name][1]} | {source} |"


if __name__ == "__main__":
    lines = []
    for line in rows():
        print(line, flush=True)
        lines.append(line)
    (ROOT / "docs" / "theorems.md").write_text(HEAD + "\n".join(lines) + "\n" + NOTES, encoding="utf8")
