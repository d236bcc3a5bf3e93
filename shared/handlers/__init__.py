"""What the app does: the file list is the feature list."""
