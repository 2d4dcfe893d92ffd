"""Vectors to clusters: centre, smooth over neighbours, agglomerate, select, drop strangers.

A cluster is a suggestion without identity; durable themes are made of it elsewhere.
"""

from triage.clustering.centring import LanguageCentres, fit_centres, unit_length
from triage.clustering.clusters import ClusterResult, cluster
from triage.clustering.consensus import cluster_views
from triage.clustering.evidence import Readings, evidence_views
from triage.clustering.libraries import import_libraries
from triage.clustering.likeness import (
    NOISE,
    chance_similarity,
    fellow_similarity,
    neighbourhood_share,
)
from triage.clustering.neighbours import nearest_neighbours
from triage.clustering.views import View, combined
from triage.clustering.wording import is_corroborated, wording_vectors

__all__ = [
    "NOISE",
    "ClusterResult",
    "LanguageCentres",
    "Readings",
    "View",
    "chance_similarity",
    "cluster",
    "cluster_views",
    "combined",
    "evidence_views",
    "fellow_similarity",
    "fit_centres",
    "import_libraries",
    "is_corroborated",
    "nearest_neighbours",
    "neighbourhood_share",
    "unit_length",
    "wording_vectors",
]
