"""Versions that are registered without packing the model, which the packing tests cover."""


def log_version(client, folder, champion, name, tags, run_id):
    """Stand in for soilfuse.tracking.packing.log_version."""
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(name)
    marks = {**tags, "weights_sha256": champion.weights_sha256}
    made = client.create_model_version(
        name,
        f"s3://nowhere/{champion.weights_sha256}",
        tags={key: str(value) for key, value in marks.items()},
    )
    return int(made.version)
