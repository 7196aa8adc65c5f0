"""What went wrong in a derivation by hand: the place first, then the slip by name, confirmed by proof. One engine for answers, lines of a
page and NumPy code.

`kinds` is the table of slips and their words. A claim is judged in a `setting`: the question, the truth, and both as numbers at a few
points (`sampled_points`). `chain_paths` takes the chain rule apart; `mutations` changes one link of it, by the `local_rules` of
differentiation, which gives a whole wrong derivation; `answer_edits` changes one place of the claim, `shape_slips` its axes, `source_edits`
its text, and `hidden_assumptions` adds an assumption. `search` sifts all of them by numbers, and `proof` confirms the likeliest.
`number_slips` does the same for a printed number, by exact arithmetic.
"""
