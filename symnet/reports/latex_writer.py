"""Story -> a LaTeX document that pdflatex reads with two Debian packages (texlive-latex-base, texlive-latex-recommended)."""

from __future__ import annotations

from symnet.reports.document import Formula, Link, Picture, Rich, StepView, Story, Table
from symnet.reports.loading import environment

ESCAPE = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
          "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
          '"': r"\textquotedbl{}", "−": r"$-$", "≈": r"$\approx$", "×": r"$\times$", "α": r"$\alpha$", "∂": r"$\partial$",
          "…": r"\ldots{}", "²": r"$^2$", "–": "--", "—": "---", "≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$", "'": "'",
          "‘": "`", "’": "'", "“": "``", "”": "''", "σ": r"$\sigma$", "·": r"$\cdot$", "√": r"$\surd$", "ε": r"$\varepsilon$"}
ESCAPE['"'] = "''"
GREEK = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi "
         "omega").split()
ESCAPE |= {chr(0x3B1 + k): rf"$\{name}$" for k, name in enumerate(GREEK) if name not in ("epsilon", "omicron")}
ESCAPE |= {c: rf"$\{name}$" for c, name in zip("ΓΔΘΛΞΠΣΦΨΩ∇∞∈∀∃→⇒⊙ℓ", (
    "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega nabla infty in forall exists to Rightarrow odot ell").split(), strict=True)}
ESCAPE |= {c: rf"$^{{{k}}}$" for c, k in zip("⁰¹³⁴⁵⁶⁷⁸⁹ᵀⁿᵗ", ("0", "1", "3", "4", "5", "6", "7", "8", "9", r"\top", "n", "t"), strict=True)}
ESCAPE |= {chr(0x2080 + k): rf"$_{k}$" for k in range(10)}


def escape_latex(text: str) -> str:
    """Text that no TeX command can hide in; a letter this document has no glyph for is shown as its code point.

    >>> escape_latex(r"\\input{x} 5%")
    '\\\\textbackslash{}input\\\\{x\\\\} 5\\\\%'
    """
    return "".join(ESCAPE.get(c, c if " " <= c <= "~" or c in "äöüÄÖÜßéèáàóòíìúùñç" else " " if c.isspace() else f"[U+{ord(c):04X}]")
                   for c in text)


def write_latex(story: Story) -> str:
    """The document."""
    template = environment("latex").get_template("report.tex.j2")
    return str(template.render(story=story, esc=escape_latex, rich=_rich, block=_block))


def _rich(pieces: Rich) -> str:
    return "".join(_piece(p) for p in pieces)


def _piece(piece: str | Formula | Link) -> str:
    if isinstance(piece, str):
        return escape_latex(piece)
    formula = piece.formula if isinstance(piece, Link) else piece
    inside = f"${formula.latex.strip()}$" if formula.latex.strip() else escape_latex(formula.text)
    return rf"\hyperlink{{{piece.anchor}}}{{{inside}}}" if isinstance(piece, Link) else inside


def _block(block: object) -> str:
    if isinstance(block, StepView):
        return _step(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Picture):
        return escape_latex(block.words) + "\n"
    assert isinstance(block, tuple)
    return _rich(block) + "\n"


def _step(step: StepView) -> str:
    rows = []
    for stage in step.stages:
        if not stage.formula.latex.strip():
            continue
        label = rf"\stage{{{escape_latex(stage.label)}}}"
        rows.append(rf"\[ {label}\fitted{{{stage.formula.latex.strip()}}} \]")
    why = "".join(rf"\why{{{_rich(s)}}}" + "\n" for s in step.why)
    head = rf"\step{{{step.anchor}}}{{{escape_latex(step.number)}}}{{{_rich(step.title)}}}"
    return head + "\n" + "\n".join(rows) + "\n" + why


def _table(table: Table) -> str:
    weights = table.widths if len(table.widths) == len(table.head) else (1.0,) * len(table.head)
    widths = [(1 - 0.03 * len(weights)) * w / sum(weights) for w in weights]
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{w:.3f}\linewidth}}" for w in widths)
    head = " & ".join(rf"\textbf{{{escape_latex(h)}}}" for h in table.head)
    rows = "\n".join(" & ".join(_rich(c) for c in row) + r" \\ \addlinespace[2pt]" for row in table.rows)
    return (rf"{{\small\begin{{longtable}}{{@{{}}{columns}@{{}}}}" + "\n\\toprule\n" + rf"{head} \\" + "\n"
            + r"\midrule \endhead" + "\n" + rows + "\n" + r"\bottomrule \end{longtable}}" + "\n")
