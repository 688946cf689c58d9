"""Worker processes: each imports one library and answers lines of input with lines of JSON."""
