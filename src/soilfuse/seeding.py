"""Named seed streams: one base seed gives independent, reproducible streams by name."""

import hashlib

import numpy as np


def derive_seed(base: int, *names: str | int) -> int:
    """Return a 32-bit seed for the stream called by `names` under the base seed.

    Streams of different names are independent, and adding one changes none of the others.
    """
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
    return int(np.random.SeedSequence([base, *words]).generate_state(1)[0])


def generator(base: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy random generator for the stream called by `names` under the base seed."""
    return np.random.default_rng(derive_seed(base, *names))
