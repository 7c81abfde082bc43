"""What in the training set should change? A diagnosis or a version in, a plan of actions out."""

from __future__ import annotations

from app.db.models import RepairRow
from app.domain.repair.plan import RepairPlan
from app.services.repairs import plans
from workers import planning
from workers.context import StageContext


def run(context: StageContext) -> None:
    with context.reading() as session:
        repair = session.get_one(RepairRow, context.claim.subject_id)
    save(context, planning.plan_of(context, repair))


def save(context: StageContext, plan: RepairPlan) -> None:
    with context.saving() as (session, row):
        assert isinstance(row, RepairRow)
        plans.save_plan(session, row, plan)
