"""The CMIP6 models that Qiao et al. (2022) evaluated: their tables 1 and 2.

Models of one parent share their code; the multi-model mean takes them together first.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluatedModel:
    """One line of table 1: native latitudes and longitudes, and members with each variable.

    shallow, deep: members with mrsos and with mrsol, 0 for none; fine: whether table 2 counts it
    among the high-resolution group.
    """

    source_id: str
    latitudes: int
    longitudes: int
    shallow: int
    deep: int
    parent: str
    land_model: str
    fine: bool = False


EVALUATED_MODELS = {
    model.source_id: model
    for model in (
        EvaluatedModel("ACCESS-CM2", 144, 192, 2, 2, "ACCESS", "CABLE"),
        EvaluatedModel("ACCESS-ESM1-5", 145, 192, 3, 3, "ACCESS", "CABLE"),
        EvaluatedModel("BCC-CSM2-MR", 160, 320, 3, 3, "BCC", "BCC-AVIM2", fine=True),
        EvaluatedModel("BCC-ESM1", 64, 128, 3, 3, "BCC", "BCC-AVIM2"),
        EvaluatedModel("CAMS-CSM1-0", 160, 320, 1, 0, "CAMS", "CoLM", fine=True),
        EvaluatedModel("CanESM5", 64, 128, 25, 25, "CanESM", "CLASS"),
        EvaluatedModel("CAS-ESM2-0", 128, 256, 4, 0, "CAS", "CoLM"),
        EvaluatedModel("CESM2", 192, 288, 11, 11, "CESM2", "CLM5", fine=True),
        EvaluatedModel("CESM2-FV2", 96, 144, 0, 3, "CESM2", "CLM5"),
        EvaluatedModel("CESM2-WACCM", 192, 288, 3, 3, "CESM2", "CLM5", fine=True),
        EvaluatedModel("CESM2-WACCM-FV2", 96, 144, 0, 3, "CESM2", "CLM5"),
        EvaluatedModel("CNRM-CM6-1", 128, 256, 30, 28, "CNRM", "ISBA"),
        EvaluatedModel("CNRM-CM6-1-HR", 360, 720, 1, 1, "CNRM", "ISBA", fine=True),
        EvaluatedModel("CNRM-ESM2-1", 128, 256, 0, 10, "CNRM", "ISBA"),
        EvaluatedModel("E3SM-1-0", 180, 360, 5, 0, "E3SM", "CLM4.5", fine=True),
        EvaluatedModel("E3SM-1-1-ECA", 180, 360, 1, 0, "E3SM", "CLM4.5", fine=True),
        EvaluatedModel("FIO-ESM-2-0", 192, 288, 3, 0, "FIO", "CLM4.9", fine=True),
        EvaluatedModel("GFDL-CM4", 180, 288, 1, 0, "GFDL", "LM4.0", fine=True),
        EvaluatedModel("GFDL-ESM4", 180, 288, 0, 1, "GFDL", "LM4.1", fine=True),
        EvaluatedModel("GISS-E2-1-G", 90, 144, 12, 19, "GISS", "GISS LSM"),
        EvaluatedModel("GISS-E2-1-G-CC", 90, 144, 1, 1, "GISS", "GISS LSM"),
        EvaluatedModel("GISS-E2-1-H", 90, 144, 10, 10, "GISS", "GISS LSM"),
        EvaluatedModel("HadGEM3-GC31-LL", 144, 192, 0, 4, "HadGEM3", "JULES"),
        EvaluatedModel("IPSL-CM6A-LR", 143, 144, 32, 32, "IPSL", "ORCHIDEE"),
        EvaluatedModel("MIROC6", 128, 256, 10, 50, "MIROC", "MATSIRO"),
        EvaluatedModel("MPI-ESM-1-2-HAM", 96, 192, 2, 2, "MPI", "JSBACH"),
        EvaluatedModel("MPI-ESM1-2-HR", 192, 384, 10, 10, "MPI", "JSBACH", fine=True),
        EvaluatedModel("MPI-ESM1-2-LR", 96, 192, 10, 10, "MPI", "JSBACH"),
        EvaluatedModel("MRI-ESM2-0", 160, 320, 5, 6, "MRI", "AGCM", fine=True),
        EvaluatedModel("NorESM2-LM", 96, 144, 3, 3, "NorESM2", "CLM5"),
        EvaluatedModel("NorESM2-MM", 192, 288, 1, 1, "NorESM2", "CLM5", fine=True),
    )
}
