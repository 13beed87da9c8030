"""Comparisons and other pipelines over the same library."""
