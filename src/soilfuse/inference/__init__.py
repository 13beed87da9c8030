"""Prediction with the trained ensemble: its mean, its spread and its range of validity."""
