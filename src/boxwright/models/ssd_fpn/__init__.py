"""SSD MobileNet with a feature pyramid."""
