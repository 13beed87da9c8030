"""Numbers, lists and seasons as they stand inside a sentence."""

import math
from collections.abc import Sequence

from soilfuse.report import labels

COUNTS = ("none", "one", "two", "three", "four", "five", "six")


def amount(slope: float) -> str:
    """Write a slope in m3 m-3 a year as a plain rate a decade, to two significant digits."""
    size = abs(slope) * 10
    digits = 4 if size == 0 else min(7, max(0, 1 - math.floor(math.log10(size))))
    return f"{size:.{digits}f} {labels.UNIT} per decade"


def p_words(p: float) -> str:
    """Write a p value; very small ones as a bound, missing ones as nothing."""
    if not math.isfinite(p):
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.01 else f"p = {p:.3f}"


def joined(words: Sequence[str]) -> str:
    """Join words as a sentence does: "a", "a and b", "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def counted(number: int) -> str:
    """Write a small number as a word."""
    return COUNTS[number] if number < len(COUNTS) else str(number)


def season_words(season: str) -> str:
    """Return a season as it stands inside a sentence: "annual mean", "spring (MAM)"."""
    title = labels.season_title(season)
    return title[0].lower() + title[1:]


def verb(slope: float) -> str:
    """Return the word for a significant trend."""
    return "rises" if slope > 0 else "falls"
