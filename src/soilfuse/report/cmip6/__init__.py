"""The figures and the page of the study of CMIP6 soil moisture (Qiao et al. 2022)."""
