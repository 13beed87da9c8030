"""Feng et al.'s comparison of YNet with the ensemble mean over China."""
