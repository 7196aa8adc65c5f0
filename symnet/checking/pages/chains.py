r"""A line of text or LaTeX -> the chains left = right = … ≈ number that stand in it. Text is looked at, never evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symnet.core.functions import BY_NAME
from symnet.core.names import GREEK
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.tokens import RAISED, plain
from symnet.parsing.written_slopes import SLOPE

NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,3})?\Z")
SHORT = r"[A-Za-z]\w{0,15}(?:\[[\w, +\-]{1,20}\])?'?"
RELATION = r"(?:≈|≃|≅|:=|←|(?<![<>!=~])=(?![=>]))"
FUNCTION = r"[A-Za-z]\w*'?\(\s*[A-Za-z]\w{0,3}\s*\)"  # σ'(z) = …
CLAIM = re.compile(rf"(?<![\w'.)\]])(\(?)((?:{SLOPE})|(?:{FUNCTION})|(?:{SHORT}))(\)?)\s*(?={RELATION})")
NAMED = re.compile(rf"((?:{SLOPE})|(?:{SHORT})):\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\Z")  # dL/dw1: -0.063
ARROWS = frozenset({"←", "\\leftarrow", "\\gets"})
CALLED = re.compile(rf"\A({SHORT})\([\w, ]{{1,20}}\)\s*(?={RELATION})")  # L(w) = …
SPLIT = re.compile(rf"\s*({RELATION})\s*")
WORD = re.compile(r"[A-Za-z]{2,}")
STOPS = frozenset("""where so and which because since with as is are by at but then thus hence or when while using that this from the we
    to in of approximately approx about roughly gives giving therefore here holds for our its it be again also only just was""".split())
LETTERS = frozenset(FUNCTIONS) | frozenset(BY_NAME) | frozenset({"np", "if", "else"})
ASIDE = re.compile(r"(?<![-+*/@^(=])\s+\(([A-Za-z]+(?:[ ,.'-]+[A-Za-z]+)*)[.,]?\)\s*\Z")
REASON = re.compile(r"\s+\((?:since|because|as|where|with|by|using|from|for|see|here|note|recall|eq\.?|equation)\b"
                    r"[^()]*(?:\([^()]*\)[^()]*)*\)\s*\Z", re.I)
NUMBERED = r"\((?:\d{1,2}(?:\.\d{1,2})?[a-z]?|[a-z]|[ivx]{1,4}|\*{1,3})\)"  # an equation's number
LABEL = re.compile(rf"(?:\s{{2,}}|\t){NUMBERED}[ .]*\Z")  # set apart
LATEX_LABEL = re.compile(rf"(?:\\(?:q?quad|hfill|hspace\{{[^{{}}]*\}})\s*)+"
                         rf"(?:\\text\{{)?{NUMBERED}\}}?[ .]*\Z|\\(?:tag|label)\*?\{{[^{{}}]*\}}")
LEADING = re.compile(r"\A\s*(?:\\(?:therefore|because|implies|iff|Rightarrow|Longrightarrow|Leftrightarrow|to|[,;:! ])(?![A-Za-z])\s*)+")
APART = re.compile(r"(?<!\\)[,;]\s*(?:\\(?:q?quad|[,;:! ]))*|(?:\\q?quad\s*)+|\\text\{\s*(?:and|so|hence|thus|therefore|then|,|;)\s*\}")
BEHIND = re.compile(r"(?<=\S)(?:\\(?:q?quad|[,;:! ])|[\s,;(])*\\(?:text|mathrm|textrm)\{(?!\w+\s*\}\s*\})\s*\(?"
                    r"(?:for|if|when|whenever|since|because|as|by|using)\b.*\Z", re.I)  # \text{for } t = 0, 1, 2; not b_{1,\mathrm{if}}
BEHIND_TEXT = re.compile(r"\s+(?:for|if|when|where)\s+[a-z]\s*=\s*[\w+\- ]+?(?:\.\.|,\s*(?:\.\.\.|…)\s*,)"
                         r"\s*[\w+\- ]*[^()]*(?:\([^()]*\))?[.\s]*\Z")
LOSS_AT = re.compile(r"\A(\\mathcal\s*\{?\s*[LJ]\s*\}?|[LJCE])\s*(?:\\left)?\([^()=]*\)\Z")  # J(w) = …
STEP = re.compile(r"\s*(\\?[A-Za-z]+(?:_\{?\w+\}?)?)\s*([_^]\{\s*\(?\s*(?:([tkn])\s*\+\s*)?1\s*\)?\s*\})\s*(?:=|\\leftarrow|\\gets|:=)")
CONDITION = re.compile(r"(?:for|if|when|where|case)\s+[i-n]\s*(?:=|!=)\s*[i-n]\s*:\s*(?=\S)", re.I)  # For i != j: dp_i/dz_j = …
QUOTED = re.compile(r"\b(?:as it stands|printed|wrong|mistake|incorrect)\b", re.I)
DECIMAL_COMMA = re.compile(r"\d,\d")  # is left in, so that reading it asks for a point
SPANS = re.compile(r"(?<!\\)\$([^$]+)\$|\\\((.+?)\\\)")
LATEX_RELATION = re.compile(r"\\(?:approx(?:eq)?|simeq|doteq|coloneqq|leftarrow|gets|equiv)(?![A-Za-z])|:=|≈|(?<![<>!=])=(?!=)")
TRAIL = re.compile(r"(?<!\\)\\(?:q?quad|,|;|:|!| )|\\(?:text|mathrm|textit|textrm)\{(?!(?:if|otherwise|else|where)\b)[^{}]*\s[^{}]*\}")
BRACE = re.compile(r"\\(?:under|over)brace\{((?:[^{}]|\{[^{}]*\})*)\}\s*[_^]\s*\{(?:[^{}]|\{[^{}]*\})*\}")
BOXED = re.compile(r"\A\s*\\boxed\{(.*)\}\s*[.,]?\s*\Z", re.S)
MARKS = re.compile(r"\A(?:\s*>\s*)*(?:[-+•*]\s+|\(?(?:\d{1,2}|[a-hj-z]|[ivx]{1,4})[.)]\s+)?(?:\[[ xX]\]\s+)?")  # of a list
SCIENTIFIC = re.compile(r"(?<=\d)\s*(?:\*|×|·|⋅|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*[({]?\s*([-−+]?\d{1,3})\s*[)}]?")
UPDATED = re.compile(r"\b(?:new|updated)\s+([A-Za-z]\w{0,9})(?=\s*(?:=|≈|:=))|\b([A-Za-z]\w{0,9})\s*\((?:new|updated)\)", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """A chain as it stands in a line; ``stated`` when it stands in the middle of a sentence."""

    left: str
    links: tuple[tuple[str, str], ...]
    stated: bool = False
    latex: bool = False
    defines: bool = False
    updates: bool = False  # w ← w - …
    before: str = ""  # the words of the sentence in front
    labelled: bool = False  # dL/dw1: -0.063, and "Step: 2", which says nothing of a name
    condition: str = ""  # for t = 1..T - 1, behind the line


def tidy(text: str) -> str:
    """Without list marks, emphasis and code marks; Unicode maths as plain text.

    >>> tidy("- **∂L/∂w₂** = `2(a₂ − y)`"), tidy("3. (a - y)**2")
    ('dL/dw2 = 2(a2 - y)', '(a - y)**2')
    """
    body = MARKS.sub("", text)
    body = re.sub(r"(?:(?<=\s)|(?<=\A)|(?<=[(|]))(\*\*|__)(?=[A-Za-z(`$\\∂\d])(.+?)(?<=\S)\1(?=[\s.,:;=≈)|!]|\Z)", r"\2", body)
    body = re.sub(r"(?:(?<=\s)|(?<=\A))([*_])(?=[A-Za-z(`∂])([^*_]+?(?:_\w+)?)(?<=\S)\1(?=[\s.,:;=≈)|]|\Z)", r"\2", body)
    body = re.sub(r"⁽([^⁾]{1,20})⁾", lambda m: "^(" + "".join(RAISED.get(c, c) for c in m[1]) + ")", body)
    body = plain(body.replace("`", "").replace("∂", "d").replace("⋅", "*").replace("∗", "*").replace("’", "'"))
    body = SCIENTIFIC.sub(lambda m: "e" + m[1].replace("−", "-"), body)
    body = re.sub(r"\b([A-Za-z]\w*)\.grad\b", r"\1_grad", body)  # as PyTorch writes it
    return UPDATED.sub(lambda m: (m[1] or m[2]) + "_new", body).strip()


def text_chains(text: str) -> list[Found]:
    """Every chain in a line of text, its LaTeX spans too."""
    spans = [a or b for a, b in SPANS.findall(text)]
    if any(LATEX_RELATION.search(s) for s in spans):
        return [replace(f, before=text[:m.start()]) for m in SPANS.finditer(text) for f in latex_chains(m[1] or m[2])
                if f.left or not re.search(r"\w", MARKS.sub("", text[:m.start()]))]  # "it moves by $= 3$" says nothing of the line before
    if not spans and re.search(r"\\[A-Za-z]{2,}", text) and LATEX_RELATION.search(text):
        return latex_chains(MARKS.sub("", text))
    body = tidy(SPANS.sub(lambda m: m[1] or m[2], text)) if spans else tidy(text)
    behind = BEHIND_TEXT.search(body)
    if behind:
        return [replace(f, condition=behind[0]) for f in text_chains(body[:behind.start()])]
    defines = bool(re.match(r"(?:let|define|set|put|write)\s", body, re.I))
    body = re.sub(r"\A(?:(?:let|define|set|put|write)\s+|[∴⇒⟹→]\s*|[=-]>\s*)", "", body, flags=re.I)
    named = NAMED.match(body)
    if named:
        return [Found(named[1], (("≈", named[2]),), labelled=True)]
    stated = CONDITION.match(body)
    if stated:
        return [replace(f, condition=stated[0]) for f in text_chains(body[stated.end():])]
    label = re.match(r"[^=≈]{0,80}?:(?!=)\s*(?=\S)", body)
    if label and QUOTED.search(label[0]):
        return []  # "as it stands: z = 7" is what somebody else says
    if label and (label.end() < len(body)):
        body = body[label.end():]
        if re.match(RELATION, body):
            return []
    start = re.match(rf"({RELATION})\s*", body)
    if start:
        links = tuple(_links(body, whole=True))
        return [Found("", links)] if links and any(re.search(r"[\d(*+/]", t) for _, t in links) else []
    return list(_scan(body, defines)) or _equation(body)


def _equation(body: str) -> list[Found]:
    """A whole line with something else than a name on the left: w2 - 0.1*dL/dw2 = 0.817. What is no maths there is told when it is read."""
    body = re.sub(r"\A(?:so|then|thus|hence|therefore|and|now)\b[,\s]*", "", body, flags=re.I)
    sign = next((m for m in SPLIT.finditer(body) if _level(body[:m.start()]) == 0), None)
    left = body[:sign.start()].strip() if sign else ""
    if sign is None or not left or NUMBER.match(left):
        return []
    words = [w for w in WORD.findall(left) if w not in LETTERS]
    if any(re.search(rf"\w\s+{w}\s+\w", left) for w in words if w.islower() and w not in GREEK):
        return []  # s enters h = s
    links = tuple(_links(body[sign.start():], whole=True))
    telling = any(re.search(r"[\d(*+/^]", t) for _, t in links)
    return [Found(left, links)] if links and telling and len(words) <= 1 and not re.search(r"[.?!:]\s", left) else []


def _scan(body: str, defines: bool) -> Iterator[Found]:
    """Claim after claim, from left to right."""
    at = 0
    body = CALLED.sub(lambda m: m[0] if m[1].rstrip("'") in LETTERS else m[1] + " ", body)
    while (claim := CLAIM.search(body, at)) is not None:
        before = body[:claim.start()].rstrip()
        whole = not before or before[-1] in ";,.:" or before.endswith(("=>", "⇒", "→", "->"))
        bracketed = claim[1] == "(" and claim[3] == ")"
        if (before and before[-1] in "*/+-^=≈({") or (claim[3] and not claim[1]) or claim[2] in STOPS:
            at = claim.end()  # it goes on with something: w * b = …
            continue
        links = tuple(_links(body[claim.end():], whole))
        at = claim.end() + max(_span(body[claim.end():], whole), 1)
        if links:
            function = re.fullmatch(FUNCTION, claim[2])
            if function and claim[2].partition("(")[0].rstrip("'") not in LETTERS:
                continue  # f(x) = … of a function that nobody knows
            sign = SPLIT.match(body, claim.end())
            said = claim[2] if function or re.search(r"[\^_]\(", claim[2]) else claim[2].replace("(", "").replace(")", "")
            yield Found(said, links, stated=not whole or bracketed,
                        defines=defines or (sign is not None and sign[1] == ":="), updates=sign is not None and sign[1] in ARROWS,
                        before=body[:claim.start()])


def _span(text: str, whole: bool) -> int:
    """How much of ``text`` its links take up."""
    return sum(len(raw) for raw, _, _ in _raw_links(text, whole))


def _links(text: str, whole: bool) -> Iterator[tuple[str, str]]:
    for _, relation, link in _raw_links(text, whole):
        if link:
            yield ("≈" if relation in "≈≃≅" else "="), link


def _raw_links(text: str, whole: bool) -> Iterator[tuple[str, str, str]]:
    """(what was read, relation, link) until prose begins."""
    at = 0
    while (sign := SPLIT.match(text, at)) is not None:
        end = next((m.start() for m in SPLIT.finditer(text, sign.end()) if _level(text[sign.end():m.start()]) <= 0), len(text))
        body = text[sign.end():end]
        cut = _prose(body, whole)
        link = _without_aside(body[:cut]).strip().rstrip(" .,;:!")
        if not link or not _mathy(link, whole):
            return
        yield text[at:sign.end() + cut], sign[1], link
        if cut < len(body):
            return
        at = end


def _without_aside(text: str) -> str:
    """Without a number of the equation, a reason such as (since da/db = 1) or a remark such as (rounded to three) at the end."""
    text = REASON.sub("", LABEL.sub("", text))
    aside = ASIDE.search(text)
    words = re.findall(r"[A-Za-z]{3,}", aside[1]) if aside and " - " not in aside[1] else []
    return text[:aside.start()] if aside and any(w not in LETTERS | GREEK for w in words) else text


def _mathy(link: str, whole: bool) -> bool:
    """In a sentence only what looks like maths is a link; at the start of a line everything but words alone is."""
    words = [w for w in WORD.findall(link) if w not in LETTERS | GREEK]
    if NUMBER.match(link):
        return True
    if not whole:
        return bool(re.search(r"[*/+^()-]", link)) and not re.match(r"\d+[A-Za-z]", link)
    return not (words and re.fullmatch(r"[A-Za-z][A-Za-z' -]*", link) and (len(words) > 1 or (words[0].islower() and len(words[0]) > 3)))


def _prose(text: str, whole: bool) -> int:
    """Where the maths ends: a comma or semicolon outside of brackets, an arrow, the end of a sentence, or words."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if depth < 0 and c == ")":
            return k
        if depth > 0:
            continue
        if (c in ",;⇒→" and not DECIMAL_COMMA.match(text, max(k - 1, 0))) or text.startswith(("=>", "->", ". "), k):
            return k
        word = WORD.match(text, k) if c.isalpha() and (k == 0 or not (text[k - 1].isalnum() or text[k - 1] in "_'")) else None
        if word and k > 0 and _is_prose(text, k, word, whole):
            return k
    return len(text)


def prose_in(text: str) -> bool:
    """True where two words stand side by side."""
    return any(not {m[1], m[2]} & (LETTERS | GREEK) for m in re.finditer(r"\b([A-Za-z]{2,})[,:;]? (?=([A-Za-z]{2,}))", text))


def _is_prose(text: str, k: int, word: re.Match[str], whole: bool) -> bool:
    if word.end() < len(text) and (text[word.end()].isdigit() or text[word.end()] in "_'(."):
        return False
    said = word.group()
    if said in LETTERS or said in GREEK:
        return False
    before, after = text[:k].rstrip(), text[word.end():].lstrip()
    if said.lower() in STOPS:
        return not before.endswith(tuple("*/+-^@("))
    return not whole and not before.endswith(tuple("*/+-^@(")) and not after.startswith(tuple("*/+-^@)"))


def latex_chains(text: str) -> list[Found]:
    r"""The chain in a piece of LaTeX, split at = and \approx outside of braces and brackets.

    >>> latex_chains(r"\frac{\partial L}{\partial w} = 2(a - y) x \approx -0.89")[0].links
    (('=', '2(a - y) x'), ('≈', '-0.89'))
    """
    body = LEADING.sub("", LATEX_LABEL.sub("", text))
    behind = BEHIND.search(body) if r"\begin" not in body else None
    made = [found for part in _equations(body[:behind.start()] if behind else body) for found in _latex_chain(part)]
    return [replace(f, condition=behind[0]) for f in made] if behind else made


def _equations(text: str) -> list[str]:
    """The equations of a display that holds several, side by side: each has a relation of its own, with a name to its left."""
    parts, start = [], 0
    for sign in APART.finditer(text):
        left, right = text[start:sign.start()], text[sign.end():]
        relation = LATEX_RELATION.search(right)
        if _in_rows(text, sign.start()):
            continue
        if _level(text[:sign.start()]) == 0 and LATEX_RELATION.search(left) and relation and _level(right[:relation.start()]) == 0 \
                and not APART.search(right[:relation.start()]) and right[:relation.start()].strip():
            parts.append(left)
            start = sign.end()
    return [*parts, text[start:]]


def _latex_chain(text: str) -> list[Found]:
    """The one chain of an equation."""
    text = _steps(text)
    body = BRACE.sub(r"(\1)", BOXED.sub(r"\1", TRAIL.sub(" ", BRACE.sub(r"(\1)", text))))
    cuts = [m for m in LATEX_RELATION.finditer(body) if _level(body[:m.start()]) == 0 and not _in_rows(body, m.start())]
    if not cuts:
        return []
    ends = [*[m.start() for m in cuts[1:]], len(body)]
    links = tuple(("≈" if re.search("approx|simeq|doteq|≈", m.group()) else "=", latex_link(body[m.end():end]))
                  for m, end in zip(cuts, ends, strict=True))
    left = LOSS_AT.sub(r"\1", body[:cuts[0].start()].strip())
    if not all(t for _, t in links):
        links = tuple(pair for pair in links if pair[1])
    first = cuts[0].group()
    return [Found(left, links, latex=True, defines=first in (":=", "\\coloneqq"), updates=first in ARROWS)] if links else []


def _in_rows(text: str, at: int) -> bool:
    """True inside of a matrix or of cases."""
    return text.count(r"\begin{", 0, at) > text.count(r"\end{", 0, at)


def _steps(text: str) -> str:
    r"""w^{(t+1)} = w^{(t)} - … as w^{new} = w - …, and so w_{t+1} and w^{(1)} = w^{(0)} - …"""
    step = STEP.match(text)
    if step is None:
        return text
    name, count = step[1].strip(), step[3] or "0"
    old = re.compile(rf"(?<=\w|\}})\s*{re.escape(step[2][0])}(?:\{{\s*\(?\s*{count}\s*\)?\s*\}}|{count}(?!\w))")
    body, found = old.subn("", text[step.end():])
    return f"{name}^{{\\mathrm{{new}}}} = {body}" if found and name in body else text


def latex_link(text: str) -> str:
    """A link without what stands at its end; a number as a number.

    >>> latex_link(" -0{.}89 ,"), latex_link("1.5 \\\\times 10^{-3}")
    ('-0.89', '1.5e-3')
    """
    bare = text.replace("{.}", ".").replace("{,}", "").strip().rstrip(".,; ").strip()
    number = re.sub(r"[{}\s]", "", SCIENTIFIC.sub(lambda m: "e" + m[1], bare).replace("−", "-"))
    return number if NUMBER.match(number) else bare


def _level(text: str) -> int:
    """How deep in braces and brackets the end of ``text`` lies."""
    return sum((c in "{([") - (c in "})]") for c in text)
