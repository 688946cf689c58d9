"""The background of a video as a mixture for every pixel, and the moving objects in front of it."""
