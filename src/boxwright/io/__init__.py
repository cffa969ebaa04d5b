"""Files: atomic writes, locks, downloads, archives, the text format of protocol buffers."""
