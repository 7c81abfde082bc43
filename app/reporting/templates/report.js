"use strict";
// Filters and folds. The page holds everything without it; this only hides what was not asked for.
(() => {
  document.documentElement.classList.add("js");
  const findings = Array.from(document.querySelectorAll(".finding"));
  const shown = document.getElementById("shown");
  const search = document.getElementById("search");
  const chosen = { category: "", verdict: "" };

  const apply = () => {
    const words = search ? search.value.trim().toLowerCase() : "";
    let count = 0;
    for (const finding of findings) {
      const hit =
        (!chosen.category || finding.dataset.category === chosen.category) &&
        (!chosen.verdict || finding.dataset.verdict === chosen.verdict) &&
        (!words || finding.textContent.toLowerCase().includes(words));
      finding.hidden = !hit;
      count += hit ? 1 : 0;
    }
    if (shown) shown.textContent = count + " of " + findings.length + " shown";
  };

  for (const button of document.querySelectorAll("[data-filter]")) {
    button.addEventListener("click", () => {
      const { filter, value } = button.dataset;
      chosen[filter] = value;
      for (const other of document.querySelectorAll(`[data-filter="${filter}"]`)) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      apply();
    });
  }
  const showAll = () => {
    if (search) search.value = "";
    for (const filter of Object.keys(chosen)) {
      chosen[filter] = "";
      for (const button of document.querySelectorAll(`[data-filter="${filter}"]`)) {
        button.setAttribute("aria-pressed", String(button.dataset.value === ""));
      }
    }
    apply();
  };
  let waiting = 0;
  if (search) search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 120); });

  const all = document.getElementById("open-all");
  if (all) all.addEventListener("click", () => {
    const open = all.getAttribute("aria-pressed") !== "true";
    all.setAttribute("aria-pressed", String(open));
    all.textContent = open ? "Fold all" : "Unfold all";
    for (const finding of findings) if (!finding.hidden) finding.open = open;
  });

  // A link to one finding opens it.
  const follow = () => {
    const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    if (target.hidden) showAll();
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  follow();
  apply();
})();
