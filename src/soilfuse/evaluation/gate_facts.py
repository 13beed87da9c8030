"""What the gate must know of a candidate and of its predictions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse import layout
from soilfuse.evaluation.outputs import Evaluation, mean_over_layers
from soilfuse.files import sha256_of_content, sha256_of_file, sha256_of_files

if TYPE_CHECKING:
    from soilfuse.evaluation.candidate import Candidate


@dataclass
class PredictionRange:
    """Range and completeness of every prediction made, inside the regions; m3 m-3."""

    inside: np.ndarray
    finite: bool = True
    minimum: float = np.inf
    maximum: float = -np.inf
    coverage: float = 1.0

    def take(self, prediction: np.ndarray) -> np.ndarray:
        """Take (T, D, H, W) into account, and return it."""
        values = prediction[..., self.inside]
        valid = np.isfinite(values)
        self.finite &= bool(valid.all())
        self.minimum = min(self.minimum, float(values.min(where=valid, initial=np.inf)))
        self.maximum = max(self.maximum, float(values.max(where=valid, initial=-np.inf)))
        self.coverage = min(self.coverage, float(valid.mean(axis=-1).min()))
        return prediction


def gate_facts(candidate: "Candidate", evaluation: Evaluation) -> dict[str, Any]:
    """Return what promotion asks of an ensemble: scores are means over layers, out of fold."""
    predicted, shared = candidate.predicted, candidate.manifest
    return {
        "finite": predicted.finite,
        "minimum": predicted.minimum,
        "maximum": predicted.maximum,
        "coverage": predicted.coverage,
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
