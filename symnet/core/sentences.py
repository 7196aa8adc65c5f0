"""A capital at the start of a sentence, where it starts with a word and not with a symbol."""

from __future__ import annotations

from collections.abc import Container

# The words that symnet's own sentences start with. Any other first word may be a name, which a capital would change: a1, loss, relu.
WORDS = frozenset((
    "according after all also an any as at before between both by collect each every exactly first "
    "follows for from given half here how if in it its just last less more most neither no none not "
    "nothing nowhere one only or other put right run same several since some suppose that the their there "
    "these they this those to two under what when where which while with without write written wrong your "
).split())
VERBS = frozenset("and belongs comes does equals gives goes has is meets or stands times was were".split())


def capitalised(text: str, names: Container[str] | None = None) -> str:
    """``text`` with a capital, unless that would make another symbol of its first letter.

    Where the ``names`` of symbols are known, any other word is a word; else the words are those that symnet starts a sentence with.

    >>> capitalised("the sign is wrong"), capitalised("a1 stands where y belongs")
    ('The sign is wrong', 'a1 stands where y belongs')
    >>> capitalised("a factor 2 is missing"), capitalised("a stands where y belongs")
    ('A factor 2 is missing', 'a stands where y belongs')
    """
    first, _, rest = text.partition(" ")
    after = rest.partition(" ")[0].strip(",.;:")
    word = first.rstrip(",;:")
    if names is not None:
        return text[:1].upper() + text[1:] if word.replace("-", "").isalpha() and word not in names else text
    if word in WORDS or (word == "a" and after.isalpha() and len(after) > 1 and after not in VERBS):
        return text[0].upper() + text[1:]
    return text
