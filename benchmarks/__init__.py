"""Speed and memory, measured: ours and every installed peer on the same data from the same start, in turn."""
