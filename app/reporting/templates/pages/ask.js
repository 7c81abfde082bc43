"use strict";
// Asks the adapter of this page and shows the answer as it comes.
(() => {
  const form = document.getElementById("ask");
  const question = document.getElementById("question");
  const answer = document.getElementById("answer");
  const [send, stop] = [form.querySelector("button[type=submit]"), document.getElementById("stop")];
  let asking = null;

  const show = (line) => {
    if (!line.startsWith("data: ") || line === "data: [DONE]") return;
    const said = JSON.parse(line.slice(6));
    if (said.error) throw new Error(said.error.message);
    answer.textContent += said.choices?.[0]?.delta?.content || "";
  };

  const ask = async () => {
    const body = { model: form.dataset.model, stream: true, messages: [{ role: "user", content: question.value }] };
    const reply = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf },
      body: JSON.stringify(body),
      signal: asking.signal,
    });
    if (!reply.ok) {
      const problem = await reply.json().catch(() => ({}));
      throw new Error(problem.error?.message || problem.detail || "the server answered " + reply.status);
    }
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ; ) {
      const { done, value } = await reader.read();
      const lines = (rest + (value || "")).split("\n");
      rest = done ? "" : lines.pop();
      lines.forEach((line) => show(line.trim()));
      if (done) return;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (asking) return;
    asking = new AbortController();
    answer.textContent = "";
    answer.className = "";
    send.disabled = true;
    stop.disabled = false;
    try {
      await ask();
      if (!answer.textContent) answer.textContent = "(an empty answer)";
    } catch (error) {
      if (error.name !== "AbortError") { answer.textContent += (answer.textContent ? "\n" : "") + error.message; answer.className = "bad"; }
    } finally {
      asking = null;
      send.disabled = false;
      stop.disabled = true;
    }
  });
  stop.addEventListener("click", () => asking && asking.abort());
})();
