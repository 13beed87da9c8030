"""YNet and the simple methods over China, after Feng et al. (2022)."""
