"""What the gate must know of a candidate and of its predictions."""

from typing import TYPE_CHECKING, Any

from soilfuse import layout
from soilfuse.evaluation.outputs import Evaluation, mean_over_layers
from soilfuse.evaluation.prediction_range import PredictionRange
from soilfuse.files import sha256_of_content, sha256_of_file, sha256_of_files
from soilfuse.names import ENSEMBLE

if TYPE_CHECKING:
    from soilfuse.evaluation.candidate import Candidate


def gate_facts(candidate: "Candidate", evaluation: Evaluation) -> dict[str, Any]:
    """Return what promotion asks of an ensemble: scores are means over layers, out of fold.

    `methods`: the same of every other method, which may be promoted in place of the networks.
    """
    predicted, shared = candidate.predicted, candidate.manifest
    return {
        **_told(predicted),
        "method": ENSEMBLE,
        "methods": {
            name: {**_told(other.seen), "rmse": other.rmse, "caveats": other.caveats}
            for name, other in evaluation.contenders.items()
        },
        "rmse": mean_over_layers(evaluation.metrics["outer"], "rmse"),
        "baselines": {
            name: mean_over_layers(scores, "rmse")
            for name, scores in evaluation.metrics["baselines"].items()
        },
        "comparable": {
            "world": str(shared["world"]),
            "domain": sha256_of_content([shared["domain"], shared["regions_sha256"]]),
            "target": sha256_of_file(layout.AMSMQTP),
            "protocol": str(shared["protocol"]),
        },
        "weights_sha256": sha256_of_files(layout.FINETUNE.glob("fold_*.safetensors")),
        "input_range": candidate.input_range(),
    }


def _told(predicted: PredictionRange) -> dict[str, Any]:
    return {
        "finite": predicted.finite,
        "minimum": predicted.minimum,
        "maximum": predicted.maximum,
        "coverage": predicted.coverage,
    }
