"""Vectors to clusters: centre, smooth over neighbours, agglomerate, select, drop strangers.

A cluster is a suggestion without identity; durable themes are made of it elsewhere.
"""

from triage.clustering.centring import LanguageCentres, fit_centres, unit_length
from triage.clustering.clusters import ClusterResult, cluster
from triage.clustering.likeness import (
    NOISE,
    chance_similarity,
    fellow_similarity,
    neighbourhood_share,
)
from triage.clustering.neighbours import nearest_neighbours

__all__ = [
    "NOISE",
    "ClusterResult",
    "LanguageCentres",
    "chance_similarity",
    "cluster",
    "fellow_similarity",
    "fit_centres",
    "nearest_neighbours",
    "neighbourhood_share",
    "unit_length",
]
