"""Check the parameters of `MixtureClassifier`, and turn them into the options of a fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gaussmix.classification.calibration import CALIBRATIONS
from gaussmix.classification.column_sets import ModelOptions
from gaussmix.classification.families.base import AnyFamily
from gaussmix.classification.families.class_mixtures import ClassMixtures
from gaussmix.classification.families.edda import Edda
from gaussmix.classification.families.mclustda import Mclustda
from gaussmix.classification.families.members import MemberOptions
from gaussmix.classification.families.shared_mixture import SharedMixture
from gaussmix.classification.families.spec_choice import ChoiceRequest
from gaussmix.classification.mixed.refinement import RefinementOptions
from gaussmix.core.scalar_checks import is_integer, is_real_number, require_integer
from gaussmix.covariance.structure import Structure
from gaussmix.errors import ClassifierParameterError, ParameterError
from gaussmix.types import AnyArray, Array

FAMILIES: dict[str, AnyFamily] = {
    family.name: family for family in (ClassMixtures(), Edda(), Mclustda(), SharedMixture())
}
METHODS = ("refined", "generative")


def parse_options(classifier: Any, classes: AnyArray, rng: np.random.Generator) -> ModelOptions:
    """Return the options of a fit from the parameters of a classifier; raise ParameterError if one is invalid."""
    _require_choice("family", classifier.family, tuple(FAMILIES))
    _require_choice("method", classifier.method, METHODS)
    if classifier.calibration is not None:
        _require_choice("calibration", classifier.calibration, (*CALIBRATIONS, None))
    for name, minimum in (("n_starts", 1), ("n_folds", 2), ("max_iter", 1)):
        require_integer(name, getattr(classifier, name), minimum)
    _require_between("generative_weight", classifier.generative_weight, 1.0)
    penalty = parse_penalty(classifier.penalty)
    family = FAMILIES[classifier.family]
    request = parse_request(classifier, family, classes)
    refinement = None
    if classifier.method == "refined":
        refinement = RefinementOptions(float(classifier.generative_weight), penalty or 0.0, int(classifier.max_iter))
    seeds = tuple(int(seed) for seed in rng.integers(2**31, size=classifier.n_starts))
    return ModelOptions(
        family,
        request,
        MemberOptions(seeds, refinement),
        classifier.calibration,
        int(classifier.n_folds),
        has_given_penalty=refinement is None or penalty is not None,
    )


def parse_penalty(value: object) -> float | None:
    """Return the penalty that is given; None for 'auto'."""
    if isinstance(value, str) and value == "auto":
        return None
    _require_between("penalty", value, np.inf, "or 'auto'")
    return float(value)  # type: ignore[arg-type]


def parse_request(classifier: Any, family: AnyFamily, classes: AnyArray) -> ChoiceRequest:
    """Return what the parameters ask of the choice of a family; raise ParameterError if it cannot do that."""
    max_components = classifier.max_components
    if max_components is None:
        max_components = family.default_max_components
    require_integer("max_components", max_components, 1)
    structure = None if classifier.structure is None else str(Structure.from_name(classifier.structure))
    if family.has_shared_components:
        n_components = _parse_n_components_in_total(family.name, classifier.n_components)
    else:
        n_components = parse_n_components(classifier.n_components, classes)
    request = ChoiceRequest(n_components, structure, int(max_components))
    family.check_request(request)
    return request


def _parse_n_components_in_total(family: str, value: object) -> tuple[int, ...] | None:
    """Return the number of components that all classes share; None for 'auto'."""
    if isinstance(value, str) and value == "auto":
        return None
    if not is_integer(value, 1):
        raise ClassifierParameterError.wrong_n_components_in_total(family, value)
    return (int(value),)  # type: ignore[call-overload]


def parse_n_components(value: object, classes: AnyArray) -> tuple[int, ...] | None:
    """Return one number of components for each class; None for 'auto'."""
    if isinstance(value, str) and value == "auto":
        return None
    if is_integer(value, 1):
        return (int(value),) * len(classes)  # type: ignore[call-overload]
    given: list[object] = []
    if isinstance(value, Mapping):
        given = [value[label] for label in classes.tolist() if label in value] if len(value) == len(classes) else []
    elif isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        given = list(value)
    if len(given) != len(classes) or not all(is_integer(each, 1) for each in given):
        raise ClassifierParameterError.wrong_n_components(value, classes.tolist())
    return tuple(int(each) for each in given)  # type: ignore[call-overload]


def parse_costs(costs: object, n_classes: int) -> Array:
    """Return the costs (Y, Y) of predicting each class (column) for rows of each class (row)."""
    if costs is None:
        return 1.0 - np.eye(n_classes)
    try:
        parsed = np.asarray(costs, dtype=np.float64)
    except (TypeError, ValueError):
        parsed = np.full((0, 0), np.nan)
    if parsed.shape != (n_classes, n_classes) or not np.isfinite(parsed).all():
        raise ClassifierParameterError.wrong_costs(parsed.shape, n_classes)
    return parsed


def _require_choice(name: str, value: object, allowed: Sequence[object]) -> None:
    """Raise ParameterError unless a value is one of those allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise ParameterError.invalid_choice(name, value, allowed)


def _require_between(name: str, value: object, maximum: float, alternative: str = "") -> None:
    """Raise ParameterError unless a value is a number from 0 to a maximum; ``alternative`` names what else is."""
    is_allowed = is_real_number(value) and 0.0 <= float(value) <= maximum and np.isfinite(float(value))  # type: ignore[arg-type]
    if not is_allowed:
        allowed = "a finite number of at least 0" if maximum == np.inf else f"a number from 0 to {maximum:g}"
        raise ParameterError.invalid_value(name, value, f"{allowed} {alternative}".rstrip())
