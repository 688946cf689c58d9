"""Read and write video, and draw on its frames; the only files that use OpenCV."""
