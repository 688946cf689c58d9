"""k-means over rows in groups: seeds by k-means++, and whole runs of Lloyd's algorithm without Python."""
