"""Fit the model of ``gaussmix churn``, compare it with other models, and score the customers of the file."""

from typing import NamedTuple

import numpy as np

from gaussmix.classification.churn.churn_model import ChurnModel
from gaussmix.classification.classifier import MixtureClassifier
from gaussmix.classification.validation.peer_comparison import PeerComparison, compare_with_peers
from gaussmix.cli import console
from gaussmix.cli.churn_input import ChurnInput, ColumnRoles, read_customers
from gaussmix.cli.churn_options import ChurnOptions, ContactOptions
from gaussmix.cli.identifier_columns import split_identifiers
from gaussmix.core.input_arrays import format_label
from gaussmix.errors.text import join_with_and
from gaussmix.report.churn_evaluation import ContactTerms, GroupColumn
from gaussmix.report.churn_summary import ChurnSummary, summarize_churn
from gaussmix.types import AnyArray


class ChurnResult(NamedTuple):
    """The customers of a file, what is known of them, and notes on the columns."""

    customers: ChurnInput
    summary: ChurnSummary
    notes: tuple[str, ...]


def train_churn_model(options: ChurnOptions) -> ChurnResult:
    """Read the file, fit and compare models, and score the customers; notes are printed."""
    with console.progress_bar(f"reading {options.file.name}"):
        customers = read_customers(options.file, _make_roles(options))
    console.print_notes(customers.notes)
    with console.progress_bar("fitting the model"), console.print_data_warnings():
        model = _fit_model(options, customers)
    console.print_notes(model.notes_)
    comparison = _compare(options, customers, model)
    with console.progress_bar("explaining the customers"), console.hide_data_warnings():
        summary = summarize_churn(
            model,
            customers.cells,
            comparison,
            is_positive=customers.outcomes == model.positive_,
            groups=None if customers.groups is None else GroupColumn(options.groups or "", customers.groups),
            terms=make_terms(options.contact, customers.values),
            identifiers=split_identifiers(customers.table, None, None).identifiers,
        )
    return ChurnResult(customers, summary, (*customers.notes, *model.notes_))


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


def _fit_model(options: ChurnOptions, customers: ChurnInput) -> ChurnModel:
    """Return the model fitted to all customers."""
    categorical = "auto" if options.categorical is None else options.categorical
    classifier = MixtureClassifier(categorical=categorical, random_state=options.seed)
    positive = None if options.positive is None else find_outcome(options.positive, customers.outcomes)
    model = ChurnModel(
        classifier, positive=positive, fixed_columns=tuple(options.fixed), random_state=options.seed
    )
    return model.fit(customers.cells, customers.outcomes)


def find_outcome(text: str, outcomes: AnyArray) -> object:
    """Return the outcome among all (n,) that a text names, or the text if there is none."""
    named = {format_label(value): value for value in sorted(set(outcomes.tolist()), key=str)}
    return named.get(text, {name.casefold(): value for name, value in named.items()}.get(text.casefold(), text))


def _compare(options: ChurnOptions, customers: ChurnInput, model: ChurnModel) -> PeerComparison:
    """Return the comparison with other models on the same customers."""
    with console.progress_bar("comparing with other models") as callback, console.hide_data_warnings():
        return compare_with_peers(
            model.classifier_,
            customers.cells,
            customers.outcomes == model.positive_,
            n_folds=options.n_folds,
            random_state=options.seed,
            time=customers.times,
            test_fraction=options.test_fraction,
            progress=callback,
        )
