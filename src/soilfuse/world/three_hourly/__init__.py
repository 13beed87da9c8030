"""The three-hourly pseudo-reality: one window, its truth, and what three kinds of sources see."""
