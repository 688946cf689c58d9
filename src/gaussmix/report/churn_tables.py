"""Tables of a report on churn: models side by side, and the customers of the highest probability."""

from dataclasses import dataclass

from gaussmix.classification.evaluation.measures import MeasureDifference
from gaussmix.report.churn_evaluation import ChurnEvaluation
from gaussmix.report.formatting import format_decimals

_N_DECIMALS = 4
_MINUS_SIGN = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class ModelRow:
    """A model and its measures as text; differences to the first model, with standard errors, are '' for it.

    Attributes
    ----------
    name : str
    auc, brier, log_loss, calibration_error : str
    auc_difference, brier_difference : str
        The churn model minus this one, such as '+0.0044 ± 0.0011'.
    """

    name: str
    auc: str
    brier: str
    log_loss: str
    calibration_error: str
    auc_difference: str
    brier_difference: str


def model_table(evaluation: ChurnEvaluation) -> list[ModelRow]:
    """Return one row per model, the churn model first."""
    comparison = evaluation.comparison
    rows = []
    for name, measures in comparison.measures.items():
        differences = {one.measure: one for one in comparison.differences.get(name, ())}
        rows.append(
            ModelRow(
                name,
                f"{measures.auc:.{_N_DECIMALS}f}",
                f"{measures.brier:.{_N_DECIMALS}f}",
                f"{measures.log_loss:.{_N_DECIMALS}f}",
                f"{measures.calibration_error:.{_N_DECIMALS}f}",
                _format_difference(differences.get("AUC")),
                _format_difference(differences.get("Brier score")),
            )
        )
    return rows


def _format_difference(found: MeasureDifference | None) -> str:
    """Return a difference with its sign and standard error, '' for None."""
    if found is None:
        return ""
    sign = "+" if found.difference > 0 else ""
    return f"{sign}{format_decimals(found.difference, _N_DECIMALS)} ± {found.standard_error:.{_N_DECIMALS}f}"
