"""Estimate a target model from the detections of a recording: noise, detection probability, clutter and births."""
