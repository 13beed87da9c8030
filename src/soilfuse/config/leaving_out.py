"""Which methods' products a climate model can be left out of."""

from soilfuse import names

LEFT_OUT_OF = (names.ENSEMBLE, "bias_corrected_mean", "delta_change", "ridge")
FEWEST_MODELS = 2
KEY = "infer.leave_one_out"
REASONS = {
    "climatology": "in which climate models have no part",
    "quantile_delta_mapping": "which ranks months over whole series, once more for each model",
}


def refusal(method: str, named: str, models: int) -> str:
    """Return the line that refuses to leave models out of a method's product, empty if none does.

    named: where the method stands, params.yaml:promote.method or the champion; models: how many
    climate models there are.
    """
    if method not in LEFT_OUT_OF:
        alone = "of which nothing would be left" if method.startswith(names.MODEL) else ""
        why = REASONS.get(method, alone or "which is no method of products")
        return (
            f"{KEY} is true and {named} is {method!r}, {why}; expected one of "
            f"{', '.join(LEFT_OUT_OF)}: write false into params.yaml:{KEY}, or take another method"
        )
    if models < FEWEST_MODELS:
        return (
            f"{KEY} is true with {models} climate model; expected {FEWEST_MODELS} or more: write "
            f"false into params.yaml:{KEY}, or add models to params.yaml:cmip6.models"
        )
    return ""
