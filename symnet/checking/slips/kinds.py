"""Every kind of slip and its wording, in one table for answers, pages and code: the sentence, what is behind it, what to ask oneself.

The codes are stable and for programs. The order is that of likelihood: where several slips explain an answer, the first is named.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One row. ``sentence`` has the fields that a finding fills in; ``why`` explains, ``ask`` is the question that finds it next time."""

    code: str
    sentence: str
    why: str
    ask: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """A slip that explains a wrong answer, confirmed by proof.

    ``kind`` is stable and for programs, ``message`` for people, ``undo`` the answer with the slip undone, ``place`` where it is
    (a step, a factor, a term), ``hint`` the question to ask oneself and ``why`` the explanation.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = (w*x - y)**2"), wrt="w")
    >>> print(sn.diagnose("x*(w*x - y)", d, "w"))
    a factor 2 is missing
    """

    kind: str
    message: str
    undo: str
    place: str = ""
    hint: str = ""
    why: str = ""

    def __str__(self) -> str:
        where = f"in {self.place}: " if self.place and self.place not in self.message and self.place != WHOLE else ""
        return where + self.message

    def as_json(self) -> dict[str, str]:
        """The fields of the contract."""
        return {"kind": self.kind, "message": self.message, "undo": self.undo, "place": self.place, "hint": self.hint, "why": self.why}


WHOLE = "the answer as a whole"
_CHAIN = "Each arrow of the computation gives one factor: the derivative of what it leads to by what it comes from."
_USES = "A value that is used in several places gets the sum of what comes back from each of them."

ROWS: tuple[Kind, ...] = (
    Kind("difference reversed", "{wrong} stands where {right} belongs",
         "The derivative of (a - y)² is 2(a - y): the difference keeps its order, and turning it round changes the sign.",
         "In which order does the loss take the difference?"),
    Kind("sign", "the sign is wrong", "One minus sign was lost or put in.", "How many factors -1 are there along the chain?"),
    Kind("sum for mean", "a factor 1/{size} is missing: a sum stands where the mean belongs",
         "The loss is a mean over {size}; dividing by {size} is a factor of the gradient too.",
         "Does the loss divide by a number of samples?"),
    Kind("mean for sum", "a factor {size} is missing: a mean stands where the sum belongs",
         "The loss adds up over {size} and does not divide.", "Is the loss a sum or a mean?"),
    Kind("wrong size", "1/{wrong} stands where 1/{right} belongs",
         "The mean is over another axis than the one that was divided by.",
         "Over which axis does the mean go, and how long is it?"),
    Kind("constant", "a factor {factor} is {missing}",
         "A constant in front of the loss, or the 2 that comes down from a square, is a factor of the gradient.",
         "Which numbers stand in front of the loss, and which exponents come down?"),
    Kind("log base", "a factor {factor} is {missing}",
         "log base b of u is ln u/ln b, so its derivative is 1/(u ln b); only ln has 1/u.", "Is it the natural logarithm?"),
    Kind("learning rate", "the learning rate {rate} is in the gradient",
         "The learning rate belongs to the update step w - lr·gradient, not to the gradient.",
         "Is this the gradient, or already the step?"),
    Kind("missing activation slope", "the factor {link} is missing",
         "An activation between two layers gives its slope as a factor.", "Did the chain go through the activation?"),
    Kind("missing indicator", "the factor {link} is missing",
         "Where the unit is off its slope is 0, so nothing comes back through it; the indicator says so.",
         "What is the slope on the other side of the kink?"),
    Kind("missing outer derivative", "the factor {link} is missing: the outer derivative of the loss",
         "The chain starts at the loss itself: its own derivative is the first factor.",
         "What is the derivative of the loss by its input?"),
    Kind("missing chain factor", "the factor {link} is missing", _CHAIN, "Which arrows lie between the loss and the variable?"),
    Kind("doubled chain factor", "the factor {link} was taken twice", _CHAIN, "Does every arrow appear exactly once?"),
    Kind("slope at the output", "the slope of {name} was taken at {wrong} instead of {right}",
         "σ' is a function of the input z. Written with the output it is a(1 - a), with no further σ.",
         "At which value is the slope taken: before or after the activation?"),
    Kind("slope of another activation", "the slope of {wrong} stands where that of {right} belongs",
         "Written with its output a, the slope of the sigmoid is a(1 - a) and that of tanh is 1 - a².", "Which activation is it?"),
    Kind("value for the slope", "the value of {name} stands where its slope belongs",
         "The chain rule multiplies by derivatives, not by values.", "Is this the function, or its derivative?"),
    Kind("neighbouring weight", "{wrong} stands where {right} belongs",
         "Going back through a layer multiplies by the weight of that very layer.", "Which layer does this arrow belong to?"),
    Kind("wrong variable", "{wrong} stands where {right} belongs", "The factor is right in kind, but of another variable.",
         "Which value did the forward pass use here?"),
    Kind("shifted index", "{wrong} stands where {right} belongs: a step too far",
         "The gradient of a weight uses the state that the weight was multiplied with, that of the step before.",
         "Which step did the forward pass use here?"),
    Kind("swapped variables", "{wrong} and {right} are exchanged", "Two names changed places.",
         "Which is which in the forward pass?"),
    Kind("wrong link", "{wrong} stands where {right} belongs: a factor of another step", _CHAIN,
         "Which step does this factor belong to?"),
    Kind("inverted chain factor", "the factor {link} is upside down", "The chain rule multiplies by dz/dx, not by dx/dz.",
         "Which of the two is differentiated by which?"),
    Kind("missing diag", "the diagonal stands alone where the whole matrix belongs",
         "The Jacobian of an entry-by-entry function is diag(slope), a matrix with zeros outside the diagonal.",
         "Is the answer a vector or a matrix?"),
    Kind("jacobian layout", "the Jacobian is transposed: row and column are exchanged",
         "Here J[i, j] = ∂y_i/∂x_j (numerator layout); the other layout is its transpose.",
         "Which index is that of what is differentiated?"),
    Kind("transposed answer", "the answer is transposed", "A gradient has the shape of its variable, entry by entry.",
         "What is the shape of the variable, and which index comes first?"),
    Kind("softmax elementwise", "the softmax was differentiated entry by entry: the terms between different entries are missing",
         "Every output of a softmax depends on every input: its Jacobian is diag(s) - s sᵀ, and s(1 - s) is only the diagonal.",
         "Does entry i of the output depend on entry j of the input?"),
    Kind("missing off-diagonal terms", "only the diagonal of d{above}/d{of} was taken",
         "Every entry that was computed from this one sends something back, not only the one at the same place.",
         "Which entries use this one?"),
    Kind("missing time", "what comes back through {above} at the next step is missing",
         "A state acts on the loss directly and through the next state; both come back.", "Does a later step use this value?"),
    Kind("missing use", "the use of {of} in {above} is missing", _USES, "Where is this value used?"),
    Kind("one use alone", "only the use of {of} in {above} is there: the others are missing", _USES, "Where else is this value used?"),
    Kind("only the last step", "only the last place of the sum over {index} was taken", _USES,
         "Is it used at one step or at every step?"),
    Kind("only the first step", "only the first place of the sum over {index} was taken", _USES,
         "Is it used at one step or at every step?"),
    Kind("product rule", "the term {term} of the {rule} rule is missing",
         "(u v)' = u' v + u v': both factors are differentiated, one at a time.",
         "Which factors of the product depend on the variable?"),
    Kind("quotient rule sign", "the sign in the quotient rule is wrong at {node}",
         "(1/v)' = -v'/v²: the term of the denominator has a minus.", "Which of the two terms has the minus?"),
    Kind("quotient not squared", "the denominator is not squared in the derivative of {node}", "(1/v)' = -v'/v².",
         "What is the power of the denominator?"),
    Kind("power not lowered", "the exponent was not lowered in the derivative of {node}", "(u^n)' = n u^(n-1) u'.",
         "What is the exponent afterwards?"),
    Kind("missing exponent", "the exponent did not come down in the derivative of {node}", "(u^n)' = n u^(n-1) u'.",
         "Which number comes down?"),
    Kind("log derivative", "the derivative of {node} was taken as {wrong} instead of {right}", "(ln u)' = u'/u.",
         "What is the derivative of ln u?"),
    Kind("exponential derivative", "the derivative of {node} was taken as {wrong} instead of {right}",
         "(e^u)' = e^u u' and (a^u)' = a^u ln a u'; the power rule is for powers of the variable.",
         "Is the variable in the base or in the exponent?"),
    Kind("sign of a term", "the term {term} has the wrong sign", "One term of the sum has the wrong sign.",
         "Where does the minus of this term come from?"),
    Kind("held constant", "{names} were taken for constants: what comes back through them is missing",
         "A mean, a variance or a norm depends on every entry that goes into it, and so has a share in the gradient of each.",
         "Which values of the forward pass were computed from the variable?"),
    Kind("arguments exchanged", "in {line}, {wrong} and {right} stand in each other's place: this is the gradient of another function",
         "A cross-entropy is -Σ y log p, with the target in front and the prediction in the logarithm, and not the other way round.",
         "Which of the two is given, and which is computed?"),
    Kind("integrated", "{node} was integrated instead of differentiated",
         "The antiderivative raises the exponent, the derivative lowers it.", "Should the exponent go up or down?"),
    Kind("product of derivatives",
         "in {node} the derivatives were multiplied: the derivative of a product is not the product of the derivatives",
         "(u v)' = u' v + u v', and (u/v)' = (u' v - u v')/v².", "Is every factor differentiated one at a time?"),
    Kind("missing activation", "{wrong} stands where {right} belongs: the activation was left out",
         "What goes on is the activated value, not z.", "Before or after the activation?"),
    Kind("missing case", "right only where {condition}: the other case is missing",
         "A function in pieces has a derivative in pieces.", "What is the slope on the other side?"),
    Kind("factor of a term", "the term {term} has a factor {factor} {missing}", "Each term of a sum keeps its own constant.",
         "Which constant stands in front of this term?"),
    Kind("reversed indicator", "the indicator of {node} is turned round", "The slope passes where the unit is on.",
         "On which side of the kink is the slope not 0?"),
    Kind("wrong power", "{wrong} stands where {right} belongs", "An exponent is off by one.",
         "How often does this factor come up?"),
    Kind("another function", "{wrong} stands where {right} belongs", "The function is not the one of the forward pass.",
         "Which function is it?"),
    Kind("dropped term", "the term {term} is missing", "Every term of the sum is differentiated.",
         "Are there as many terms as in the forward pass?"),
    Kind("elementwise for matrix product", "{wrong} stands where {right} belongs: an entry-by-entry product for a matrix product",
         "A linear map sums over an index; an entry-by-entry product does not.", "Is there a sum over an index here?"),
    Kind("matrix product for elementwise", "{wrong} stands where {right} belongs: a matrix product for an entry-by-entry product",
         "An activation acts on each entry alone, so its slope multiplies entry by entry.", "Does entry i depend on entry j here?"),
    Kind("transposed factor", "{wrong} stands where {right} belongs: a factor is transposed",
         "Going back through z = W x multiplies by Wᵀ; the sum runs over the index of z.", "Which index is summed over?"),
    Kind("wrong order", "{wrong} stands where {right} belongs: the factors are in the wrong order",
         "A matrix product does not commute: the inner indices are the ones summed over.", "Which sizes meet in the middle?"),
    Kind("missing batch sum", "the sum over {index} is missing", _USES + " A bias is used by every sample.",
         "Which axis does the variable not have?"),
    Kind("wrong axis", "{wrong} stands where {right} belongs: the sum goes over the wrong axis",
         "The gradient keeps the axes of the variable and sums over the others.", "Which axis does the variable not have?"),
    Kind("summed too far", "the sum over {index} is too much: each entry of {of} has a gradient of its own",
         "The gradient has the shape of the variable.", "What is the shape of the variable?"),
    Kind("extra axis", "the answer has an axis of size 1 too many", "A gradient has exactly the shape of its variable.",
         "What is the shape of the variable?"),
    Kind("another gradient", "this is d{objective}/d{other}, not {yet}d{objective}/d{of}",
         "The answer is another line of the derivation.", "Which variable was asked for?"),
    Kind("extra factor", "the factor {factor} does not belong", "A factor is there that the right answer does not have.",
         "Which arrow gives this factor?"),
    Kind("extra term", "the term {term} is too much", "A term that does not depend on the variable has the derivative 0.",
         "Does this term depend on the variable?"),
    Kind("sign of a variable", "{name} has the wrong sign wherever it stands",
         "What comes back through a linear map is its transpose: of a rotation the cosines stay and the sines change their sign.",
         "Is this the map of the forward pass, or its transpose?"),
    Kind("wrong number", "{wrong} stands where {right} belongs",
         "A number in a sum is off by one.", "Which number stands here in the formula?"),
    Kind("missing upstream", "only the last factor {link} is there: what comes back to {above} is missing", _CHAIN,
         "What is the gradient of the line that uses the variable?"),
    Kind("no gradient", "backward gives None for {of}, and no gradient reaches it",
         "None says that nothing depends on an argument; PyTorch and JAX then add nothing to its gradient, and say nothing.",
         "Which arguments does the output depend on?"),
    Kind("needs_input_grad", "the gradient by {of} is right only where something else needs one too",
         "ctx.needs_input_grad has one entry for each argument of forward; each gradient asks for its own.",
         "Which entry of needs_input_grad belongs to this argument?"),
    Kind("not differentiated", "this is {other} itself, not a derivative",
         "The gradient says how the loss changes, not what it is.", "Is this a value or a derivative?"),
    Kind("missing factor", "the factor {factor} is missing", "A factor of the right answer is not there.",
         "Which factors does the forward pass give?"),
    Kind("hidden assumption", "right if {assumption}, which is not declared",
         "The formula is shorter under the assumption; without it, it is another one. The assumption can be declared.",
         "Is this always so, or only for this kind of data?"),
    Kind("flipped", "it is reversed along {axes}", "The entries are right and stand in reverse order.", "Where does the index start?"),
    Kind("halves exchanged", "the two halves along {axes} are exchanged", "Each half goes back to the half that it came from.",
         "Which half of the input made this half of the output?"),
    Kind("shape", "the values are right, the shape {wrong} should be {right}", "A gradient has the shape of its variable.",
         "What is the shape of the variable?"),
    Kind("eps", "{wrong} is added in the code and has no place in the derivation; without it this is right",
         "A small number that guards a division or a logarithm changes the function, and its derivative with it.",
         "Does the forward pass of the derivation have this number?"),
    Kind("another eps", "with {right} in place of {wrong} in the code it is right",
         "A small number that guards a division or a logarithm is part of the function.", "Is it the same on both sides?"),
    Kind("number", "with {right} in place of {wrong} in the code it is right", "A number in the code is not that of the derivation.",
         "Where does this number come from?"),
    Kind("assignment", "in {line} {wrong} stands where {right} belongs: with it this is right",
         "= puts a value in the place of what was there; += and -= keep that and add to it.",
         "Does the entry keep what was there before this line?"),
    Kind("comparison in code", "in {line} {wrong} stands where {right} belongs: with it this is right",
         "The slope passes where the unit is on, and is 0 where it is off.", "On which side of the kink is the slope not 0?"),
    Kind("axis in code", "in {line} {wrong} stands where {right} belongs: with it this is right",
         "A sum or mean goes over the axis that the formula sums over.", "Which axis does the formula sum over here?"),
    Kind("transposition in code", "in {line} the {right} factor of the product must be transposed: with it this is right",
         "A product of matrices sums over the last axis of the left factor and the first of the right one.",
         "Which two axes have the size that is summed over?"),
    Kind("wrong factor", "{wrong} was put in again where {right} belongs{sign}", "One factor of the product stands there twice.",
         "Does every factor of the formula appear exactly once?"),
    Kind("wrong argument", "{function} gives {value} at about {wrong}, but its input here is {right}",
         "The function was taken at another number.", "Which number goes in?"),
    Kind("cut off", "the digits were cut off, not rounded", "A digit of 5 or more after the last one shown rounds it up.",
         "What is the next digit?"),
    Kind("decimal point", "the decimal point is misplaced", "The digits are right.", "About how large must it be?"),
    Kind("digits exchanged", "two digits are exchanged: {right}", "The digits are right, their order is not.", "Was it copied right?"),
    Kind("not exact", "it is not {printed} exactly", "= says that both sides are the same number; ≈ says that one is rounded.",
         "Is it rounded?"),
    Kind("rounded early", "follows from numbers rounded too early: {source}", "What is rounded on the way is off at the end.",
         "How many digits do the numbers before need?"),
    Kind("carried", "follows from {source}", "It is computed right from something wrong: no new error.", "Which line is wrong first?"),
    Kind("numbers put in", "these are not the numbers of the formula before{values}", "Each name stands for its own number.",
         "Which number has each name?"),
)
KINDS: dict[str, Kind] = {row.code: row for row in ROWS}
RANK: dict[str, int] = {row.code: k for k, row in enumerate(ROWS)}
SIGN, CONSTANT = " and the sign is wrong", " and a factor {factor} is {missing}"


def mistake(code: str, fields: dict[str, str], undo: str = "", place: str = "", ratio: str = "") -> Mistake:
    """The finding in words. ``ratio`` is "sign" or "constant" where a second slip came with the first."""
    row = KINDS[code]
    message = row.sentence.format(**fields)
    if ratio == "sign":
        message += ("," if ", which" in message else "") + SIGN
    elif ratio:
        message += CONSTANT.format(factor=fields["also"], missing=fields["also_missing"])
    return Mistake(code + (f", {ratio}" if ratio else ""), message, undo, place, row.ask, row.why.replace("{size}", fields.get("size", "")))
