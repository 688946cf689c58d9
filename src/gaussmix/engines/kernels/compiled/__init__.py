"""Code that Numba compiles; every function here takes arrays and allocates nothing.

Imported where something has to be compiled, and not where it is found on disk; only ``values``, which both
sides of a call know, is free of Numba.
"""
