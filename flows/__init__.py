"""One Prefect flow per stage and the pipeline; the only place that knows Prefect."""
