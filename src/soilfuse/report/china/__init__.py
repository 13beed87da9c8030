"""The page of studies/china."""
