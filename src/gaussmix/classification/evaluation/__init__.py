"""Evaluate class probabilities: measures, reliability, gain, groups, changed priors, and actions that pay off."""
