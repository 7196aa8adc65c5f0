"""How names are printed: w1 as w_{1}, the entry W1[1, 2] as w_{12}^{(1)}, the gradient dL_dw1 as ∂L/∂w_{1}."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import sympy as sp

from symnet.core.axes import Kind
from symnet.core.tensors import Tensor

GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi",
    "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma",
    "Phi", "Psi", "Omega", "ell",
))
SPLIT = re.compile(r"([A-Za-z]+?)(?:_?(\d+))?(?:_([A-Za-z0-9_]+))?\Z")
PRIME = re.compile(r"([a-z])(\d+)\Z")


def parts(name: str) -> tuple[str, str, str]:
    """("w", "1", "") for w1; ("w", "", "new") for w_new; ("theta", "2", "") for theta_2."""
    match = SPLIT.match(name)
    return (match[1], match[2] or "", match[3] or "") if match else (name, "", "")


def stem_latex(stem: str) -> str:
    """One letter as it is, Greek by name, a word upright."""
    if stem.endswith("hat") and len(stem) > 3:
        return rf"\hat{{{stem_latex(stem[:-3])}}}"
    if stem in GREEK:
        return "\\" + stem
    clean = stem.replace("_", r"\_")
    return stem if len(stem) == 1 else rf"\mathrm{{{clean}}}"


def _word(text: str) -> str:
    """A subscript that may hold underscores: letters and digits only reach LaTeX."""
    clean = text.replace("_", ",")
    return clean if clean.isdigit() or len(clean) == 1 else rf"\mathrm{{{clean}}}"


def name_latex(name: str) -> str:
    """The LaTeX of a plain name.

    >>> name_latex("w1"), name_latex("theta"), name_latex("w_new"), name_latex("y_hat")
    ('w_{1}', '\\\\theta', 'w_{\\\\mathrm{new}}', '\\\\hat{y}')
    """
    stem, digits, tail = parts(name)
    if tail == "hat":
        return rf"\hat{{{stem_latex(stem)}}}" + (f"_{{{digits}}}" if digits else "")
    below = ",".join(p for p in (digits, _word(tail) if tail else "") if p)
    return stem_latex(stem) + (f"_{{{below}}}" if below else "")


def other_case(name: str) -> str:
    """w1 for W1: a name that printing may not turn into this one."""
    return name[0].swapcase() + name[1:]


def gradient_latex(objective: str, of: str) -> str:
    r"""\frac{\partial L}{\partial w}."""
    return rf"\frac{{\partial {objective}}}{{\partial {of}}}"


def tensor_latex(tensor: Tensor) -> str:
    """The printed name of a whole tensor or scalar."""
    if tensor.latex:
        return tensor.latex
    if tensor.of:
        return gradient_latex(name_latex(tensor.objective), name_latex(tensor.of))
    return name_latex(tensor.name)


def tensor_text(tensor: Tensor) -> str:
    """The name in plain text: dL/dw1 for a gradient."""
    if not tensor.of or "_d" in tensor.objective:  # a second derivative keeps its name
        return tensor.name
    return f"d{tensor.objective}/d{tensor.of}"


def index_latex(symbol: str) -> str:
    """k1 prints k'."""
    match = PRIME.match(symbol)
    return match[1] + "'" * int(match[2]) if match and int(match[2]) <= 3 else name_latex(symbol)


def entry_latex(tensor: Tensor, places: Sequence[str], tensors: Mapping[str, Tensor]) -> str:
    """An entry: indices below, the layer number and any depth or time index above, in brackets.

    >>> from symnet.core.axes import Axis
    >>> entry_latex(Tensor("W1", (Axis.of("d"), Axis.of("h"))), ["1", "2"], {})
    'w_{12}^{(1)}'
    """
    if not places and tensor.latex:
        return tensor.latex
    if tensor.of:
        return _slope_latex(tensor, places, tensors)
    if not places:
        return tensor_latex(tensor)
    stem, digits, tail = parts(tensor.name)
    above = [p for p, a in zip(places, tensor.axes, strict=True) if a.kind in (Kind.TIME, Kind.DEPTH)]
    below = [p for p, a in zip(places, tensor.axes, strict=True) if a.kind not in (Kind.TIME, Kind.DEPTH)]
    letter = tensor.latex or stem_latex(stem.lower() if len(stem) == 1 and other_case(tensor.name) not in tensors else stem)
    joined = ("" if all(len(p.replace("'", "")) == 1 for p in below) else ",").join(below)
    low = ",".join(p for p in (joined, _word(tail) if tail else "") if p)
    high = ",".join(p for p in (digits, *above) if p)
    return letter + (f"_{{{low}}}" if low else "") + (f"^{{({high})}}" if high else "")


def _slope_latex(tensor: Tensor, places: Sequence[str], tensors: Mapping[str, Tensor]) -> str:
    """∂L/∂w_ij; ∂s_i/∂z_j for a Jacobian, whose first places are the objective's; ∂²L/∂w_i∂w_j when that is a gradient."""
    of, above = tensors.get(tensor.of), tensors.get(tensor.objective)
    lead = len(places) - len(of.axes) if of is not None else 0
    if of is not None and of.of:  # a gradient differentiated by a gradient is no second derivative of the loss
        top = _nabla(above, places[:lead], tensors) if above is not None else name_latex(tensor.objective)
        return gradient_latex(top, _nabla(of, places[lead:], tensors))
    below = entry_latex(of, places[lead:], tensors) if of is not None else name_latex(tensor.of)
    if above is None or (lead <= 0 and not above.of):
        return gradient_latex(name_latex(tensor.objective), below)
    if not above.of:
        return gradient_latex(entry_latex(above, places[:lead], tensors), below)
    first = tensors.get(above.of)
    if first is not None and lead != len(first.axes):  # a third derivative: the next ∂ stands in front
        return rf"\frac{{\partial}}{{\partial {below}}} {entry_latex(above, places[:lead], tensors)}"
    inner = entry_latex(first, places[:lead], tensors) if first is not None else name_latex(above.of)
    return rf"\frac{{\partial^{{2}} {name_latex(above.objective)}}}{{\partial {inner} \partial {below}}}"


def _nabla(tensor: Tensor, places: Sequence[str], tensors: Mapping[str, Tensor]) -> str:
    """∇_{w_i} L for a gradient, its name for anything else."""
    if not tensor.of:
        return entry_latex(tensor, places, tensors)
    of = tensors.get(tensor.of)
    if of is not None and len(of.axes) != len(places):
        return entry_latex(tensor, places, tensors)
    inner = entry_latex(of, places, tensors) if of is not None else name_latex(tensor.of)
    return rf"\nabla_{{{inner}}} {name_latex(tensor.objective)}"


def shape_text(tensor: Tensor) -> str:
    """"(N, d)" or "a single number"."""
    return "(" + ", ".join(str(s) for s in tensor.shape) + ("," if len(tensor.shape) == 1 else "") + ")" if tensor.axes \
        else "a single number"


def shape_latex(tensor: Tensor) -> str:
    r"""\mathbb{R}^{N \times d}, for a scalar \mathbb{R}."""
    sizes = r" \times ".join(str(s) if not isinstance(s, sp.Add) else f"({s})" for s in tensor.shape)
    return rf"\mathbb{{R}}^{{{sizes}}}" if sizes else r"\mathbb{R}"
