"""Fit the model of ``gaussmix churn``, compare it with other models, and score the customers of the file."""

from typing import NamedTuple

from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.classifier import MixtureClassifier
from gaussmix.classification.validation.peer_comparison import compare_with_peers
from gaussmix.classification.validation.splits import plan_split_in_time, plan_stratified_folds
from gaussmix.cli import console
from gaussmix.cli.churn_input import ChurnInput, ColumnRoles, parse_outcomes, read_customers
from gaussmix.cli.churn_options import ChurnOptions, ContactOptions
from gaussmix.cli.identifier_columns import split_identifiers
from gaussmix.cli.table_format import input_name
from gaussmix.report.churn_summary import ChurnSummary, summarize_churn
from gaussmix.report.churn_validation import ContactTerms, GroupColumn
from gaussmix.types import AnyArray, BoolN


class ChurnResult(NamedTuple):
    """The customers of a file, what is known of them, and notes on the columns."""

    customers: ChurnInput
    summary: ChurnSummary
    notes: tuple[str, ...]


def train_churn_model(options: ChurnOptions) -> ChurnResult:
    """Read the file, fit and compare models, and score the customers; notes are printed."""
    with console.progress_bar(f"reading {input_name(options.file)}"):
        customers = read_customers(options.file, _make_roles(options), options.table_format)
    outcomes = parse_outcomes(customers.outcomes, options.target, options.positive)
    notes = [*customers.notes, *outcomes.notes]
    console.print_notes(notes)
    _require_splits(options, outcomes.has_left, customers.times)
    classifier = _make_classifier(options)
    fixed = [name for name in options.fixed if name in customers.cells]
    model = ChurnModel(classifier, positive=outcomes.positive, fixed_columns=fixed, random_state=options.seed)
    with console.progress_bar("fitting the model"), console.print_data_warnings() as printed:
        model.fit(customers.cells, outcomes.labels)
    model.target_name_ = options.target
    console.print_notes(note for note in model.classifier_.notes_ if note.removesuffix(".") not in printed)
    with console.progress_bar("comparing with other models") as callback, console.hide_data_warnings():
        comparison = compare_with_peers(
            classifier,
            customers.cells,
            outcomes.has_left,
            n_folds=options.n_folds,
            random_state=options.seed,
            time=customers.times,
            test_fraction=options.test_fraction,
            keep_classifiers=True,
            progress=callback,
        )
    with console.progress_bar("explaining the customers"), console.hide_data_warnings():
        summary = summarize_churn(
            model,
            customers.cells,
            outcomes.has_left,
            comparison,
            groups=None if customers.groups is None else GroupColumn(options.groups or "", customers.groups),
            terms=make_terms(options.contact, customers.values),
            identifiers=split_identifiers(customers.table, None, None).identifiers,
        )
    return ChurnResult(customers, summary, (*notes, *model.classifier_.notes_))


def _make_roles(options: ChurnOptions) -> ColumnRoles:
    """Return what the columns of the file are."""
    value = None if options.contact is None else options.contact.value_column
    return ColumnRoles(
        options.target, options.time, options.groups, value, (*options.dropped,), options.categorical, options.fixed
    )


def make_terms(contact: ContactOptions | None, values: AnyArray | None) -> ContactTerms | None:
    """Return what contacts cost and bring; ``values`` (n,) are those of a column, if it has them."""
    if contact is None:
        return None
    value = contact.value_saved if values is None else values
    assert not isinstance(value, str)
    return ContactTerms(contact.cost_contact, value, contact.success_rate)


def _require_splits(options: ChurnOptions, has_left: BoolN, times: AnyArray | None) -> None:
    """Raise ValidationError before a fit if the customers cannot be split as the comparison will need it."""
    if times is None:
        plan_stratified_folds(has_left, options.n_folds, options.seed)
    else:
        plan_split_in_time(has_left, times, options.test_fraction)


def _make_classifier(options: ChurnOptions) -> MixtureClassifier:
    """Return the classifier to fit."""
    categorical = "auto" if options.categorical is None else options.categorical
    return MixtureClassifier(categorical=categorical, random_state=options.seed)
