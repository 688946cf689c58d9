"""Predict classes, such as customer churn, by mixtures of numeric and categorical columns."""
