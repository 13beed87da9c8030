"""Figures, tables, plain sentences and self-contained HTML pages, drawn from results only."""
