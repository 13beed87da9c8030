"""The published record that the pseudo-reality is calibrated to: each number, and where it stands.

Li et al. 2024 (UNet-GAN, doi:10.3390/rs16234367), regional means over the TRSR. There they describe
a method's product; here they define the truth, and never a method's output.
"""

SSPS = ("ssp126", "ssp245", "ssp370", "ssp585")
LAYERS = 5
SEASONAL = ("DJF", "MAM", "JJA", "SON")

# Section 3.4, layer 1, Sen slope of 2015-2100 in 1e-4 m3 m-3 yr-1, in the order of SSPS.
# JJA has no significant trend there: what the annual slope leaves for it, shrunk to half.
SLOPES = {
    "annual": (0.849, 1.54, 2.43, 2.73),
    "DJF": (1.39, 1.58, 3.01, 3.41),
    "MAM": (1.53, 2.33, 3.89, 4.02),
    "SON": (1.02, 2.07, 2.86, 3.36),
    "JJA": (-0.20, 0.05, 0.05, 0.10),
}
# Section 3.4, JJA below layer 2 (1e-4 m3 m-3 yr-1): layer index -> slopes of SUMMER_SSPS. Those of
# the two lower SSPs are not significant and not printed: near zero (inferred).
# Straight lines at these slopes would fall short of the changes below: 0.274 of layer 5 over the 81
# years between the two periods' centres is 0.0022 m3 m-3, 0.9 % of 0.240, where at least 1.8 % are
# printed (layer 4: 0.7 against 1.3 %). Both hold where summers wet before 2040 and then stay.
SUMMER_SSPS = ("ssp370", "ssp585")
SUMMER_SLOPES = {2: (0.396, 0.252), 3: (0.401, 0.215), 4: (0.442, 0.274)}
FLAT_SUMMERS = (0.1, 0.1)

# Section 3.5, per cent change of 2071-2100 against 1995-2014: lowest and highest of the four SSPs,
# by layer. SON of layers 3 and 4 is not printed: what the annual figure leaves for it.
CHANGES = {
    "annual": ((5.5, 11.5), (4.6, 9.2), (4.3, 7.5), (4.5, 7.5), (3.3, 6.5)),
    "DJF": ((9.8, 20.3), (8.1, 16.2), (6.3, 12.0), (7.1, 14.3), (5.8, 10.8)),
    "MAM": ((10.5, 19.9), (8.2, 14.8), (6.1, 11.2), (7.1, 12.7), (5.4, 9.5)),
    "JJA": ((0.8, 1.1), (0.8, 1.3), (0.9, 1.9), (1.3, 2.0), (1.8, 2.4)),
    "SON": ((5.4, 12.1), (3.7, 8.4), (4.6, 6.5), (3.5, 4.0), (1.9, 4.4)),
}

# Section 3.5: 1995-2014, 1e-4 m3 m-3 yr-1 by layer. None is significant below layer 3: there the
# halving from layer to layer goes on (inferred).
HISTORICAL_RATES = (3.303, 2.437, 1.205, 0.6, 0.3)
# Section 3.5: MAM of 2021-2040 under one SSP, said to be the highest of all period rates. In layers
# 4 and 5 that contradicts the changes: in DJF of layer 5, 19 years at 3.377e-4 and the mean of 30
# years that go on so make 0.0115 m3 m-3, and the middle of the century is flat; 10.8 % of 0.200 are
# 0.0216. Rates of other seasons and SSPs are higher there; these five are kept as they are printed.
EARLY_SPRING_SSP = "ssp370"
EARLY_SPRING_RATES = (15.22, 10.52, 6.513, 4.832, 3.377)
# Section 3.4: 1950-2014 of layer 1 is slightly below ssp126.
LONG_HISTORICAL_RATE = 0.80

# Fig. 7: standard deviation (m3 m-3) and correlation with the target of layer 1, space and time
# pooled (read off the vector figure).
TARGET_SD = 0.0806
TAYLOR = {
    "ACCESS-CM2": (0.0437, 0.0023),
    "BCC-CSM2-MR": (0.0370, 0.5076),
    "CanESM5-CanOE": (0.0822, 0.4349),
    "CNRM-CM6-1-HR": (0.0713, 0.2450),
    "MIROC6": (0.0510, 0.6607),
    "MIROC-ES2L": (0.0468, 0.5757),
    "MRI-ESM2-0": (0.0547, 0.2932),
    "NorESM2-MM": (0.0891, -0.1830),
    "TaiESM1": (0.0347, 0.5674),
    "CESM2": (0.0771, -0.1307),
    "CMCC-CM2-SR5": (0.0751, 0.0564),
    "CNRM-ESM2-1": (0.0805, 0.4095),
    "EC-Earth3-Veg-LR": (0.0721, 0.1808),
    "KACE-1-0-G": (0.0987, 0.1197),
    "MPI-ESM1-2-LR": (0.0855, 0.4612),
    "NorESM2-LM": (0.0419, -0.0716),
    "UKESM1-0-LL": (0.0773, -0.3972),
}
# Fig. 5: median correlation with the stations, layers 1 and 5.
STATION_R = {"amsmqtp": (0.918, 0.658), "era5_land": (0.659, 0.250)}

# Seasonal means of 1995-2014 by layer (m3 m-3). Not printed: layer 1 is what makes the published
# slopes and per cent changes agree with one another; below it the swing of the year fades.
SEASONAL_MEANS = {
    "DJF": (0.159, 0.175, 0.190, 0.190, 0.200),
    "MAM": (0.192, 0.203, 0.208, 0.203, 0.206),
    "JJA": (0.286, 0.285, 0.270, 0.255, 0.240),
    "SON": (0.263, 0.268, 0.262, 0.252, 0.242),
}
# Space-time standard deviation by layer: RMSE / sqrt(1 - R2) of the published scores.
LAYER_SD = (0.0806, 0.0674, 0.0633, 0.0616, 0.0472)
