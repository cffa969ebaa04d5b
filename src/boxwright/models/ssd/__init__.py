"""SSD MobileNet: anchors on six feature maps, as the Object Detection API has it."""
