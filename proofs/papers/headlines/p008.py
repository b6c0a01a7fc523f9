"""The main experiment of P008 in small: a decoy that is found early, a better answer that is rare, groups of three with exact mean steps."""

from collections.abc import Callable

import numpy as np

from pgtheory.proofs.headline import Curve, Panel, Result
from pgtheory.tabular.estimators.groups import GroupStd
from pgtheory.tabular.estimators.token_covariance import ClipCov, KLCov
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.regularisers import Entropy
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

ITERATIONS, INNER, SIZE, EARLY = 50, 4, 0.5, 10
RULES = {
    "GRPO": ClipCov(advantage=GroupStd(), share=0.0),
    "Clip-Cov, a third": ClipCov(advantage=GroupStd(), share=0.34, low=0.1, high=50.0),
    "KL-Cov, a quarter": KLCov(advantage=GroupStd(), share=0.25),
}
"""A group has at most six tokens, so that the shares of the paper (2e-4, 2e-3) would choose none."""

STARTS = {"better answer rare (3 %)": [-0.5, 0.5, 0.0], "better answer not rare (9 %)": [1.0, 0.0, 0.0]}


def decoy() -> TokenTree:
    """Tokens 0, 1 and the end: whatever begins with 0 earns .6, the answer (1, 0) earns 1, all others nothing."""
    return TokenTree(vocabulary=3, limit=2, reward=lambda prompt, tokens: 1.0 if tokens == (1, 0) else 0.6 * (tokens[0] == 0))


def collapse(progress: Callable[[str], None]) -> Result:
    """Entropy of the completion and probability of the better answer, four inner steps on each data law."""
    tree, rows, panels, found, falls = decoy(), [], [], {}, []
    for start, second in STARTS.items():
        curves = []
        for name, rule in RULES.items():
            progress(f"{start}: {name}")
            theta = np.array([[1.5, 0.0, 0.0], [0.0, 0.0, 0.0], second])
            entropy, success = [], []
            for _ in range(ITERATIONS + 1):
                old = Softmax(theta)
                entropy.append(Entropy().value(Scene.of(tree, old)))
                success.append(float(old.probabilities[0, 1] * old.probabilities[2, 0]))
                for _ in range(INNER):
                    theta = theta + SIZE * law(rule, Groups(3), Scene.of(tree, Softmax(theta), sampler=old)).mean.reshape(theta.shape)
            found[start, name] = np.array(entropy), np.array(success)
            falls.append((np.diff(entropy[: EARLY + 1]) < 0).mean() if name == "GRPO" else 1.0)
            x = np.arange(ITERATIONS + 1)
            curves += [
                Curve(label=f"{name}: entropy", x=x, y=np.array(entropy), dashed=True, group=name),
                Curve(label=f"{name}: success", x=x, y=np.array(success), group=name),
            ]
            rows.append([start, name, entropy[EARLY], success[EARLY], entropy[-1], success[-1]])
        panels.append(Panel(title=start, curves=curves, x="data law (four steps each)", y="entropy in nats; probability"))
    rare, common = STARTS
    return Result(
        columns=["problem", "rule", f"entropy, {EARLY}", f"success, {EARLY}", f"entropy, {ITERATIONS}", f"success, {ITERATIONS}"], rows=rows, panels=panels,
        expected={
            "rare: the entropy of GRPO falls at every early law": falls[0] == 1.0,
            "after ten laws Clip-Cov and KL-Cov have more entropy than GRPO": all(
                found[start, name][0][EARLY] > found[start, "GRPO"][0][EARLY] for start in STARTS for name in list(RULES)[1:]
            ),
            "rare: KL-Cov finds the better answer, GRPO stays with the decoy": bool(found[rare, "KL-Cov, a quarter"][1][-1] > 0.8 and found[rare, "GRPO"][1][-1] < 0.01),
            "not rare: GRPO finds it too, and KL-Cov pays for the entropy that it keeps": bool(found[common, "GRPO"][1][-1] > found[common, "KL-Cov, a quarter"][1][-1] > 0.9),
        },
    )  # fmt: skip
