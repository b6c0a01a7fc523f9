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
speaks of one sample a step (T83 to T86, T88 to T90), the run follows every sample path, so that its numbers are exact expectations.
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
- Expectations over all sample paths can be followed for about ten steps, and for a hundred or more where paths meet: with one arm that pays, and in the locks of T88. That is enough to see a wrong constant or rule,
  and too few to see the exponents of T85 and T86, which a test reads off the bounds instead; another follows these two for 200 steps on average over 1000 seeds.
- T88 needs no least probability over the paths: E[pi(a*|s)^-2] does, by Cauchy and Schwarz. Along forty steps a stage 1/pi for its square is refuted already.
- Constants that are quoted from memory are said to be; all of them hold on every instance that was tried, which is evidence and not a proof.

## From the mean gradient to the gap

T85 and T86 bound the mean norm of the gradient. The papers go on to the gap: the Fisher information F is assumed to be bounded from below, F >= mu_F > 0 for every theta, and then gap <= G/mu_F |grad J|.

- *What can be computed.* On logits of mean zero F has the inverse that is needed, in closed form: gap <= kappa |grad J|, kappa = (1 - 1/K)^(1/2)/pi(a*), which is never more than |e_* - pi|/mu_F, and for two arms
  the same (`tests/tabular/rates/test_stochastic.py`). So kappa is the constant of T50 for one state, with (1 - 1/K)^(1/2) in the place of 1.
- *Why no theorem on the gap follows.* kappa has no bound for all theta, and none along the runs either: for two arms that pay, T89 and T90 show that the mean gap stays above 0.0033 and 0.0036 of its largest value,
  for all time, while T85 and T86 let the mean gradient vanish. With positive probability every arm drawn is the worse one, and normalised steps lead straight to it.
- *With a floor for finite times.* From theta = 0 normalised steps have the length A_t in all, and logits differ by 2^(1/2) A_t at most, so that kappa <= (1 - 1/K)^(1/2) (1 + (K-1) exp(2^(1/2) A_t)). This times
  T86 is a bound, but one above 1, the largest gap there is, from the first step on (2.4 after one, 5 after ten for two arms): it grows like exp(2 t^(2/7)). It is not in the table for this reason.

## The slow chain

What T82 says of `slow-chain` at gamma = 0.9 with steps of 10, by `python -m pytest tests/benchmarks/bench_slow_chain.py -s` (five minutes). A stage is learned at t_s when action 1 has probability 1/2;
T_1 and T are those of the last stage. Each run is exact, step by step.

| H | copies | t_1 | t_2 | t_3 | t_4 | T_1 | T | certified: last stage not before |
|---|---|---|---|---|---|---|---|---|
| 3 | 10 | 56 | 95 | 134 | | 16 | 84 | 87 |
| 3 | 100 | 534 | 930 | 1 338 | | 181 | 920 | 934 |
| 3 | 1 000 | 5 321 | 8 988 | 20 033 | | 1 833 | 8 953 | 9 199 |
| 3 | 10 000 | 53 219 | 88 879 | 522 963 | | 18 368 | 88 815 | 96 260 |
| 4 | 100 | 744 | 1 300 | 1 898 | 4 216 | 378 | 2 248 | 2 303 |
| 4 | 1 000 | 7 447 | 12 573 | 28 220 | 122 134 | 3 829 | 32 294 | 33 850 |
| 4 | 10 000 | 74 512 | 124 510 | 727 231 | 6 275 788 | 38 295 | 815 601 | 904 700 |

- *Theorem*: the bound on the odds (T82), hence the last column, and t_s >= c T_1 T^(1/2) with the constants of the run.
- *Observed*: ten times as many copies make t_1 and t_2 ten times as large, t_3 then 10, 15 and 26 times (an exponent of 1.0, 1.2, 1.4 on the way to 3/2, which is reached once the escape takes longer than T),
  and t_4 by 29 and 51 times (1.46 and 1.71, on the way to 7/4). From 10 000 copies to 100 000 about 31 and 56 times: t_4 near 3.5e8 steps, twelve minutes of the compiled loop.
  t_4 = 0.06 t_2 t_3^(1/2) at 10 000 copies; by the same law a fifth stage, for which gamma must be a little larger, would come after about 1e8 steps, and with 100 000 copies after 2.5e10: fifteen hours.
- *Not shown*: |S|^(2^(c/(1-gamma))) steps. It needs as many stages as 0.5/(1-gamma), gamma near 1, where the margins between actions are of order 1-gamma, so that the first stages must take of the order of (1-gamma)^-3
  steps before the square root shows: at gamma = 0.9 some 10^5, as the table says.
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
