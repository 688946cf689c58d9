"""Mixtures of every pixel of a picture: one register of pixels at a time, without Python."""
