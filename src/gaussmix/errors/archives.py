"""Errors about files of saved models."""

from collections.abc import Sequence

from gaussmix.errors.base import GaussmixError


class ArchiveError(GaussmixError, ValueError):
    """A file of a saved model that cannot be read."""

    @classmethod
    def from_reason(cls, path: object, reason: str) -> "ArchiveError":
        """Return the error that names the file and the reason."""
        return cls(f"{path} is not a usable gaussmix model: {reason}")

    @classmethod
    def unknown_format(cls, path: object) -> "ArchiveError":
        """Return the error for a file that gaussmix did not write."""
        return cls.from_reason(path, "it was not written by gaussmix")

    @classmethod
    def unknown_schema(cls, path: object, schema: str | None, known: Sequence[str]) -> "ArchiveError":
        """Return the error for a file of a schema that this version does not know."""
        return cls.from_reason(path, f"its schema is {schema!r}, known are {', '.join(known)}; update gaussmix")

    @classmethod
    def not_safetensors(cls, path: object, error: Exception) -> "ArchiveError":
        """Return the error for a file that is not in safetensors format."""
        return cls.from_reason(path, f"it is not a safetensors file ({error})")

    @classmethod
    def invalid_content(cls, path: object, error: Exception) -> "ArchiveError":
        """Return the error for a file whose arrays or strings contradict each other."""
        return cls.from_reason(path, f"it is damaged ({type(error).__name__}: {error})")


class DamagedModelError(GaussmixError, ValueError):
    """The content of a model file contradicts itself; `ArchiveError.invalid_content` adds the path."""

    @classmethod
    def no_relations_or_transforms(cls) -> "DamagedModelError":
        """Return the error that a file of schema 3 has neither relations of dependent columns nor transforms."""
        return cls("there are neither relations of dependent columns nor transforms of columns")

    @classmethod
    def invalid_relations(cls) -> "DamagedModelError":
        """Return the error that the relations of dependent columns contradict each other or the other columns."""
        return cls("the relations of dependent columns do not fit the other columns")

    @classmethod
    def no_factors(cls, structure: str) -> "DamagedModelError":
        """Return the error for a file of schema 2 whose structure has no factors."""
        return cls(f"a file of schema 2 contains factors, and {structure} has none")

    @classmethod
    def wrong_checksum(cls) -> "DamagedModelError":
        """Return the error for content that differs from what was written."""
        return cls("its numbers do not match its checksum")

    @classmethod
    def invalid_tensor(cls, name: str, dtype: object) -> "DamagedModelError":
        """Return the error for an array of another type, or with NaN or infinity."""
        return cls(f"{name} has type {dtype} or contains numbers that are not finite")

    @classmethod
    def invalid_feature_names(cls) -> "DamagedModelError":
        """Return the error for feature names that are not one string per column."""
        return cls("the feature names do not match the columns")

    @classmethod
    def negative_n_fixed_parameters(cls) -> "DamagedModelError":
        """Return the error for a negative number of fixed parameters."""
        return cls("the number of fixed parameters is negative")

    @classmethod
    def invalid_noise(cls) -> "DamagedModelError":
        """Return the error for noise of negative weight or without volume."""
        return cls("the noise has a negative weight or no volume")

    @classmethod
    def exponent_out_of_range(cls) -> "DamagedModelError":
        """Return the error for a frame with powers of two that no double has."""
        return cls("the frame contains powers of two outside the range of double precision")

    @classmethod
    def wrong_columns(cls) -> "DamagedModelError":
        """Return the error for a classifier whose mixtures do not have the columns of its schema."""
        return cls("the mixtures do not have the columns of the schema")

    @classmethod
    def wrong_n_classes(cls) -> "DamagedModelError":
        """Return the error for a classifier whose mixtures have another number of classes than it says."""
        return cls("the mixtures have another number of classes")

    @classmethod
    def wrong_shape(cls, actual: tuple[int, ...], expected: tuple[int, ...]) -> "DamagedModelError":
        """Return the error for an array of another shape than the other arrays require."""
        return cls(f"an array has shape {actual}, but {expected} is expected")

    @classmethod
    def variance_not_positive(cls) -> "DamagedModelError":
        """Return the error for a variance of zero or below."""
        return cls("a variance is not positive")


class UnsavableError(GaussmixError, ValueError):
    """A model that no file can hold."""

    @classmethod
    def classes(cls, type_name: str) -> "UnsavableError":
        """Return the error for classes that are neither text, numbers nor bools."""
        return cls(
            f"classes of the type {type_name} cannot be saved; fit the classifier to classes of text, numbers or bools"
        )
