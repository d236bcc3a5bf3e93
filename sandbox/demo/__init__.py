"""The demo: the main job, told as a story on the running sandbox, with milliseconds."""
