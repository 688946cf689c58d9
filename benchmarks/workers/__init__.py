"""Processes that are measured: each imports one library, and answers a line of input with a line of JSON."""
