"""Online EM: fits to rows that arrive in chunks."""
