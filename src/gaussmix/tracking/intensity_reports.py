"""Which components of an intensity are reported as objects, and with which labels: one function for each rule."""

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from gaussmix.tracking.components import Components
from gaussmix.tracking.estimates import Estimates
from gaussmix.tracking.intensity_steps import ObjectIntensity
from gaussmix.tracking.object_labels import (
    LabelMemory,
    Report,
    assign_labels,
    find_heaviest,
    find_labels,
    remember_labels,
)
from gaussmix.tracking.object_modes import spread_labels, weigh_objects
from gaussmix.tracking.target_model import TargetModel
from gaussmix.types import BoolK, IntN, K


class LabelledReport(NamedTuple):
    """An intensity with labels, what is reported of it, and what is known of the labels."""

    intensity: ObjectIntensity
    report: Report
    memory: LabelMemory


class ReportRule(Protocol):
    """A rule: from an intensity after a scan to the same with labels, what is reported, and the new memory."""

    def __call__(
        self, model: TargetModel, intensity: ObjectIntensity, memory: LabelMemory, min_hits: int
    ) -> LabelledReport:
        """Apply the rule."""


def report_copies(model: TargetModel, intensity: ObjectIntensity, memory: LabelMemory, min_hits: int) -> LabelledReport:
    """Report round(w) copies of each component with a weight w above ``report_threshold`` (Vo & Ma 2006, table III).

    Objects have no identity: labels are new in each scan.
    """
    weights = weigh_objects(intensity)
    shown = _select_by_weight(weights, model.report_threshold)
    copies = np.maximum(np.rint(weights[shown]).astype(np.int64), 1)
    positions = np.repeat(shown, copies)
    labels = memory.next_label + np.arange(len(positions))
    existence = np.minimum(weights[positions], 1.0)
    next_memory = LabelMemory.empty(memory.next_label + len(positions))
    return LabelledReport(intensity, Report(positions, labels, existence), next_memory)


def report_labelled(
    model: TargetModel, intensity: ObjectIntensity, memory: LabelMemory, min_hits: int
) -> LabelledReport:
    """Report each component with a weight above ``report_threshold`` once, and established objects that were missed.

    An object is established after ``min_hits`` scans that showed it. It is then certain to exist when a detection
    shows it, and is reported as long as its probability of existence, given the scans without, is high enough.
    """
    reported = report_selected(intensity, memory, _select_by_weight(weigh_objects(intensity), model.report_threshold))
    updated, report = reported.memory, reported.report
    is_shown, _ = find_labels(np.sort(report.labels), updated.labels)
    is_coasting = ~is_shown & (updated.hits >= min_hits) & (updated.existence > model.report_threshold)
    return reported._replace(report=_add_coasting(reported.intensity.components, report, updated, is_coasting))


def report_selected(intensity: ObjectIntensity, memory: LabelMemory, shown: IntN) -> LabelledReport:
    """Report components at the positions ``shown``, heaviest first, each with a label of its own."""
    components, next_label = assign_labels(intensity.components, shown, memory.next_label)
    components = spread_labels(intensity, components, shown)
    report = Report(shown, components.groups[shown], np.minimum(weigh_objects(intensity)[shown], 1.0))
    memory = remember_labels(components, memory, report, intensity.detections[shown] >= 0, next_label)
    return LabelledReport(replace(intensity, components=components), report, memory)


def make_estimates(
    model: TargetModel, intensity: ObjectIntensity, report: Report, expected_number: float, time: float
) -> Estimates:
    """Return the objects of a report."""
    components = intensity.components
    return Estimates(
        time,
        report.labels,
        components.means[report.positions],
        components.covariances[report.positions],
        report.existence,
        intensity.detections[report.positions],
        expected_number,
        model.motion.layout,
    )


REPORT_RULES: dict[str, ReportRule] = {"labelled": report_labelled, "standard": report_copies}


def _select_by_weight(weights: K, threshold: float) -> IntN:
    """Return the positions of weights above a threshold, heaviest first."""
    order = np.argsort(-weights, kind="stable")
    return order[weights[order] > threshold]


def _add_coasting(components: Components, report: Report, memory: LabelMemory, is_coasting: BoolK) -> Report:
    """Return a report with the heaviest components of missed objects added."""
    labels = memory.labels[is_coasting]
    return Report(
        np.concatenate([report.positions, find_heaviest(components, labels)]),
        np.concatenate([report.labels, labels]),
        np.concatenate([report.existence, memory.existence[is_coasting]]),
    )
