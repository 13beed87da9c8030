"""Scores of predictions against the target, the stations and the known truth of a pseudo-world."""
