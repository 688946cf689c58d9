"""Tracking of boxes from a detector, frame by frame."""
