"""Every endpoint, one file for each noun."""

from app.api.routes import (
    augmentations,
    bad_cases,
    cycles,
    dataset_versions,
    datasets,
    diagnoses,
    diagnosis_maps,
    evaluations,
    events,
    mixtures,
    operations,
    projects,
    repairs,
    training,
    verifications,
)

ROUTERS = (
    operations.router,
    projects.router,
    datasets.router,
    dataset_versions.router,
    bad_cases.router,
    diagnoses.router,
    diagnosis_maps.router,
    repairs.router,
    augmentations.router,
    mixtures.router,
    training.router,
    evaluations.router,
    verifications.router,
    cycles.router,
    events.router,
)
