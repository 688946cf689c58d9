"""Errors about classifiers: targets, parameters and files."""

from collections.abc import Sequence

from gaussmix.errors.data import DataError
from gaussmix.errors.models import ParameterError
from gaussmix.errors.text import format_count, join_with_and


class TargetError(DataError):
    """A target from which no classes can be learned."""

    @classmethod
    def missing_values(cls, n_missing: int, row: int) -> "TargetError":
        """Return the error that rows have no class."""
        return cls(
            f"the target is missing in {format_count(n_missing, 'row')}, first in row {row}; drop these rows, or give "
            "them a class"
        )

    @classmethod
    def single_class(cls, label: object) -> "TargetError":
        """Return the error that all rows have the same class."""
        return cls(
            f"the target has one class only, {label!r}; a classifier needs rows of at least two classes, "
            "with weights above 0"
        )

    @classmethod
    def numbers(cls, value: object, row: int) -> "TargetError":
        """Return the error that the target holds numbers that are not whole."""
        return cls(
            f"Unknown label type: the target holds {value} in row {row}, a number that is not whole; pass classes, or "
            "divide the numbers into ranges"
        )

    @classmethod
    def unusable_label(cls, label: object, row: int) -> "TargetError":
        """Return the error that a label is neither text nor a number."""
        return cls(
            f"the target holds {label!r} of the type {type(label).__name__} in row {row}; pass text, numbers or bools"
        )

    @classmethod
    def wrong_shape(cls, shape: tuple[int, ...]) -> "TargetError":
        """Return the error that the target is no single column."""
        return cls(f"y should be a 1d array, got an array of shape {shape} instead; pass one label for each row")

    @classmethod
    def too_many_classes(cls, n_classes: int, n_rows: int) -> "TargetError":
        """Return the error that a target has about as many values as rows."""
        return cls(
            f"the target has {n_classes} different values in {format_count(n_rows, 'row')}; pass a column of few "
            "classes, or divide its values into ranges"
        )

    @classmethod
    def mixed_types(cls, types: Sequence[str]) -> "TargetError":
        """Return the error that labels of several types have no order."""
        return cls(f"the target mixes values of the types {join_with_and(list(types))}; convert all to one type")

    @classmethod
    def wrong_length(cls, n_labels: int, n_rows: int) -> "TargetError":
        """Return the error that there is not one label for each row."""
        return cls(
            f"Found input variables with inconsistent numbers of samples: y has {format_count(n_labels, 'label')} and "
            f"X has {format_count(n_rows, 'row')}; pass one label for each row"
        )


class ClassifierParameterError(ParameterError):
    """Parameters of a classifier that do not suit its data."""

    @classmethod
    def wrong_n_components(cls, value: object, classes: Sequence[object]) -> "ClassifierParameterError":
        """Return the error that numbers of components do not match the classes."""
        names = join_with_and([repr(label) for label in classes])
        return cls(
            f"n_components must be 'auto', a whole number of at least 1, or one such number for each of the classes "
            f"{names}, but is {value!r}"
        )

    @classmethod
    def too_many_components(cls, n_components: int, n_rows: int, owner: str = "a class") -> "ClassifierParameterError":
        """Return the error that a class, or another ``owner`` of rows, has fewer distinct rows than components."""
        return cls(
            f"n_components asks for {n_components} components of {owner} that has "
            f"{format_count(n_rows, 'distinct row')}; choose fewer, or 'auto'"
        )

    @classmethod
    def unknown_classes(cls, labels: Sequence[object], classes: Sequence[object]) -> "ClassifierParameterError":
        """Return the error that weights are given for classes that the target does not have."""
        return cls(
            f"class_weight names {join_with_and([repr(label) for label in labels])}, which the target does not have; "
            f"its classes are {join_with_and([repr(label) for label in classes])}"
        )

    @classmethod
    def wrong_costs(cls, shape: tuple[int, ...], n_classes: int) -> "ClassifierParameterError":
        """Return the error that costs are no finite matrix of the classes."""
        return cls(
            f"costs must be finite numbers of the shape ({n_classes}, {n_classes}), one for each true and each "
            f"predicted class, but have the shape {shape} or are not finite"
        )

    @classmethod
    def wrong_n_components_in_total(cls, family: str, value: object) -> "ClassifierParameterError":
        """Return the error that components which all classes share have one number, not one for each class."""
        return cls(
            f"n_components must be 'auto' or a whole number of at least 1, because all classes share the components "
            f"of family={family!r}, but is {value!r}"
        )

    @classmethod
    def several_components(cls, family: str, counts: Sequence[int]) -> "ClassifierParameterError":
        """Return the error that a family has one component for each class."""
        return cls(
            f"family={family!r} has one component for each class, but n_components asks for {max(counts)}; use "
            "n_components='auto', or family='mclustda' for several"
        )

    @classmethod
    def fixed_structure(cls, family: str, structure: str) -> "ClassifierParameterError":
        """Return the error that a family has no choice of structures."""
        return cls(
            f"structure={structure!r} needs family='edda' or family='mclustda'; the covariances of "
            f"family={family!r} have one structure: leave out structure"
        )

    @classmethod
    def structure_without_block(cls, structure: str, max_patterns: int) -> "ClassifierParameterError":
        """Return the error that a table cannot have full covariances."""
        return cls(
            f"structure={structure!r} has correlations, but the numeric columns have more than {max_patterns} patterns "
            "of missing cells, or too many products; use one of EII, VII, EEI, VEI, EVI and VVI, or fewer columns"
        )
