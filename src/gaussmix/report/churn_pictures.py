"""Pictures of a report on churn: reliability, gain, and profit of contacts."""

from functools import partial
from typing import Any

from gaussmix import plots
from gaussmix.classification.evaluation.actions import ActionPlan
from gaussmix.plots.picture_export import draw_axes_picture
from gaussmix.report.churn_validation import ChurnValidation
from gaussmix.report.page_template import CaptionedPicture

_SIZE_INCHES, _PROFIT_SIZE_INCHES = (5.2, 4.2), (6.4, 4.0)


def draw_validation_pictures(validation: ChurnValidation) -> list[CaptionedPicture]:
    """Return the pictures of reliability and of gain."""
    return [_reliability_picture(validation), _gain_picture(validation)]


def draw_profit_pictures(validation: ChurnValidation) -> list[CaptionedPicture]:
    """Return the picture of the profit of contacts; [] without costs."""
    if validation.plan is None:
        return []
    plan = validation.plan
    n_tested = len(plan.is_contacted)
    alt_text = (
        f"Profit over the number of customers contacted, in the test of the rule on {n_tested:,} customers whose "
        f"outcome is known; the rule contacts {plan.n_contacted:,} of them."
    )
    caption = (
        f"Test of the rule on the {n_tested:,} customers whose outcome is known, also those who have left: profit of "
        "contacting those of the highest expected profit. Solid: expected by the probabilities. Dashed: with the "
        f"outcomes. Bands: 95% intervals. Dotted: the {plan.n_contacted:,} whom the rule contacts in the test."
    )
    draw = partial(_draw_profit, plan, n_tested)
    return [CaptionedPicture(draw_axes_picture(draw, _PROFIT_SIZE_INCHES, alt_text), caption)]


def _draw_profit(plan: ActionPlan, n_tested: int, ax: Any) -> None:
    """Draw the profit of contacts among tested customers."""
    plots.profit_curve(plan, ax=ax, legend=False)
    ax.set_title(f"Test of the rule: {n_tested:,} customers whose outcome is known", fontsize="medium")


def _reliability_picture(validation: ChurnValidation) -> CaptionedPicture:
    """Return the reliability diagram."""
    draw = partial(plots.reliability_diagram, validation.reliability, legend=False)
    error = validation.reliability.calibration_error
    alt_text = (
        f"Observed churn rate against probability in {len(validation.reliability.bins)} bins of customers; "
        f"they differ by {error:.3f} on average."
    )
    caption = (
        "Do the probabilities come true? Dots: a tenth of the customers each, with the fraction that left and its 95% "
        "interval. Right probabilities lie on the dashed line. Bars: numbers of customers, dark: those who left."
    )
    return CaptionedPicture(draw_axes_picture(lambda ax: draw(ax=ax), _SIZE_INCHES, alt_text), caption)


def _gain_picture(validation: ChurnValidation) -> CaptionedPicture:
    """Return the gain curve."""
    draw = partial(plots.gain_curve, validation.gain, legend=False)
    reached = float(validation.gain.gain_at(0.2))
    alt_text = (
        f"Fraction of leaving customers among those of the highest probability; the first fifth has {reached:.0%}."
    )
    caption = (
        f"Who is reached first? The fifth of the customers with the highest probability (dot) contains {reached:.0%} "
        "of those who left. Dashed: the best order. Dotted: a random order."
    )
    return CaptionedPicture(draw_axes_picture(lambda ax: draw(ax=ax), _SIZE_INCHES, alt_text), caption)
