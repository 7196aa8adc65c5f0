"""Slips in the derivation itself: a link of the chain, a rule, a sum, a use. The answer must be what the derivation then gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import sympy as sp

from symnet.calculus.chain import Term
from symnet.checking.slips.chain_paths import Hop, Link
from symnet.checking.slips.local_rules import is_kink, slips_at
from symnet.checking.slips.setting import Claim, Setting
from symnet.checking.slips.wording import Finding, Words, entry_of, fitting, like, renamed, say
from symnet.core.axes import Kind
from symnet.core.expressions import entries, substitute
from symnet.core.functions import TABLE
from symnet.core.tensors import entry_indices, tensor_name

FACTORS = (("2", "too much", sp.Integer(2)), ("2", "missing", sp.Rational(1, 2)))
STEPS = (Kind.TIME, Kind.DEPTH)
Change = tuple[str, Words, sp.Expr]  # kind, words, what the link adds then


def chain_slips(setting: Setting) -> Iterator[Finding]:
    """Every slip at every link, from the loss down; found once for all answers to a question."""
    if setting.wrt not in setting.chain.gradients:
        return
    if not setting.slips:
        setting.slips += _found(setting)
    for kind, changed, words, place in setting.slips:
        yield Finding(kind, Claim(setting.lifted, setting.gradient, changed), words, place)


def _found(setting: Setting) -> Iterator[tuple[str, tuple[str, sp.Expr], Words, str]]:
    chain = setting.chain
    for name, links in chain.links.items():
        for j, link in enumerate(links):
            rest = sp.Add(*[other.expr() for k, other in enumerate(links) if k != j])
            place = _place(setting, link)
            for kind, words, expr in _changes(setting, link, links):
                yield kind, (name, rest + expr), words, place
        yield from _groups(setting, name, links)
    for name, links in chain.links.items():
        for j, link in enumerate(links):
            rest = sp.Add(*[other.expr() for k, other in enumerate(links) if k != j])
            for kind, words, local in _other_entries(setting, link):
                yield kind, (name, rest + link.expr(local)), words, _place(setting, link)


def _place(setting: Setting, link: Link) -> str:
    goal, above = setting.program.objective, link.through.name
    if above == goal:
        return f"d{goal}/d{link.of}"
    if any(other.through.name != above for other in setting.chain.links[link.of]):  # one path of several is no equation
        return f"d{goal}/d{link.of}, the path through {above}"
    return f"d{goal}/d{link.of} = d{goal}/d{above} * d{above}/d{link.of}"


def _changes(setting: Setting, link: Link, links: list[Link]) -> Iterator[Change]:
    yield from _whole(setting, link)
    hops = [(k, h) for k, h in enumerate(link.hops) if not h.slope.is_number]
    for k, hop in hops:
        if len(hops) > 1:
            named: Words = {"link": partial(_hop_name, setting, hop)}
            yield _missing(hop), named, link.expr(link.with_slope(k, sp.S.One))
            yield "doubled chain factor", named, link.expr(link.with_slope(k, hop.slope**2))
        for factor in sp.Mul.make_args(hop.slope) if isinstance(hop.node, sp.Mul) and hop.slope.is_Mul else ():
            if not factor.is_number:  # one of several at the same arrow: a mask, not its scale
                yield "missing chain factor", {"link": factor}, link.expr(link.with_slope(k, hop.slope / factor))
                yield "doubled chain factor", {"link": factor}, link.expr(link.with_slope(k, hop.slope * factor))
    for k, hop in enumerate(link.hops):
        for slip in slips_at(hop):
            words: Words = dict(slip.words)
            if slip.kind == "missing indicator":
                words["link"] = partial(_hop_name, setting, hop)
            yield slip.kind, words, link.expr(link.with_slope(k, slip.slope))
    yield from _sums(setting, link)
    if len(links) > 1:
        yield from _uses(setting, link, links)
    elif link.of in setting.program.by_name:  # on the way: of a variable it would be the whole gradient
        yield "sign", {}, -link.expr()
        for factor, missing, c in FACTORS:
            yield "constant", {"factor": factor, "missing": missing}, c * link.expr()
        for n, missing, c in _lengths(setting):
            yield ("sum for mean" if missing == "too much" else "mean for sum"), {"size": str(n)}, c * link.expr()
    yield from _other_links(setting, link)


def _whole(setting: Setting, link: Link) -> Iterator[Change]:
    """The local derivative as one factor."""
    local = link.local
    if link.term.upstream != 1:
        words: Words = {"link": partial(_link_name, setting, link), "above": link.through.name}
        yield "missing upstream", words, link.expr(term=replace(link.term, upstream=sp.S.One))
    if local.is_number:
        return
    named: Words = {"link": partial(_link_name, setting, link)}
    hops = [h for h in link.hops if not h.slope.is_number]
    kind = "missing outer derivative" if link.term.upstream == 1 else _missing(hops[0]) if len(hops) == 1 else "missing chain factor"
    yield kind, named, link.expr(sp.S.One)
    yield "doubled chain factor", named, link.expr(local**2)
    yield "inverted chain factor", named, link.expr(1 / local)


def _missing(hop: Hop) -> str:
    if is_kink(hop):
        return "missing indicator"
    return "missing activation slope" if hop.node.func in TABLE and len(hop.node.args) == 1 else "missing chain factor"


def _link_name(setting: Setting, link: Link) -> str:
    """dz/dw = x; the factor alone where the line uses the variable elsewhere too, so that it is not the whole slope."""
    slope = say(setting, link.folded)
    alone = sum(other.through is link.through for other in setting.chain.links[link.of]) == 1
    return f"d{link.through.name}/d{link.of} = {slope}" if alone else slope


def _hop_name(setting: Setting, hop: Hop) -> str:
    if isinstance(hop.node, (sp.Mul, sp.Add)):
        return say(setting, hop.slope)
    if not isinstance(hop.argument, sp.Expr):  # a branch of cases
        return f"the slope of {say(setting, hop.node)}"
    node, argument = say(setting, hop.node), say(setting, hop.argument)
    inside = argument if argument.isidentifier() else f"({argument})"
    return f"d({node})/d{inside} = {say(setting, hop.slope)}"


def _sums(setting: Setting, link: Link) -> Iterator[Change]:
    """One place of a sum for the whole sum."""
    term = link.term
    for k, (i, lo, hi) in enumerate(term.sums):
        if any(i in e.free_symbols for _, a, b in term.sums for e in (a, b)):
            continue
        left = (*term.sums[:k], *term.sums[k + 1:])
        index: Words = {"index": f"{lo}..{hi}"}
        for alpha, axis in zip(link.alphas, link.axes, strict=True):
            if axis == (lo, hi):
                kind = "softmax elementwise" if _is_softmax(link) else "missing off-diagonal terms"
                yield kind, {"above": link.through.name, "of": link.of}, _at(link, left, i, alpha)
        yield "only the last step", index, _at(link, left, i, hi)
        yield "only the first step", index, _at(link, left, i, lo)


def _at(link: Link, sums: tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...], i: sp.Symbol, place: sp.Expr) -> sp.Expr:
    """The link with the index ``i`` of its sum at one place."""
    there = {i: place}
    term: Term = replace(link.term, sums=sums, upstream=substitute(link.term.upstream, there),
                         conditions=tuple(c.xreplace(there) for c in link.term.conditions))
    places = {key: value.xreplace(there) for key, value in link.places.items()}
    return replace(link, places=places).expr(term=term)


def _is_softmax(link: Link) -> bool:
    """exp(z)/Σ exp(z)."""
    expr = link.through.expr
    return any(isinstance(s.function, sp.exp) for s in expr.atoms(sp.Sum)) and expr.has(sp.Pow)


def _uses(setting: Setting, link: Link, links: list[Link]) -> Iterator[Change]:
    """One of several uses left out, or with the wrong sign."""
    same = [other for other in links if other.through is link.through and other is not link]
    negative = _below(link)
    shifted = any(not e.is_Symbol and not e.is_Integer for e in entry_indices(link.term.upstream)) if link.term.upstream != 1 else False
    above = link.through.name
    if shifted:
        yield "missing time", {"above": above}, sp.S.Zero
    elif same:
        rule = "quotient" if negative or any(_below(o) for o in same) else "product"
        yield ("dropped term" if _parts_at_a_sum(link, same[0]) else "product rule"), {"term": link.folded, "rule": rule}, sp.S.Zero
    else:
        yield "missing use", {"above": above, "of": link.of}, sp.S.Zero
    if negative and same:
        yield "quotient rule sign", {"node": link.through.expr}, -link.expr()
    term = link.folded if same else f"that comes back through {above}"
    for factor, missing, c in (*FACTORS, *_lengths(setting)):
        words: Words = {"term": term, "factor": str(factor), "missing": missing}
        yield "factor of a term", words, c * link.expr()
    yield "sign of a term", {"term": term}, -link.expr()
    if len(links) > 2:
        rest = sp.Add(*[other.expr() for other in links if other is not link])
        yield "one use alone", {"above": above, "of": link.of}, link.expr() - rest


def _below(link: Link) -> bool:
    """The path goes through a denominator."""
    return any(isinstance(h.node, sp.Pow) and h.k == 0 and h.node.exp.is_negative for h in link.hops)


def _lengths(setting: Setting) -> Iterator[tuple[sp.Expr, str, sp.Expr]]:
    for n in setting.sizes:
        yield n, "too much", n
        yield n, "missing", 1 / n


def _parts_at_a_sum(a: Link, b: Link) -> bool:
    """Two paths part at a sum, not at a product."""
    for p, q in zip(a.hops, b.hops, strict=False):
        if p.k != q.k:
            return isinstance(p.node, sp.Add)
    return False


def _other_links(setting: Setting, link: Link) -> Iterator[Change]:
    """The factor of another step, for numbers."""
    if link.places or link.local.is_number:
        return
    seen = {link.local}
    for others in setting.chain.links.values():
        for other in others:
            if not other.places and not other.local.is_number and other.local not in seen:
                seen.add(other.local)
                words: Words = {"wrong": partial(_link_name, setting, other), "right": partial(_link_name, setting, link)}
                yield "wrong link", words, link.expr(other.local)


def _other_entries(setting: Setting, link: Link) -> Iterator[Change]:
    """Another entry in the local derivative: of another step, row for column, or of a like tensor."""
    tensors, local = setting.program.tensors, link.folded
    alone = sum(other.through is link.through for other in setting.chain.links[link.of]) == 1  # both terms of xᵀAx: A is taken as symmetric
    for e in sorted(set(entries(local)), key=str):
        own = tensors.get(tensor_name(e))
        if own is None:
            continue
        places = entry_indices(e)
        for k, axis in enumerate(own.axes):
            for p in (places[k] + 1, places[k] - 1) if axis.kind in STEPS else ():
                other = own[(*places[:k], p, *places[k + 1:])]
                yield "shifted index", {"wrong": other, "right": e}, local.xreplace({e: other})
            if alone and k and axis.range == own.axes[k - 1].range and places[k] != places[k - 1]:
                other = own[(*places[:k - 1], places[k], places[k - 1], *places[k + 1:])]
                yield "transposed factor", {"wrong": other, "right": e}, local.xreplace({e: other})
    used = [t for n in dict.fromkeys(map(tensor_name, entries(local))) if (t := tensors.get(n)) is not None and t.axes]
    for own in used:
        for other in tensors.values():
            if like(own, other) and other.name != setting.program.objective:
                there = {e: entry_of(other, e) for e in entries(local) if tensor_name(e) == own.name}
                yield renamed(own, other), {"wrong": other.name, "right": own.name}, local.xreplace(there)
    for t in tensors.values() if link.through.free else ():
        for letters in fitting(t, link.through.free) if t.axes else ():
            yield "extra factor", {"factor": t[letters]}, local * t[letters]


def _groups(setting: Setting, name: str, links: list[Link]) -> Iterator[tuple[str, tuple[str, sp.Expr], Words, str]]:
    """Links through one definition together: the whole slope of z·σ(z), or of a softmax, left out; (u v)' taken as u' v'."""
    for k, one in enumerate(links):
        for other in links[k + 1:]:
            local = _product_of_slopes(one, other) if other.through is one.through else None
            if local is not None:
                rest = [link.expr() for link in links if link is not one and link is not other]
                words: Words = {"node": one.through.expr}
                yield "product of derivatives", (name, sp.Add(*rest, one.expr(local))), words, _place(setting, one)
    for d in dict.fromkeys(link.through for link in links):
        group = [link for link in links if link.through is d]
        plain = [link for link in group if not link.term.sums]
        if len(group) > 1 and plain:
            rest = [link.expr() for link in links if link.through is not d]
            expr = sp.Add(*rest, plain[0].expr(sp.S.One))
            slope: Words = {"link": f"d{d.name}/d{name}"}
            yield "missing activation slope", (name, expr), slope, _place(setting, plain[0])
            expr = sp.Add(*rest, plain[0].expr(d.entry))
            yield "value for the slope", (name, expr), {"name": d.name}, _place(setting, plain[0])


def _product_of_slopes(a: Link, b: Link) -> sp.Expr | None:
    """u' v' where two paths part at a product u v, and u'/v' at a quotient."""
    at = next((k for k, (p, q) in enumerate(zip(a.hops, b.hops, strict=False)) if p.k != q.k), None)
    if at is None or not isinstance(a.hops[at].node, sp.Mul) or a.term.sums or b.term.sums:
        return None
    node = a.hops[at].node
    rest = sp.Mul(*[f for k, f in enumerate(node.args) if k not in (a.hops[at].k, b.hops[at].k)])
    return sp.Mul(rest, *[h.slope for h in a.hops[:at]], _beyond(a.hops[at + 1:]), _beyond(b.hops[at + 1:]))


def _beyond(hops: tuple[Hop, ...]) -> sp.Expr:
    """The slope of one factor; of 1/v, the slope of v below the line."""
    if hops and isinstance(hops[0].node, sp.Pow) and hops[0].k == 0 and hops[0].node.exp == -1:
        return 1 / sp.Mul(*[h.slope for h in hops[1:]])
    return sp.Mul(*[h.slope for h in hops])
