"""Files that hospitals and reading rooms send: read into the findings of one assessment, or refused with the place."""
