"""Certificates: theorems about a derivation's gradients that a kernel which is not ours accepts."""
