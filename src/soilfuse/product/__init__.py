"""Released files: CF writer, release gate, provenance record and later verification."""
