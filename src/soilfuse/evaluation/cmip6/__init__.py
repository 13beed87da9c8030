"""CMIP6 models against reanalyses, after Qiao et al. 2022: skill, cycles, relations."""
