"""How good each row is: relevance, information, format, safety, consistency. One file, one line each."""

from app.domain.repair.quality.policy import QualityPolicy
from app.domain.repair.quality.scores import COMPONENTS, QualityScores, Use, score_rows

__all__ = ["COMPONENTS", "QualityPolicy", "QualityScores", "Use", "score_rows"]
