"""What users give: spec files, model files, traces; each error names file, line and key."""
