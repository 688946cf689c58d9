"""The table of families, by the name that `MixtureClassifier` takes."""

from gaussmix.classification.families.base import AbstractFamily
from gaussmix.classification.families.class_mixtures import ClassMixtures

FAMILIES: dict[str, AbstractFamily] = {
    "class-mixtures": ClassMixtures(),
}
