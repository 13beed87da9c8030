"""A climate model's global fields as an archive holds them, and the project that wants them."""

import json

import boto3
import cftime
import numpy as np
import xarray as xr
from ruamel.yaml import YAML

from soilfuse.grids.grid import Grid

DOMAIN = {"name": "tiny", "west": 93.0, "east": 96.0, "south": 33.0, "north": 36.0}
DOMAIN |= {"resolution": 0.5}
GRID = Grid.regular(93.0, 96.0, 33.0, 36.0, 0.5)
MODEL, MEMBER = "KACE-1-0-G", "r1i1p1f1"
BUCKET = "cmip6-pds"
FILL = np.float32(1e20)
COLUMNS = (
    "activity_id,institution_id,source_id,experiment_id,member_id,table_id,variable_id,"
    "grid_label,zstore,dcpp_init_year,version"
)


def original(years, seed=0, calendar="360_day", stamp="middle", step=5.0):
    """An undecoded global dataset: 0-360 longitudes, ocean at 1e20, bounds and attributes."""
    first, last = years
    dates = [
        cftime.datetime(year, month, 1, calendar=calendar)
        for year in range(first, last + 1)
        for month in range(1, 13)
    ]
    dates.append(cftime.datetime(last + 1, 1, 1, calendar=calendar))
    edges = np.asarray(cftime.date2num(dates, "days since 1850-01-01"), dtype=float)
    time_bnds = np.stack([edges[:-1], edges[1:]], axis=1)
    lat, lon = np.arange(-90 + step / 2, 90, step), np.arange(step / 2, 360, step)
    random = np.random.default_rng(seed)
    values = 25 + 8 * np.sin(np.arange(edges.size - 1) * np.pi / 6)[:, None, None]
    values = values + random.normal(0, 2, (edges.size - 1, lat.size, lon.size))
    # The coast is the model's, whatever the file.
    values[:, np.random.default_rng(0).random((lat.size, lon.size)) < 0.3] = FILL
    mrsos = {"units": "kg m-2", "_FillValue": FILL, "missing_value": FILL}
    mrsos |= {"cell_methods": "area: mean where land time: mean", "coordinates": "depth"}
    units = {"units": "days since 1850-01-01", "calendar": calendar, "bounds": "time_bnds"}
    stamps = time_bnds.mean(axis=1) if stamp == "middle" else time_bnds[:, 1]
    half = step / 2
    return xr.Dataset(
        {
            "mrsos": (("time", "lat", "lon"), values.astype(np.float32), mrsos),
            "time_bnds": (("time", "bnds"), time_bnds),
            "lat_bnds": (("lat", "bnds"), np.stack([lat - half, lat + half], axis=1)),
            "lon_bnds": (("lon", "bnds"), np.stack([lon - half, lon + half], axis=1)),
            "depth": ((), 0.05, {"units": "m", "bounds": "depth_bnds"}),
            "depth_bnds": (("bnds",), np.array([0.0, 0.1])),
        },
        coords={
            "time": ("time", stamps, units),
            "lat": ("lat", lat, {"units": "degrees_north", "bounds": "lat_bnds"}),
            "lon": ("lon", lon, {"units": "degrees_east", "bounds": "lon_bnds"}),
        },
        attrs={
            "tracking_id": f"hdl:21.14100/{seed:08d}",
            "license": "CMIP6 model data is licensed CC BY 4.0",
            "institution_id": "NIMS-KMA",
            "branch_time_in_child": 0.0,
            "realization_index": 1,
            "has_flag": True,
        },
    )


def write_netcdf(dataset, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = dataset.assign_attrs(has_flag="true")
    plain = {name: {"_FillValue": None} for name in dataset.variables if name != "mrsos"}
    dataset.to_netcdf(path, engine="h5netcdf", encoding=plain)
    return path


def catalogue_row(experiment, member, version, zstore, grid_label="gn", model=MODEL):
    facets = ("CMIP", "NIMS-KMA", model, experiment, member, "Lmon", "mrsos", grid_label)
    return ",".join([*facets, zstore, "", version])


def make_public_bucket(endpoint):
    """A bucket that anybody may read, and list."""
    client = bucket_client(endpoint)
    client.create_bucket(Bucket=BUCKET)
    to_all = {"Effect": "Allow", "Principal": "*"}
    arn = f"arn:aws:s3:::{BUCKET}"
    statements = [
        to_all | {"Action": ["s3:GetObject", "s3:HeadObject"], "Resource": f"{arn}/*"},
        to_all | {"Action": "s3:ListBucket", "Resource": arn},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client.put_bucket_policy(Bucket=BUCKET, Policy=policy)


def upload(endpoint, folder, prefix):
    """Put every file of a folder into the bucket."""
    client = bucket_client(endpoint)
    for path in folder.rglob("*"):
        if path.is_file():
            client.upload_file(str(path), BUCKET, f"{prefix}/{path.relative_to(folder)}")


def put_catalogue(endpoint, rows):
    body = "\n".join([COLUMNS, *rows]) + "\n"
    bucket_client(endpoint).put_object(Bucket=BUCKET, Key="pangeo-cmip6.csv", Body=body.encode())


def bucket_client(endpoint):
    secrets = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **secrets)


def write_params(folder, profile, **changes):
    """A params.yaml of the tiny domain; `changes` replace keys, dotted for those in a section."""
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load(profile.read_text())
    content["domain"] |= DOMAIN
    defaults = {"raw_root": "data/raw/real", "cmip6.models": {MODEL: MEMBER}}
    for key, value in (defaults | {"experiments": ["historical", "ssp245"]} | changes).items():
        section, _, leaf = key.rpartition(".")
        (content[section] if section else content)[leaf] = value
    with (folder / "params.yaml").open("w") as stream:
        yaml.dump(content, stream)
