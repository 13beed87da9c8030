"""Target grids, interpolation weights, the (year, month) time key and the basins."""
