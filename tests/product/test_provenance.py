"""The PROV sidecar: its relations point at what it declares."""

from datetime import datetime, timedelta

import pytest

from soilfuse.files import read_json, sha256_of_file
from soilfuse.product.provenance import RunRecord, prov_document, read_prov, write_prov

RUN = RunRecord("run-1", "soilfuse-test", "3", "89b561e", dirty=False)
USED = {"data/processed/cmip6/ssp370.nc": "1a", "models/champion": "2b.dir", "params.yaml": "3c"}
ROLES = {
    "wasGeneratedBy": {"prov:entity": "entity", "prov:activity": "activity"},
    "used": {"prov:entity": "entity", "prov:activity": "activity"},
    "wasDerivedFrom": {"prov:generatedEntity": "entity", "prov:usedEntity": "entity"},
    "wasAttributedTo": {"prov:entity": "entity", "prov:agent": "agent"},
    "wasAssociatedWith": {"prov:activity": "activity", "prov:agent": "agent"},
}


@pytest.fixture
def document():
    return prov_document("products/ssp370.nc", "ff", "ssp370", USED, RUN)


UPSTREAM = {
    "entity": {"sf:raw/a.nc": {"prov:label": "raw/a.nc"}, "sf:params.yaml": {"sf:hash": "old"}},
    "activity": {"sf:step/cmip6": {"prov:label": "cmip6"}},
    "used": {"_:read0": {"prov:activity": "sf:step/cmip6", "prov:entity": "sf:raw/a.nc"}},
    "wasGeneratedBy": {
        "_:made0": {
            "prov:entity": "sf:data/processed/cmip6/ssp370.nc",
            "prov:activity": "sf:step/cmip6",
        }
    },
}


def test_what_came_before_stands_in_the_same_document_and_not_in_what_the_product_used(tmp_path):
    product = tmp_path / "ssp370.nc"
    product.write_bytes(b"numbers")
    sidecar = product.with_suffix(".prov.json")
    write_prov(sidecar, product, "ssp370", USED, RUN, UPSTREAM)
    document = read_json(sidecar)
    assert document["entity"]["sf:params.yaml"]["sf:hash"] == "3c"
    assert document["used"]["_:read0"] == UPSTREAM["used"]["_:read0"]
    assert len(document["wasGeneratedBy"]) == 2
    assert read_prov(sidecar) == (sha256_of_file(product), USED)
    time = document["wasGeneratedBy"]["_:generated"]["prov:time"]
    assert datetime.fromisoformat(time).utcoffset() == timedelta(0)


def test_every_relation_points_at_a_declared_thing(document):
    for relation, roles in ROLES.items():
        for ends in document[relation].values():
            assert set(ends) == set(roles)
            for role, kind in roles.items():
                assert ends[role] in document[kind]


def test_names_use_declared_prefixes(document):
    prefixes = {*document["prefix"], "prov"}
    for kind in ("entity", "activity", "agent"):
        for name, properties in document[kind].items():
            assert {name.split(":")[0], *(key.split(":")[0] for key in properties)} <= prefixes


def test_lineage_leads_to_every_input(document):
    ends = {ends["prov:usedEntity"] for ends in document["wasDerivedFrom"].values()}
    assert ends == {f"sf:{name}" for name in USED}
    assert document["entity"]["sf:params.yaml"]["sf:hash"] == "3c"


def test_written_beside_the_product(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    product = tmp_path / "products" / "ssp370.nc"
    product.parent.mkdir()
    product.write_bytes(b"numbers")
    sidecar = product.with_suffix(".prov.json")
    write_prov(sidecar, product.relative_to(tmp_path), "ssp370", USED, RUN)
    entity = read_json(sidecar)["entity"]["sf:products/ssp370.nc"]
    assert entity["sf:sha256"] == sha256_of_file(product)
    assert read_json(sidecar)["activity"]["sf:run/run-1"]["sf:git_commit"] == "89b561e"
