"""A page of hand-written work: its lines read, and every claim of them judged against a derivation."""
