"""What every HTTP service of the trial does alike: problems, versions, ids, pages, health."""
