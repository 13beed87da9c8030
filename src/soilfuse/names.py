"""The field's names, units and tables that every room shares: each fact stands here once."""

from dataclasses import dataclass

SOIL_MOISTURE = "soil_moisture"
SOIL_MOISTURE_ATTRIBUTES = {
    "standard_name": "volume_fraction_of_condensed_water_in_soil",
    "long_name": "volumetric soil moisture",
    "units": "1",
}
WATER_DENSITY = 1000.0  # kg m-3

HISTORICAL = "historical"
EXPERIMENT_YEARS = {
    HISTORICAL: (1950, 2014),
    "ssp126": (2015, 2100),
    "ssp245": (2015, 2100),
    "ssp370": (2015, 2100),
    "ssp585": (2015, 2100),
}
EXPERIMENT_TITLES = {
    HISTORICAL: "Historical",
    "ssp126": "SSP1-2.6",
    "ssp245": "SSP2-4.5",
    "ssp370": "SSP3-7.0",
    "ssp585": "SSP5-8.5",
}
SCENARIOS = tuple(name for name in EXPERIMENT_YEARS if name != HISTORICAL)

REGION_SETS = ("basins", "world_boxes", "china_zones")  # built in, see grids/region_sets.py

LAST_HISTORICAL = EXPERIMENT_YEARS[HISTORICAL][1]
FINAL_TEST = "ssp245"  # the scenario whose first years stand in for the observed 2015-2021

# Depth bounds in metres, top to bottom.
PRODUCT_LAYERS = ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.8), (0.8, 1.1))
ERA5_LAND_LAYERS = ((0.0, 0.07), (0.07, 0.28), (0.28, 1.0))

SEASONS = {
    "annual": tuple(range(1, 13)),
    "DJF": (12, 1, 2),
    "MAM": (3, 4, 5),
    "JJA": (6, 7, 8),
    "SON": (9, 10, 11),
}
TRAINING_YEARS = (2000, 2014)  # what the folds divide among them
GAP_MONTHS = 12  # between any two parts of what trains, stops, scores and tests
REFERENCE_PERIOD = (1995, 2014)
FUTURE_PERIODS = ((2021, 2040), (2041, 2070), (2071, 2100))

NETWORKS = ("unet", "mbconv_unet", "ynet", "pscnet", "resnet", "vit", "lstm")
TRAILING = ("pscnet", "lstm")  # networks that look at more than one month
FOREST = "rf"
DOWNSCALING_METHODS = ("pscnet", FOREST, "lstm", "resnet", "unet", "vit")  # as PSCNet's paper has
SAMPLE_VARIABLES = ("swvl1", "tp", "t2m", "skt", "ssrd", "e")  # fine ones of studies/pscnet
ANOMALIES, DIFFERENCES = "anomalies", "differences"
INPUTS = (SOIL_MOISTURE, ANOMALIES, DIFFERENCES)  # what a network sees of the climate models
RESIDUALS = NO_RESIDUAL, CLIMATOLOGY, FORCED_CHANGE = ("none", "climatology", "forced_change")
# As they stand inside a sentence.
BASELINE_TITLES = {
    "climatology": "the climatology",
    "ensemble_mean": "the raw ensemble mean",
    "bias_corrected_mean": "the bias-corrected mean",
    "delta_change": "delta change",
    "quantile_delta_mapping": "quantile delta mapping",
    "ridge": "ridge regression per cell",
}
ERA5_LAND = "ERA5-Land"  # the reanalysis among what is held against the stations
TARGET = "AMSMQTP"  # what the network is fine-tuned on and judged by
STATIONS_CAVEAT = (  # wherever AMSMQTP's agreement with stations is shown
    "AMSMQTP was built from the ISMN and CMA stations: agreement with those stations is not an "
    "independent test."
)
GATE_BASELINE = "ensemble_mean"  # what a candidate must beat to be promoted
BASELINES = tuple(BASELINE_TITLES)
ENSEMBLE = "soilfuse"  # the networks' mean among the methods that are scored
MODEL = "model:"  # before a source_id: that climate model alone, as a method
SWEEP = "sweep"  # the word that stands in params.yaml where the sweep's best value is to be used

SAMPLERS = ("tpe", "random", "gp", "cmaes", "qmc")  # how the sweep proposes values
NO_PRUNER, WILCOXON, HYPERBAND = PRUNERS = ("none", "wilcoxon", "hyperband")
SWEEP_STORAGE = "SOILFUSE_SWEEP_STORAGE"  # environment variable: a storage's URL, password included


@dataclass(frozen=True)
class ClimateModel:
    """One CMIP6 model: its native grid step in degrees, and what its files say of themselves."""

    source_id: str
    lon_step: float
    lat_step: float
    variant_label: str
    calendar: str
    institution_id: str
    grid_label: str = "gn"


# Li et al. 2024, table 1; calendars, institutions and grid labels as in the CMIP6 files.
CLIMATE_MODELS = {
    model.source_id: model
    for model in (
        ClimateModel("ACCESS-CM2", 1.875, 1.25, "r1i1p1f1", "proleptic_gregorian", "CSIRO-ARCCSS"),
        ClimateModel("BCC-CSM2-MR", 1.125, 1.1215, "r1i1p1f1", "365_day", "BCC"),
        ClimateModel("CanESM5-CanOE", 2.8125, 2.7906, "r1i1p2f1", "365_day", "CCCma"),
        ClimateModel("CESM2", 1.25, 0.9424, "r1i1p1f1", "365_day", "NCAR"),
        ClimateModel("CMCC-CM2-SR5", 1.25, 0.9424, "r1i1p1f1", "365_day", "CMCC"),
        ClimateModel("CNRM-CM6-1-HR", 0.5, 0.5, "r1i1p1f2", "gregorian", "CNRM-CERFACS", "gr"),
        ClimateModel("CNRM-ESM2-1", 1.4, 1.4, "r1i1p1f2", "gregorian", "CNRM-CERFACS", "gr"),
        ClimateModel(
            "EC-Earth3-Veg-LR",
            1.125,
            1.1215,
            "r1i1p1f1",
            "proleptic_gregorian",
            "EC-Earth-Consortium",
            "gr",
        ),
        ClimateModel("KACE-1-0-G", 1.875, 1.25, "r1i1p1f1", "360_day", "NIMS-KMA", "gr"),
        ClimateModel("MIROC6", 1.4, 1.4, "r1i1p1f1", "gregorian", "MIROC"),
        ClimateModel("MIROC-ES2L", 2.8125, 2.7906, "r1i1p1f2", "gregorian", "MIROC"),
        ClimateModel("MPI-ESM1-2-LR", 1.875, 1.865, "r1i1p1f1", "proleptic_gregorian", "MPI-M"),
        ClimateModel("MRI-ESM2-0", 1.125, 1.1215, "r1i1p1f1", "proleptic_gregorian", "MRI"),
        ClimateModel("NorESM2-LM", 2.5, 1.895, "r1i1p1f1", "365_day", "NCC"),
        ClimateModel("NorESM2-MM", 1.25, 0.9424, "r1i1p1f1", "365_day", "NCC"),
        ClimateModel("TaiESM1", 1.25, 0.9424, "r1i1p1f1", "365_day", "AS-RCEC"),
        ClimateModel("UKESM1-0-LL", 1.875, 1.25, "r1i1p1f2", "360_day", "MOHC"),
    )
}

# Feng et al. 2022, table 1: 25 models with its members, thirteen of them Li's. Steps are the
# models' own where that table gives two models one line or rounds Gaussian latitudes; calendars,
# institutions and grid labels as in the CMIP6 archive.
CHINA_MODELS = {
    model.source_id: model
    for model in (
        CLIMATE_MODELS["ACCESS-CM2"],
        ClimateModel("ACCESS-ESM1-5", 1.875, 1.25, "r1i1p1f1", "proleptic_gregorian", "CSIRO"),
        CLIMATE_MODELS["BCC-CSM2-MR"],
        ClimateModel("CAS-ESM2-0", 1.4062, 1.4062, "r1i1p1f1", "365_day", "CAS"),
        CLIMATE_MODELS["CESM2"],
        ClimateModel("CESM2-WACCM", 1.25, 0.9424, "r1i1p1f1", "365_day", "NCAR"),
        CLIMATE_MODELS["CMCC-CM2-SR5"],
        ClimateModel("CMCC-ESM2", 1.25, 0.9424, "r1i1p1f1", "365_day", "CMCC"),
        CLIMATE_MODELS["CanESM5-CanOE"],
        ClimateModel("CanESM5", 2.8125, 2.7906, "r1i1p1f1", "365_day", "CCCma"),
        CLIMATE_MODELS["EC-Earth3-Veg-LR"],
        ClimateModel(
            "EC-Earth3-Veg",
            0.7031,
            0.7018,
            "r1i1p1f1",
            "proleptic_gregorian",
            "EC-Earth-Consortium",
            "gr",
        ),
        ClimateModel("FGOALS-f3-L", 1.25, 1.0, "r1i1p1f1", "365_day", "CAS", "gr"),
        ClimateModel("FGOALS-g3", 2.0, 2.25, "r1i1p1f1", "365_day", "CAS"),
        ClimateModel("GFDL-ESM4", 1.25, 1.0, "r1i1p1f1", "365_day", "NOAA-GFDL", "gr1"),
        ClimateModel("GISS-E2-1-G", 2.5, 2.0, "r1i1p1f2", "365_day", "NASA-GISS"),
        ClimateModel("IPSL-CM6A-LR", 2.5, 1.2676, "r1i1p1f1", "gregorian", "IPSL", "gr"),
        CLIMATE_MODELS["KACE-1-0-G"],
        CLIMATE_MODELS["MIROC-ES2L"],
        CLIMATE_MODELS["MIROC6"],
        ClimateModel("MPI-ESM1-2-HR", 0.9375, 0.935, "r1i1p1f1", "proleptic_gregorian", "MPI-M"),
        CLIMATE_MODELS["MPI-ESM1-2-LR"],
        CLIMATE_MODELS["MRI-ESM2-0"],
        CLIMATE_MODELS["NorESM2-LM"],
        CLIMATE_MODELS["UKESM1-0-LL"],
    )
}
KNOWN_MODELS = CLIMATE_MODELS | CHINA_MODELS


def method_title(method: str) -> str:
    """Return what a method is called inside a sentence."""
    if method.startswith(MODEL):
        return f"climate model {method.removeprefix(MODEL)} alone"
    return "the mean of the networks" if method == ENSEMBLE else BASELINE_TITLES.get(method, method)
