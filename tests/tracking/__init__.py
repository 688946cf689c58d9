"""Tests of object tracking."""
