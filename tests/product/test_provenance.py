"""The PROV sidecar: its relations point at what it declares."""

import pytest

from soilfuse.files import read_json, sha256_of_file
from soilfuse.product.provenance import RunRecord, prov_document, write_prov

RUN = RunRecord("run-1", "soilfuse-test", "3", "89b561e", dirty=False)
USED = {"data/processed/cmip6/ssp370.nc": "1a", "models/champion": "2b.dir", "params.yaml": "3c"}
ROLES = {
    "wasGeneratedBy": {"prov:entity": "entity", "prov:activity": "activity"},
    "used": {"prov:entity": "entity", "prov:activity": "activity"},
    "wasDerivedFrom": {"prov:generatedEntity": "entity", "prov:usedEntity": "entity"},
    "wasAssociatedWith": {"prov:activity": "activity", "prov:agent": "agent"},
}


@pytest.fixture
def document():
    return prov_document("products/ssp370.nc", "ff", "ssp370", USED, RUN)


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
