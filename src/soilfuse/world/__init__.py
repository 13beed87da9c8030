"""The pseudo-reality: a seeded world whose truth is known, written as raw files of every source."""
