"""Field significance: which of many local tests hold once it is counted how many were made."""

import numpy as np


def false_discovery(p: np.ndarray, rate: float) -> np.ndarray:
    """Return (...) booleans: the null is rejected at a false discovery rate over all of `p`.

    Benjamini and Hochberg (1995, doi:10.1111/j.2517-6161.1995.tb02031.x), by scipy; it also holds
    for cells that resemble their neighbours (Wilks 2016, doi:10.1175/BAMS-D-15-00267.1, who advises
    a rate of twice the wanted level). A NaN is no test: it is not counted and not significant.
    """
    from scipy.stats import false_discovery_control

    tested = np.isfinite(p)
    held = np.zeros(p.shape, dtype=bool)
    if tested.any():
        held[tested] = false_discovery_control(p[tested]) <= rate
    return held
