"""Many answers at once: a pool of processes that can be killed, or a Dask cluster; a summary of what they found."""
