"""Sources of images: files, folders, lists, archives, standard input, videos, cameras, streams."""
