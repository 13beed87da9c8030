"""One door for every data set: files in the formats of their archives become canonical xarray."""
