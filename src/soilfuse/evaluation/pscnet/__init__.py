"""PSCNet's comparison (Zhou et al. 2025): methods against SMAP, stations and the truth."""
