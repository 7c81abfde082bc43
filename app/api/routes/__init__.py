"""Every endpoint, one file for each noun."""

from app.api.routes import bad_cases, dataset_versions, datasets, events, operations, projects

ROUTERS = (
    operations.router,
    projects.router,
    datasets.router,
    dataset_versions.router,
    bad_cases.router,
    events.router,
)
