"""Downscaling without a fine truth: fine maps whose block means are what a coarse sensor saw."""
