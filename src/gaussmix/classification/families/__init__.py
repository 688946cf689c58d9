"""Families of class-conditional mixtures: how a classifier is structured, chosen and fitted."""
