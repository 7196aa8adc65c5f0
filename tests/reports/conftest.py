"""Lets the report tests import their reader as ``reports.reading``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = str(Path(__file__).parents[1])
if HERE not in sys.path:
    sys.path.append(HERE)
