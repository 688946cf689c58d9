"""Code that Numba compiles; every function here takes arrays and allocates nothing."""
