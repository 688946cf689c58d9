"""Who leaves, and why: segments of customers, explanations, actions, drift, on top of `MixtureClassifier`."""
