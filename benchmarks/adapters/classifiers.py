"""Classifiers of tables of customers, in one table: gaussmix and scikit-learn.

scikit-learn's are pipelines that learn everything from the training rows. They get no row numbers. Logistic regression
and discriminant analysis see standardised numbers, whose gaps are the mean of the column, and one indicator per value
of a text column, gaps among them. Boosting sees gaps as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ClassifierSpec:
    """How a classifier is created, which packages the report names, and whether it drops row numbers by itself."""

    create: Callable[[], Any]
    package_names: tuple[str, ...] = ("scikit-learn", "pandas", "numpy")
    finds_identifiers: bool = False


def _create_gaussmix(**options: Any) -> Any:
    from gaussmix.classification import MixtureClassifier

    return MixtureClassifier(**options)


def _select_columns(is_numeric: bool) -> Any:
    from sklearn.compose import make_column_selector

    return make_column_selector(**{"dtype_include" if is_numeric else "dtype_exclude": "number"})


def _with_indicators(model: Any, log: bool = False) -> Any:
    """Return a pipeline of numbers, on request as logarithms of one plus the value, indicators and the model."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers = [*([FunctionTransformer(np.log1p)] if log else []), SimpleImputer(), StandardScaler()]
    indicators = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(*numbers), _select_columns(is_numeric=True)),
            (indicators, _select_columns(is_numeric=False)),
        ),
        model,
    )


def _create_logistic(log: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _with_indicators(LogisticRegression(max_iter=2000), log)


def _text_to_categories(table: Any) -> Any:
    return table.astype(dict.fromkeys(table.select_dtypes(exclude="number"), "category"))


def _create_boosting(encoding: str) -> Any:
    """Return histogram gradient boosting behind one of three encodings of the text columns."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

    model = HistGradientBoostingClassifier(learning_rate=0.05, max_iter=150, max_leaf_nodes=15, random_state=0)
    if encoding == "native":
        return make_pipeline(FunctionTransformer(_text_to_categories), model)
    encoders = {
        "indicators": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
    }
    text = (encoders[encoding], _select_columns(is_numeric=False))
    return make_pipeline(make_column_transformer(("passthrough", _select_columns(is_numeric=True)), text), model)


def _create_discriminant(kind: str) -> Any:
    """Return linear or quadratic discriminant analysis."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

    models = {
        "linear": LinearDiscriminantAnalysis,
        "quadratic": lambda: QuadraticDiscriminantAnalysis(reg_param=0.1),
    }
    return _with_indicators(models[kind]())


def _gaussmix_spec(**options: Any) -> ClassifierSpec:
    return ClassifierSpec(lambda: _create_gaussmix(**options), ("gaussmix", "scikit-learn", "numpy"), True)


CLASSIFIERS = {
    "gaussmix": _gaussmix_spec(),
    "gaussmix-uncalibrated": _gaussmix_spec(calibration=None),
    "gaussmix-generative": _gaussmix_spec(method="generative"),
    **{f"gaussmix-penalty-{value}": _gaussmix_spec(penalty=float(value)) for value in (2, 10, 50, 250)},
    **{f"gaussmix-lambda-{value}": _gaussmix_spec(generative_weight=float(value)) for value in ("0", "0.1", "0.5")},
    "logistic": ClassifierSpec(lambda: _create_logistic(log=False)),
    "logistic-log": ClassifierSpec(lambda: _create_logistic(log=True)),
    "boosting": ClassifierSpec(lambda: _create_boosting("native")),
    "boosting-indicators": ClassifierSpec(lambda: _create_boosting("indicators")),
    "boosting-ordinal": ClassifierSpec(lambda: _create_boosting("ordinal")),
    "lda": ClassifierSpec(lambda: _create_discriminant("linear")),
    "qda": ClassifierSpec(lambda: _create_discriminant("quadratic")),
}
DEFAULT_CLASSIFIERS = ("gaussmix", "logistic", "logistic-log", "boosting", "boosting-indicators", "boosting-ordinal")
