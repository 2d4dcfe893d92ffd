"""Vectors to clusters: centre, smooth over neighbours, agglomerate, select, drop strangers.

A cluster is a suggestion without identity; durable themes are made of it elsewhere.
"""

from triage.clustering.centring import LanguageCentres, fit_centres
from triage.clustering.clusters import ClusterResult, cluster
from triage.clustering.likeness import NOISE, chance_similarity, fellow_similarity

__all__ = [
    "NOISE",
    "ClusterResult",
    "LanguageCentres",
    "chance_similarity",
    "cluster",
    "fellow_similarity",
    "fit_centres",
]
