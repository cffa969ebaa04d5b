"""Running detector files of every kind."""
