"""Files: atomic writes, locks, downloads, archives, protocol buffers' text format."""
