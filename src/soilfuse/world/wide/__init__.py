"""A wider pseudo-reality: the globe, from climate to a soil bucket, in the archives' formats."""
