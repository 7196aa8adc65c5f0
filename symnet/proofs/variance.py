"""How a sum z = Σ w_i x_i spreads: Var(z) = n Var(w) Var(x), from which the initializers take their variances.

The two facts of probability that are used stand as hypotheses in the proof and are said in the conditions: the variance of a sum of
independent terms is the sum of their variances (Bienaymé), and the mean of a product of independent factors is the product of
their means. The rest is algebra and induction over the number of terms, made by the kernel. Sources: LeCun et al. 1998, section 4.6;
Glorot & Bengio 2010, eq. 5; He et al. 2015, eq. 6-10.
"""

from __future__ import annotations

import sympy as sp

from symnet.core.axes import Axis, Kind, index
from symnet.core.claim import Claim, Proved, Statement
from symnet.core.tensors import Tensor
from symnet.proofs import kernel
from symnet.proofs.kernel import Proof

K = index("k")
SUM = Tensor("V", (Axis.between(0, "n", Kind.FEATURE),), latex=r"\mathrm{Var}(z)", note="the variance of the sum of the first k terms")
# name -> how it prints: means, second moments and variances of one weight w, one input x, their product and what relu is given
LETTERS = {"mean_w": r"\mathrm{E}(w)", "mean_x": r"\mathrm{E}(x)", "mean_wx": r"\mathrm{E}(wx)", "square_w": r"\mathrm{E}(w^{2})",
           "square_x": r"\mathrm{E}(x^{2})", "square_wx": r"\mathrm{E}((wx)^{2})", "var_w": r"\mathrm{Var}(w)", "var_x": r"\mathrm{Var}(x)",
           "var_wx": r"\mathrm{Var}(wx)", "square_z": r"\mathrm{E}(u^{2})", "mean_z": r"\mathrm{E}(u)", "var_z": r"\mathrm{Var}(u)",
           "left_z": r"\mathrm{E}(\mathrm{relu}(-u)^{2})"}
S = {name: sp.Symbol(name, real=True) for name in LETTERS}
COMMON = ("the weights w_i are independent of each other and of the inputs and have the same distribution, with mean 0",
          "the inputs x_i are independent of each other and have the same distribution", "the variances exist")


def variance_of_sum(relu: bool = False) -> Proved:
    """Proved: Var(Σ_{i=1}^k w_i x_i) = k Var(w) Var(x) for inputs of mean 0; with ``relu``, for inputs x = relu(u), k Var(w) Var(u)/2.

    >>> str(variance_of_sum().proof.statements[0])
    'V[k] = k*var_w*var_x for all k'
    """
    rest = ("the inputs are x_i = relu(u_i), where u_i has a distribution symmetric about 0",) if relu else ("the inputs have mean 0",)
    second, spread = (_relu(), S["var_z"] / 2) if relu else (_centred("x"), S["var_x"])
    one = _rewritten(_product(), second)
    wanted, every = (Statement(SUM[K], K * S["var_w"] * spread, over) for over in (None, K))
    grow = kernel.specialize(_given(Statement(SUM[K + 1], SUM[K] + S["var_wx"], K),
                                    "the variance of a sum of independent terms is the sum of their variances"), K)
    step = _rewritten(_noted(grow, "one more term"), _given(wanted, "suppose it holds for k terms"), one)
    target = every.at(K + 1).right
    step = _noted(kernel.same_right(_noted(step, "put both in"), kernel.algebra(target, target)), "collect")
    base = _given(every.at(sp.S.Zero), "a sum without terms does not vary")
    sentence = f"A sum of n products of weights and inputs has n times the variance of a weight times {'half ' if relu else ''}the " \
               f"variance of {'what relu is given' if relu else 'an input'}."
    name = "variance-relu" if relu else "variance"
    proof = _noted(kernel.induction(base, step, K, (wanted,)), "by induction, for every number of terms")
    return Proved(Claim(name, sentence, (*COMMON, *rest)), proof, {"V": SUM} | {n: Tensor(n, latex=x) for n, x in LETTERS.items()})


def _product() -> Proof:
    """Var(w x) = Var(w) E(x²): the factors are independent and w has mean 0."""
    product = _given(Statement(S["var_wx"], S["square_wx"] - S["mean_wx"] ** 2), "what the variance of a product is")
    squares = _given(Statement(S["square_wx"], S["square_w"] * S["square_x"]), "w² and x² are independent")
    means = _given(Statement(S["mean_wx"], S["mean_w"] * S["mean_x"]), "w and x are independent")
    zero = _given(Statement(S["mean_w"], sp.S.Zero), "the weights have mean 0")
    return _noted(_rewritten(product, squares, means, zero, _centred("w")), "the variance of one product")


def _centred(name: str) -> Proof:
    """E(u²) = Var(u) when E(u) = 0."""
    square = _given(Statement(S[f"square_{name}"], S[f"var_{name}"] + S[f"mean_{name}"] ** 2), f"what the variance of {_called(name)} is")
    return _rewritten(square, _given(Statement(S[f"mean_{name}"], sp.S.Zero), f"{_called(name)} has mean 0"))


def _called(name: str) -> str:
    return {"w": "a weight", "x": "an input"}.get(name, "what relu is given")


def _relu() -> Proof:
    """E(relu(u)²) = Var(u)/2: u² = relu(u)² + relu(-u)², and both have the same mean."""
    whole = _given(Statement(S["square_z"], S["square_x"] + S["left_z"]), "u² = relu(u)² + relu(-u)²")
    doubled = _rewritten(whole, _given(Statement(S["left_z"], S["square_x"]), "u and -u have the same distribution"))
    half = _rewritten(kernel.algebra(S["square_z"] / 2, S["square_z"] / 2), doubled)
    found = kernel.same_right(kernel.algebra(S["square_x"], S["square_x"]), half)
    return _noted(_rewritten(found, _centred("z")), "half of the mean square passes the relu")


def _rewritten(into: Proof, *equals: Proof) -> Proof:
    for equal in equals:
        into = kernel.rewrite(equal, into)
    return into


def _given(equation: Statement, note: str) -> Proof:
    return kernel.noted(kernel.given(equation), note)


def _noted(proof: Proof, note: str) -> Proof:
    return kernel.noted(proof, note)
