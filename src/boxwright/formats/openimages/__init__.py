"""Open Images: its CSV files, and the OIDv4 ToolKit's folders."""
