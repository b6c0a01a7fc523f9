"""P025: On the Design of KL-Regularized Policy Gradient Algorithms for LLM Reasoning."""

import numpy as np

from pgtheory.proofs.claim import Case, Claim, Paper
from pgtheory.proofs.headline import Headline
from pgtheory.proofs.papers.headlines.p025 import best_forward, best_reverse, off_policy
from pgtheory.proofs.relations import Equal, Rounding
from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.kl import KLLoss, KLReward
from pgtheory.tabular.estimators.kl_regularised import Divergence, KLRegularised
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import SequenceRatio
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.regularisers import ForwardKL, ReverseKL
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy
from pgtheory.tabular.scene import Scene

BETA = 0.3
FIVE = np.array([1.0, 0.2, -0.5, 0.7, 0.0])
DIVERGENCES = ("forward", "forward unnormalised", "reverse", "reverse unnormalised")


def softmax(seed: int, S: int, A: int) -> Softmax:
    return Softmax(np.random.default_rng(seed).normal(size=(S, A)))


def trees() -> list[Case]:
    """A bandit and a tree of two tokens, at a policy away from the reference."""
    tree = TokenTree(vocabulary=3, limit=2, prompts=2, reward=lambda prompt, tokens: float(sum(tokens) % 2 == prompt) + 0.25 * len(tokens))
    found = []
    for name, model in (("five arms", Bandit(r=FIVE)), ("two prompts of two tokens", tree)):
        S, A = model.mdp.S, model.mdp.A
        for divergence in DIVERGENCES:
            for Z in (1.0, 2.5) if "unnormalised" in divergence else (1.0,):
                pi, q = softmax(1, S, A), softmax(2, S, A)
                found.append(Case(f"{name}, {divergence}, Z = {Z:g}", model=model, pi=pi, q=q, sampler=q, divergence=divergence, Z=Z))
    return found


def scene_of(case: Case) -> Scene:
    return Scene.of(case.model, case.pi, sampler=case.sampler, old=case.q, ref=case.q)


def estimator_of(case: Case) -> PolicyGradient:
    return PolicyGradient(advantage=KLRegularised(divergence=case.divergence, beta=BETA, mass=case.Z))


def gradient_of_objective(case: Case, beta: float = BETA) -> np.ndarray:
    """grad J - beta grad KL, for the forward divergence of a reference of mass Z times Z."""
    scene = Scene.of(case.model, case.pi, ref=case.q)
    penalty = case.Z * ForwardKL().gradient(scene) if "forward" in case.divergence else ReverseKL().gradient(scene)
    return Return().gradient(scene) - beta * penalty


def from_another_sampler() -> Case:
    case = trees()[0]
    case.label, case.sampler = "data of a third policy", softmax(3, case.model.mdp.S, case.model.mdp.A)
    return case


C1 = Claim(
    id="P025.C1", kind="identity",
    statement="E_q[C grad log pi] is the gradient of J - beta Div for each of the four divergences, also with a reference of mass Z",
    left=lambda case: law(estimator_of(case), OffPolicy(1), scene_of(case)).mean,
    right=gradient_of_objective,
    cases=trees,
    assumes={"the data are drawn from the reference": from_another_sampler},
    mutants={"no divergence": lambda case: gradient_of_objective(case, 0.0), "the divergence rewarded": lambda case: gradient_of_objective(case, -BETA)},
)  # fmt: skip


# C2, C3: one decision, everything written out


def arms(pi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (K, K), a row an arm, and the probabilities."""
    return np.eye(len(pi)) - pi, pi


def on_reference(*, differ: bool = False, label: str = "at pi = q") -> list[Case]:
    q = softmax(2, 1, 5)
    pi = softmax(1, 1, 5) if differ else q
    pairs = (("forward", "forward unnormalised"), ("reverse", "reverse unnormalised"))
    return [Case(f"{a} against {b}, {label}", model=Bandit(r=FIVE), pi=pi, q=q, sampler=q, pair=(a, b)) for a, b in pairs]


def covariance(case: Case, divergence: Divergence) -> np.ndarray:
    return law(PolicyGradient(advantage=KLRegularised(divergence=divergence, beta=BETA)), OffPolicy(1), scene_of(case)).covariance


def excess(case: Case, sign: float = 1.0) -> np.ndarray:
    """+-beta E[2 R s s'] + beta^2 F."""
    s, pi = arms(case.pi.probabilities[0])
    second = lambda weight: (s.T * (pi * weight)) @ s
    sign = sign if case.pair[0] == "forward" else -sign
    return sign * BETA * second(2 * FIVE) + BETA**2 * second(np.ones(5))


def weights(case: Case, divergence: Divergence) -> np.ndarray:
    """C at each arm, in order."""
    scene = scene_of(case)
    data = OffPolicy(1).datasets(scene).data
    found = KLRegularised(divergence=divergence, beta=BETA)(data, scene)
    return found[np.argsort(data.action[:, 0, 0]), 0, 0]


C2 = Claim(
    id="P025.C2", kind="identity",
    statement="for distributions the gradients of KL and UKL agree, and the weights of the two estimators differ by beta w (forward: w R + beta against w R - beta (w - 1))",
    left=lambda case: weights(case, case.pair[0]) - weights(case, case.pair[1]),
    right=lambda case: (1.0 if case.pair[0] == "forward" else -1.0) * BETA * np.exp(case.pi.log_probabilities - case.q.log_probabilities)[0],
    cases=lambda: [*on_reference(), *on_reference(differ=True, label="away from q")],
    mutants={"a constant at every policy": lambda case: (1.0 if case.pair[0] == "forward" else -1.0) * BETA},
)  # fmt: skip


C3 = Claim(
    id="P025.C3", kind="variance equals",
    statement="at pi = q: Cov(KL) - Cov(UKL) = +-beta E[2 R s s'] + beta^2 F, plus for the forward and minus for the reverse divergence",
    left=lambda case: covariance(case, case.pair[0]) - covariance(case, case.pair[1]),
    right=excess,
    cases=on_reference,
    assumes={"pi = q": lambda: on_reference(differ=True, label="away from q")[0]},
    mutants={"the signs exchanged": lambda case: excess(case, -1.0)},
)  # fmt: skip


# C4: where the gradient vanishes


def optimum(case: Case) -> Softmax:
    """The maximiser: q exp(R / beta) / Z, and beta q / (nu - R) with nu such that it sums to one."""
    best = best_reverse if case.divergence == "reverse" else best_forward
    return Softmax(np.log(best(case.q.probabilities[0], FIVE, case.beta))[None])


def slope_at(pi: Softmax, case: Case) -> np.ndarray:
    """Gradient of the objective at a policy."""
    scene = Scene.of(Bandit(r=FIVE), pi, ref=case.q)
    return Return().gradient(scene) - case.beta * (ForwardKL() if case.divergence == "forward" else ReverseKL()).gradient(scene)


C4 = Claim(
    id="P025.C4", kind="fixed point",
    statement="J - beta KL(pi || q) is stationary at q exp(R / beta) / Z, and J - beta KL(q || pi) at beta q / (nu - R), nu the root of sum = 1",
    left=lambda case: slope_at(case.at(case), case),
    right=lambda case: np.zeros(5),
    relation=Equal(Rounding(256, scale=10.0)),
    cases=lambda: [Case(f"{d}, beta = {b:g}", q=softmax(2, 1, 5), divergence=d, beta=b, at=optimum) for d in ("forward", "reverse") for b in (0.2, 1.0)],
    assumes={
        "the tilt of its own divergence": lambda: Case(
            "the optimum of the other divergence", q=softmax(2, 1, 5), divergence="forward", beta=0.2,
            at=lambda case: optimum(Case("", q=case.q, divergence="reverse", beta=case.beta)),
        )
    },
)  # fmt: skip


# C5, C6: k2 and k3 as losses


def loss_case(label: str, kind: str, model: Bandit | TokenTree | None = None, *, off: bool = False, ratio: str = "", forward: bool = False) -> Case:
    """A loss on samples of pi or, with `off`, of the reference, weighted by the ratio or not."""
    model = Bandit(r=FIVE) if model is None else model
    S, A = model.mdp.S, model.mdp.A
    q = softmax(2, S, A)
    return Case(label, model=model, pi=softmax(1, S, A), q=q, kind=kind, sampler=q if off else None, ratio=ratio, forward=forward)


def descent(case: Case) -> np.ndarray:
    """What the loss descends on average: minus the mean of its estimator."""
    estimator = PolicyGradient(advantage=KLLoss(case.kind, "sequence"), ratio=SequenceRatio() if case.ratio else None)
    if case.ratio == "differentiated":
        estimator = PolicyGradient(advantage=product_rule, ratio=SequenceRatio())
    return -law(estimator, OffPolicy(1), Scene.of(case.model, case.pi, ref=case.q, sampler=case.sampler)).mean


def product_rule(data: Data, scene: Scene) -> np.ndarray:
    """The derivative of w k3 is w (k3 + k3'): minus the bracket, which ascends."""
    reward, loss = KLReward("k3")(data, scene), KLLoss("k3", "sequence")(data, scene)
    return reward + loss


def divergence_gradient(case: Case) -> np.ndarray:
    """Gradient of the forward or the reverse divergence from the reference."""
    return (ForwardKL() if case.forward else ReverseKL()).gradient(Scene.of(case.model, case.pi, ref=case.q))


def tokens() -> TokenTree:
    return TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: 1.0)


C5 = Claim(
    id="P025.C5", kind="identity",
    statement="as a loss on samples of pi, k3 has the gradient of the forward divergence KL(ref || pi), and k2 that of the reverse KL(pi || ref)",
    left=descent,
    right=divergence_gradient,
    cases=lambda: [
        loss_case("k2, five arms", "k2"), loss_case("k3, five arms", "k3", forward=True),
        loss_case("k2, two tokens", "k2", tokens()), loss_case("k3, two tokens", "k3", tokens(), forward=True),
    ],
    assumes={"samples of pi": lambda: loss_case("k3 on samples of the reference", "k3", off=True, forward=True)},
    mutants={"k3 descends the reverse divergence": lambda case: divergence_gradient(Case("", model=case.model, pi=case.pi, q=case.q, forward=False))},
)  # fmt: skip

C6 = Claim(
    id="P025.C6", kind="counterexample",
    statement="on samples of pi_old = ref the k3 loss must be weighted by the ratio w: held constant it gives the forward divergence, differentiated the reverse; "
    "without it the loss descends neither",
    left=descent,
    right=divergence_gradient,
    cases=lambda: [
        loss_case("w held constant", "k3", off=True, ratio="constant", forward=True),
        loss_case("w differentiated", "k3", off=True, ratio="differentiated"),
    ],
    assumes={
        "w, for the forward divergence": lambda: loss_case("no w, forward", "k3", off=True, forward=True),
        "w, for the reverse divergence": lambda: loss_case("no w, reverse", "k3", off=True),
    },
)  # fmt: skip

PAPER = Paper(
    id="P025", slug="rpg-kl", title="On the Design of KL-Regularized Policy Gradient Algorithms for LLM Reasoning",
    authors="Zhang, Liu, Yuan, Yuan, Gu, Yao", year=2025, family="regularisation", claims=(C1, C2, C3, C4, C5, C6),
    code={"weights": "pgtheory.tabular.estimators.kl_regularised:KLRegularised"},
    headline=Headline(question="several steps on one batch: does each update end at the optimum of its divergence?", run=off_policy),
    notes="Not checked: clipped weights; the error 4.2 of C6, whose policies are not stated.\n"
    "The experiment: that GRPO's k3 without w ends at neither optimum is so while the samples are those of the reference, where it climbs J - beta (chi^2(ref || pi) - KL(ref || pi)). With a new sampler every four steps it ends at the forward optimum: where nothing moves w is 1, and its absence cannot be seen. With sixteen steps on each batch that optimum no longer attracts it, while RPG's do. A reference that is refreshed as well has no optimum but the best arm.\n"
    "Deep layer, not here yet: the four losses that are differentiated as a whole, divergences token by token, the transformer.",
)  # fmt: skip
