"""How good each row is: relevance, information, format, safety, consistency. One file, one line each."""

from app.domain.repair.draft.row_bands import Use
from app.domain.repair.policy.quality import QualityPolicy
from app.domain.repair.row_quality.scores.scores import COMPONENTS, QualityScores, score_rows

__all__ = ["COMPONENTS", "QualityPolicy", "QualityScores", "Use", "score_rows"]
