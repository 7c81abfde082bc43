"""Charts as inline SVG: no script, no network, colours from the page's own style sheet.

Every function gives ``Markup``; all text in it is escaped here. Colours are CSS classes (``fill-ood``), so
one chart serves light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a stacked bar. ``style`` is the CSS class behind ``fill-``, ours and never a user's."""

    label: str
    count: int
    style: str


def stacked_bar(parts: Sequence[Part], *, height: int = 28, label: str) -> Markup:
    """One horizontal bar whose parts are as wide as their share of the total; empty without a count.

    A part keeps at least 1 % of the width, so that a single case stays visible.
    """
    shown = [p for p in parts if p.count > 0]
    total = sum(p.count for p in shown)
    if total == 0:
        return Markup("")
    widths = [max(10.0, 1000 * p.count / total) for p in shown]
    scale = 1000 / sum(widths)
    pieces = []
    x = 0.0
    for part, width in zip(shown, (w * scale for w in widths), strict=True):
        gap = 0 if len(shown) == 1 else 3
        pieces.append(
            Markup(
                '<rect class="fill-{}" x="{:.1f}" y="0" width="{:.1f}" height="{}"><title>{}</title></rect>'
            ).format(part.style, x, max(1.0, width - gap), height, f"{part.label}: {part.count} of {total}")
        )
        x += width
    summary = ", ".join(f"{p.label} {p.count}" for p in shown)
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 {h}" preserveAspectRatio="none" role="img" '
        'aria-label="{label}" height="{h}">{pieces}</svg>'
    ).format(h=height, label=f"{label}: {summary}", pieces=Markup("").join(pieces))


def interval(value: float, low: float, high: float, *, maximum: float = 1.0, style: str = "good") -> Markup:
    """A value with its interval on a scale from 0 to ``maximum``; what lies outside is drawn at the edge."""

    def x(share: float) -> float:
        return round(6 + 200 * min(max(share / maximum, 0.0), 1.0), 1)

    return Markup(
        '<svg class="interval" viewBox="0 0 212 16" preserveAspectRatio="xMinYMid meet" role="img" '
        'aria-label="{label}">'
        '<rect class="track" x="6" y="6" width="200" height="4" rx="2"/>'
        '<rect class="fill-{style} band" x="{low}" y="4" width="{width}" height="8" rx="4"/>'
        '<circle class="fill-{style}" cx="{value}" cy="8" r="5.5"/></svg>'
    ).format(
        label=f"{value:.2f}, 95 % interval {low:.2f} to {high:.2f}",
        style=style,
        low=x(low),
        width=max(2.0, round(x(high) - x(low), 1)),
        value=x(value),
    )


def loss_curve(points: Sequence[tuple[int, float]]) -> Markup:
    """Training loss over optimizer steps; empty with fewer than two finite points."""
    finite = [(step, loss) for step, loss in points if math.isfinite(loss)]
    if len(finite) < 2:
        return Markup("")
    width, height, left, bottom, top = 720, 240, 46, 34, 12
    first, last = finite[0][0], finite[-1][0]
    ticks = _ticks(0.0, max(loss for _, loss in finite))
    highest = ticks[-1]

    def place(step: float, loss: float) -> tuple[float, float]:
        x = left + (width - left - 14) * (step - first) / max(last - first, 1)
        y = top + (height - top - bottom) * (1 - max(loss, 0.0) / highest)
        return x, y

    grid = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(left, width - 14, y, y)
        + Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            left - 8, y + 4, f"{t:g}"
        )
        for t in ticks
        for y in (place(first, t)[1],)
    ]
    grid += [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            place(step, 0)[0], height - bottom + 18, f"{step:,}"
        )
        for step in sorted({first, round((first + last) / 2), last})
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(s, v) for s, v in finite))
    area = f"{left},{height - bottom} {line} {place(last, 0)[0]:.1f},{height - bottom}"
    end_x, end_y = place(*finite[-1])
    return Markup(
        '<svg class="curve" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{grid}'
        '<polygon class="area" points="{area}"/><polyline class="line" points="{line}"/>'
        '<circle class="dot" cx="{ex:.1f}" cy="{ey:.1f}" r="4"/>'
        '<text class="tick" x="{mid}" y="{h2}" text-anchor="middle">optimizer step</text></svg>'
    ).format(
        w=width,
        h=height,
        h2=height - 2,
        mid=(left + width) // 2,
        grid=Markup("").join(grid),
        area=area,
        line=line,
        ex=end_x,
        ey=end_y,
        label=f"Training loss from {finite[0][1]:.2f} at step {first} to {finite[-1][1]:.2f} at step {last}",
    )


def meter(share: float, *, style: str = "accent") -> Markup:
    """A small bar for a share 0..1, beside a number."""
    return Markup(
        '<svg class="meter" viewBox="0 0 60 6" aria-hidden="true">'
        '<rect class="track" width="60" height="6" rx="3"/>'
        '<rect class="fill-{}" width="{:.1f}" height="6" rx="3"/></svg>'
    ).format(escape(style), 60 * min(max(share, 0.0), 1.0))


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers from ``low`` to at least ``high``."""
    span = max(high - low, 1e-9)
    rough = span / 4
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough)
    count = math.ceil(span / step - 1e-9)
    return [round(low + i * step, 10) for i in range(count + 1)]


_MARKS = {
    "rows": '<circle cx="8" cy="8" r="2.4" class="fill-row"/>',
    "ood": '<circle cx="8" cy="8" r="5" class="fill-ood"/>',
    "conflict": '<path d="M8 2 14 13H2Z" class="fill-conflict"/>',
    "hard": '<path d="M3.5 3.5h9v9h-9Z" class="fill-hard"/>',
    "serving_mismatch": '<path d="M8 1.5 14.5 8 8 14.5 1.5 8Z" class="fill-serving_mismatch"/>',
    "undetermined": '<path d="M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5" class="stroke-undetermined"/>',
}


def cause_mark(kind: str) -> Markup:
    """The shape that stands for a root cause (or for training rows) on the map."""
    return Markup(  # noqa: S704 - our own shapes
        f'<svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{_MARKS[kind]}</svg>'
    )
