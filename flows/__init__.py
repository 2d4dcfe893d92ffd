"""One Prefect flow per stage and the pipeline; the only place that knows Prefect."""

import gc

# Nearly all that a flow makes, modules and reports, lives as long as the flow: looking for cycles
# among them after every 700 new objects was a sixth of the imports and a twentieth of theming.
gc.set_threshold(50_000)
