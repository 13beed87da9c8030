"""The page of studies/pscnet (Zhou et al. 2025)."""
