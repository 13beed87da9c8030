"""Runs, lineage, the registry of champions, and the gate that decides on them."""
