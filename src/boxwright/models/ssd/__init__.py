"""SSD MobileNet with anchors on six feature maps, as in the Object Detection API."""
