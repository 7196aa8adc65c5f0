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
    valid = [v for v in dict(log.history).get("val_loss", ()) if math.isfinite(v)]
    valid = valid if len(valid) == len(losses) else []
    both = [*losses, *valid]
    logarithmic = min(both) > 0 and max(both) > 20 * min(both)
    scaled, other = ([math.log10(v) if logarithmic else v for v in series] for series in (losses, valid))
    low, high = min([*scaled, *other]), max([*scaled, *other])
    span = high - low or 1.0
    stride = max(1, len(losses) // MOST_POINTS)
    picked = sorted({*range(0, len(losses), stride), len(losses) - 1})

    def place(k: int, series: list[float] = scaled) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 16) * k / max(1, len(losses) - 1)
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (1 - (series[k] - low) / span)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, picked))
    dashes = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(k, other) for k in picked)) if valid else ""
    second = f'<polyline points="{dashes}" class="line" stroke-dasharray="5 4"/>' if valid else ""
    marks = "".join(_mark(low + span * f, logarithmic, TOP + (HEIGHT - TOP - BOTTOM) * (1 - f)) for f in (0, 0.25, 0.5, 0.75, 1))
    ticks = "".join(f'<text x="{place(k)[0]:.1f}" y="{HEIGHT - 20}" class="tick" text-anchor="middle">{k}</text>'
                    for k in sorted({0, (len(losses) - 1) // 2, len(losses) - 1}))
    words = (f"The loss stays at {losses[0]:.4g} for {log.epochs} epochs." if low == high else
             f"The loss falls from {losses[0]:.4g} to {losses[-1]:.4g} in {log.epochs} epochs." if losses[-1] < losses[0] else
             f"The loss goes from {losses[0]:.4g} to {losses[-1]:.4g} in {log.epochs} epochs.")
    if valid:
        words += f" That of the validation data, dashed, ends at {valid[-1]:.4g}."
    scale = "loss (logarithmic)" if logarithmic else "loss"
    svg = (f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{words}">'
           f'{marks}{ticks}<polyline points="{line}" class="line"/>{second}'
           f'<text x="{WIDTH / 2}" y="{HEIGHT - 4}" class="tick" text-anchor="middle">epoch</text>'
           f'<text x="14" y="{HEIGHT / 2}" class="tick" text-anchor="middle" transform="rotate(-90 14 {HEIGHT / 2})">{scale}</text></svg>')
    return Picture(svg, words)


STYLE = (".line{fill:none;stroke:#1f5fa8;stroke-width:1.8}.grid{stroke:#ddd;stroke-width:1;fill:none}"
         ".tick{font:12px sans-serif;fill:#333}")


def curve_file(log: TrainingLog) -> str:
    """The curve as an SVG file of its own."""
    picture = loss_curve(log).svg
    return picture.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f"><style>{STYLE}</style>", 1) + "\n"


def _mark(value: float, logarithmic: bool, y: float) -> str:
    shown = 10**value if logarithmic else value
    return (f'<path d="M{LEFT} {y:.1f}H{WIDTH - 16}" class="grid"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="tick" text-anchor="end">{shown:.3g}</text>')
