"""The report in a real browser: it draws, filters, and runs nothing that a user wrote."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.reports.report import ReportModel
from app.reporting.report_html import render_html
from tests.unit.reporting.examples import conflict_finding, cycle_report
from tests.unit.reporting.hostile import poisoned

pytestmark = pytest.mark.browser


def _open(
    browser: str, report: ReportModel | str, folder: Path, *flags: str, fragment: str = ""
) -> tuple[str, str]:
    """What the browser prints (the document after loading) and what it logs, console messages included."""
    page = folder / "report.html"
    page.write_text(report if isinstance(report, str) else render_html(report), encoding="utf-8")
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}",
            "--hide-scrollbars",
            *flags,
            page.as_uri() + fragment,
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")


def _console(log: str) -> list[str]:
    return [line for line in log.splitlines() if "CONSOLE" in line]


def test_the_page_is_drawn(browser: str, tmp_path: Path) -> None:
    picture = tmp_path / "report.png"
    _open(browser, cycle_report(), tmp_path, f"--screenshot={picture}", "--window-size=1240,2400")
    assert picture.read_bytes().startswith(b"\x89PNG")
    # A blank page of this size packs into a few kilobytes.
    assert picture.stat().st_size > 100_000


def test_our_script_runs_under_its_own_policy(browser: str, tmp_path: Path) -> None:
    document, log = _open(browser, cycle_report(), tmp_path, "--dump-dom")
    assert '<html lang="en" class="js">' in document
    assert "4 of 4 shown" in document
    assert _console(log) == []


def test_a_link_to_a_finding_opens_it(browser: str, tmp_path: Path) -> None:
    document, _ = _open(browser, cycle_report(), tmp_path, "--dump-dom", fragment="#finding-fd_2")
    (tag,) = re.findall(r'<details [^>]*id="finding-fd_2"[^>]*>', document)
    assert " open" in tag


def test_nothing_a_user_wrote_runs(browser: str, tmp_path: Path) -> None:
    attack = (
        '"><img src=x onerror="document.title=\'owned\'"></script><script>document.title="owned"</script>'
    )
    document, log = _open(browser, poisoned(cycle_report(), attack), tmp_path, "--dump-dom")
    assert "<title>owned" not in document
    assert '<img src="x"' not in document
    assert _console(log) == []


def test_a_changed_script_is_refused_and_the_page_is_whole_without_it(browser: str, tmp_path: Path) -> None:
    document = render_html(cycle_report()).replace('"use strict";', '"use strict"; document.title = "owned";')
    loaded, log = _open(browser, document, tmp_path, "--dump-dom")
    assert "Content Security Policy" in "".join(_console(log))
    assert "<title>owned" not in loaded
    assert 'class="js"' not in loaded
    assert loaded.count('class="finding card"') == 4


def test_five_hundred_findings_load(browser: str, tmp_path: Path) -> None:
    findings = tuple(conflict_finding(number) for number in range(500))
    document, log = _open(browser, replace(cycle_report(), findings=findings), tmp_path, "--dump-dom")
    assert "500 of 500 shown" in document
    assert _console(log) == []
