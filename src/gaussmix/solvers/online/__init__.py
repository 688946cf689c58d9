"""EM over chunks of rows that arrive one after the other."""
