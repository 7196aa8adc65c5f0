"""The matrix product of the BLAS library that NumPy brings, as an address that C code can call."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import numpy as np

NAMES = {"float64": ("scipy_cblas_dgemm64_", "cblas_dgemm64_"), "float32": ("scipy_cblas_sgemm64_", "cblas_sgemm64_")}


@functools.cache
def gemm(dtype: str) -> int:
    """The address of cblas_dgemm or cblas_sgemm with 64-bit sizes; 0 where NumPy's library is not found."""
    home = Path(np.__file__).parent
    places = [*home.parent.glob("numpy.libs/*blas*"), *home.glob(".dylibs/*blas*")]
    for place in sorted(places):
        try:
            found = ctypes.CDLL(str(place))
        except OSError:
            continue
        for name in NAMES[dtype]:
            if hasattr(found, name):
                return ctypes.cast(getattr(found, name), ctypes.c_void_p).value or 0
    return 0
