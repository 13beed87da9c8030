"""Raw files from open archives: CMIP6 from the cloud or ESGF, ERA5-Land from the CDS."""
