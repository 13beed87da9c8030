"""One condition of a gate and how it came out: what was got, what is allowed, why it is asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """A condition; `passed` says whether it holds."""

    name: str
    passed: bool
    got: str
    allowed: str
    why: str
