"""Station rows by layer, and the random-forest fields that spread them over the grid."""
