"use strict";
// Fetches the plan with the cookie, or the key of this tab, puts it in place, and sends what a person decides.
(() => {
  const KEY = "casemend.key";
  const repair = location.pathname.split("/").pop();
  const base = "/v1/repairs/" + encodeURIComponent(repair);
  const csrf = document.body.dataset.csrf;
  const mayRead = () => csrf || sessionStorage.getItem(KEY);
  const place = document.getElementById("plan");
  const said = document.getElementById("said");

  const say = (text, bad) => { said.textContent = text; said.className = bad ? "page bad" : "page"; };
  const plan = () => place.querySelector("main");

  const call = async (method, path, { body, etag } = {}) => {
    const headers = csrf ? { "X-CSRF-Token": csrf } : { Authorization: "Bearer " + (sessionStorage.getItem(KEY) || "") };
    if (etag) headers["If-Match"] = '"' + etag + '"';
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      const rows = (problem.errors || []).slice(0, 5).map((e) => e.pointer + " " + e.message).join("; ");
      const hint = answer.status === 412 ? "Somebody else decided meanwhile; the page is read again. " : "";
      const error = new Error(hint + (problem.detail || "the server answered " + answer.status) + (rows ? " (" + rows + ")" : ""));
      error.status = answer.status;
      throw error;
    }
    return answer;
  };

  const load = async (keepPlace) => {
    if (!mayRead()) return;
    const top = scrollY;
    const answer = await call("GET", base + "/page" + location.search);
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(document.importNode(read.querySelector("main"), true));
    document.title = read.title;
    scrollTo(0, keepPlace ? top : 0);
    if (["applying", "reverting"].includes(plan().dataset.state)) setTimeout(() => run(() => load(true)), 1500);
  };

  const run = async (work) => {
    try { await work(); } catch (error) {
      say(error.message, true);
      if (error.status === 412) { try { await load(true); } catch (again) { say(again.message, true); } }
    }
  };
  const done = (text) => load(true).then(() => say(text));

  document.getElementById("key-form")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const field = document.getElementById("key");
    if (field.value.trim()) sessionStorage.setItem(KEY, field.value.trim());
    field.value = "";
    run(async () => { await load(); say("The key stays in this tab and is gone with it."); });
  });
  document.getElementById("forget")?.addEventListener("click", () => {
    sessionStorage.removeItem(KEY);
    place.replaceChildren();
    say("The key is forgotten.");
  });

  const go = (search) => { history.pushState(null, "", location.pathname + search); run(() => load()); };
  addEventListener("popstate", () => run(() => load()));
  place.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = [...new FormData(event.target)].filter(([, value]) => value !== "");
    go("?" + new URLSearchParams(wanted));
  });

  const made = (answer, version) => answer.status === 202 ? "A worker is making the version; this page follows it." : "Made " + version.id + ": " + version.rows + " rows.";
  const actions = {
    async decide(button) {
      const card = button.closest(".action");
      card.classList.add("busy");
      try {
        await call("PATCH", "/v1/repair-actions/" + card.dataset.action, { body: { decision: button.dataset.decide }, etag: card.dataset.etag });
      } finally { card.classList.remove("busy"); }
      await done("Decided: " + button.dataset.decide + ".");
    },
    async answer(button) {
      const chosen = button.dataset.answer || prompt("What shall these rows say?");
      if (!chosen) return;
      const card = button.closest(".action");
      await call("PATCH", "/v1/repair-actions/" + card.dataset.action, { body: { decision: "approved", answer: chosen }, etag: card.dataset.etag });
      await done("Decided: the rows will say “" + chosen + "”.");
    },
    async many(button) {
      const { many, kind, rule } = button.dataset;
      const body = { decision: many, kind, rule };
      const answer = await (await call("POST", base + "/decisions", { body, etag: plan().dataset.etag })).json();
      await done(answer.decided + " actions " + many + ".");
    },
    async policy() {
      const score = prompt("Approve every proposed action from this score on (0 to 1); actions that ask a person stay.", "0.8");
      if (score === null) return;
      const body = { policy: { approve: "confident", min_score: Number(score) } };
      const answer = await (await call("POST", base + "/decisions", { body, etag: plan().dataset.etag })).json();
      await done(answer.decided + " actions approved.");
    },
    async preview() {
      const told = await (await call("POST", base + "/apply?dry_run=true&changes=10")).json();
      const { added, removed, changed } = told.counts;
      const first = told.changes.map((c) => "· " + c.kind + ": " + c.reason).join("\n");
      document.getElementById("outcome").textContent = told.rows + " rows: " + removed + " removed, " + changed + " changed, " + added + " added.\nContent hash " + told.content_hash + (first ? "\n" + first : "");
    },
    async apply() {
      if (!confirm("Make a new version with every approved action carried out?")) return;
      const answer = await call("POST", base + "/apply", { etag: plan().dataset.etag });
      const version = await answer.json();
      await done(made(answer, version));
    },
    async revert() {
      if (!confirm("Make a further version in which the whole repair is undone?")) return;
      const answer = await call("POST", base + "/revert", { etag: plan().dataset.etag });
      const version = await answer.json();
      await done(made(answer, version));
    },
    async undo(button) {
      const answer = await call("POST", "/v1/repair-actions/" + button.closest(".action").dataset.action + "/revert");
      const version = await answer.json();
      await done(made(answer, version));
    },
    async similar(button) {
      const card = button.closest(".action");
      const added = await (await call("POST", "/v1/repair-actions/" + card.dataset.action + "/apply-to-similar", { etag: card.dataset.etag })).json();
      await done(added.added + " like it are proposed now" + (added.left_out ? ", " + added.left_out + " more fit" : "") + "; look for reasons that hold " + added.modelled_on + ".");
    },
  };
  place.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link && link.getAttribute("href").startsWith("?")) {
      event.preventDefault();
      go(link.getAttribute("href"));
      return;
    }
    const button = event.target.closest("button");
    const name = button && Object.keys(actions).find((key) => key in button.dataset);
    if (!name) return;
    button.disabled = true;
    run(() => actions[name](button)).finally(() => { button.disabled = false; });
  });

  if (mayRead()) run(() => load());
})();
