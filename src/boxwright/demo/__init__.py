"""The demo: the complete workflow on drawn images of building sites."""
