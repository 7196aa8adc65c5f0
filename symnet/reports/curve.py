"""The loss over the epochs as an inline SVG, on a logarithmic scale when it falls far."""

from __future__ import annotations

import math

from symnet.core.training_log import TrainingLog
from symnet.reports.document import Picture

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 260, 84, 40, 14
MOST_POINTS = 400


def loss_curve(log: TrainingLog) -> Picture:
    """The curve of one run."""
    losses = log.losses
    logarithmic = min(losses) > 0 and max(losses) > 20 * min(losses)
    scaled = [math.log10(v) if logarithmic else v for v in losses]
    low, high = min(scaled), max(scaled)
    span = high - low or 1.0
    stride = max(1, len(losses) // MOST_POINTS)
    picked = sorted({*range(0, len(losses), stride), len(losses) - 1})

    def place(k: int) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 16) * k / max(1, len(losses) - 1)
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (1 - (scaled[k] - low) / span)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, picked))
    marks = "".join(_mark(low + span * f, logarithmic, TOP + (HEIGHT - TOP - BOTTOM) * (1 - f)) for f in (0, 0.25, 0.5, 0.75, 1))
    ticks = "".join(f'<text x="{place(k)[0]:.1f}" y="{HEIGHT - 20}" class="tick" text-anchor="middle">{k}</text>'
                    for k in sorted({0, (len(losses) - 1) // 2, len(losses) - 1}))
    words = (f"The loss stays at {losses[0]:.4g} for {log.epochs} epochs." if low == high else
             f"The loss falls from {losses[0]:.4g} to {losses[-1]:.4g} in {log.epochs} epochs." if losses[-1] < losses[0] else
             f"The loss goes from {losses[0]:.4g} to {losses[-1]:.4g} in {log.epochs} epochs.")
    scale = "loss (logarithmic)" if logarithmic else "loss"
    svg = (f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{words}">'
           f'{marks}{ticks}<polyline points="{line}" class="line"/>'
           f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" class="tick" text-anchor="middle">epoch</text>'
           f'<text x="14" y="{HEIGHT / 2}" class="tick" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">{scale}</text></svg>')
    return Picture(svg, words)


def _mark(value: float, logarithmic: bool, y: float) -> str:
    shown = 10**value if logarithmic else value
    return (f'<path d="M{LEFT} {y:.1f}H{WIDTH - 16}" class="grid"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="tick" text-anchor="end">{shown:.3g}</text>')
