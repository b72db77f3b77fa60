"""What pictures look like to those who see two kinds of light, or one: for tests, and for the kernels of lessons."""

import itertools
from typing import Any

import matplotlib.colors
import numpy as np
from matplotlib.figure import Figure

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB; greyscale by the luminance of sRGB
SEEN_BY = {
    "anyone": np.eye(3),
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "greyscale": [[0.2126, 0.7152, 0.0722]] * 3,
}
LAB_WHITE = np.array([0.9505, 1.0, 1.089])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
APART = 15  # CIE 1976 distance: clear at a glance; about 2 can just be told apart side by side


def linear(colour) -> np.ndarray:
    """Linear RGB of a matplotlib colour on white."""
    *rgb, alpha = matplotlib.colors.to_rgba(colour)
    rgb = np.array(rgb) * alpha + 1 - alpha
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast_with_white(colour) -> float:
    """WCAG's ratio."""
    return 1.05 / (linear(colour) @ np.array(SEEN_BY["greyscale"][0]) + 0.05)


def cielab(colour, eyes: str) -> np.ndarray:
    ratio = TO_XYZ @ np.clip(np.array(SEEN_BY[eyes]) @ linear(colour), 0, 1) / LAB_WHITE
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, eyes: str) -> float:
    return float(np.linalg.norm(cielab(one, eyes) - cielab(other, eyes)))


def look(line) -> tuple:
    """All of a curve but its colour."""
    marker = line.get_marker()
    return line._unscaled_dash_pattern, str(marker), line.get_linewidth()


def side_by_side(one, other) -> bool:
    """Whether one curve ends before the other begins: columns, which the axis tells apart."""
    first, second = sorted((line.get_xdata() for line in (one, other)), key=lambda x: min(x, default=0))
    return max(first, default=0) < min(second, default=0)


def confused(figure: Figure) -> list[str]:
    """Pairs of curves of one pair of axes that look alike to somebody, and named curves too pale for white paper."""
    found = []
    for ax in figure.axes:
        lines = [line for line in ax.lines if line.get_visible()]
        for one, other in itertools.combinations(lines, 2):
            named = not (one.get_label().startswith("_") and other.get_label().startswith("_"))
            # of curves without a name, those of one colour are one group
            if not named and (one.get_color() == other.get_color() or side_by_side(one, other)):
                continue
            alike = [eyes for eyes in SEEN_BY if distance(one.get_color(), other.get_color(), eyes) < APART]
            if look(one) == look(other) and (named or alike):
                found.append(
                    f"{ax.get_title()}: {one.get_label()} and {other.get_label()}, {alike or 'by colour alone'}"
                )
        for line in lines:
            if not line.get_label().startswith("_") and contrast_with_white(line.get_color()) < 3:
                found.append(f"{ax.get_title()}: {line.get_label()} is too pale")
    return found


def figure_of(shown: Any) -> Figure | None:
    """The picture that a cell's result shows: a figure, or that of a filmstrip with what its controls say."""
    if not hasattr(shown, "_draw"):
        return shown if isinstance(shown, Figure) else None
    settings = shown.settings
    return shown._draw(settings.pop(shown._name), **settings)
