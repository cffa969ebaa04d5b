"""Drawing: boxes on images, sheets of images, charts."""
