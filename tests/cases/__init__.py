"""Scripts on difficult data that print gaussmix's answer beside the right one. Run: python -m tests.cases.NAME."""
