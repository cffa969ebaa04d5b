"""AP by the number of training images, and what twice as many would give."""
