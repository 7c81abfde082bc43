// The map: training rows as one layer of pixels, bad cases as marks above it. Pan, zoom, hover, keys.
(() => {
  const source = document.getElementById("map-data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const box = document.getElementById("map-box");
  const under = document.getElementById("map-rows");
  const canvas = document.getElementById("map-cases");
  const tip = document.getElementById("map-tip");
  const said = document.getElementById("map-said");
  const ink = canvas.getContext("2d");
  const pixels = under.getContext("2d");

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const places = (text) => {
    const raw = bytes(text), view = new DataView(raw.buffer), out = new Float32Array(raw.length / 2);
    for (let i = 0; i < out.length; i++) out[i] = view.getUint16(2 * i, true) / data.scale;
    return out;
  };
  const rows = places(data.rows), cases = places(data.cases.places);
  // The whole fills the box: nearness is what counts on this map, not the length of an axis.
  for (const axis of [0, 1]) {
    let low = Infinity, high = -Infinity;
    for (const points of [rows, cases]) for (let i = axis; i < points.length; i += 2) { low = Math.min(low, points[i]); high = Math.max(high, points[i]); }
    const reach = Math.max(high - low, 0.02), middle = (low + high) / 2;
    for (const points of [rows, cases]) for (let i = axis; i < points.length; i += 2) points[i] = (points[i] - middle) / reach + 0.5;
  }
  const rowCount = rows.length / 2, caseCount = cases.length / 2;
  const texts = data.texts ? data.texts.split("\n") : [];
  const group = data.groups ? new Int32Array(bytes(data.groups).buffer) : null;
  const off = new Set();
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");

  // What is seen: the point of the map at the middle, and how many times larger than the whole.
  const view = { x: 0.5, y: 0.5, zoom: 1 };
  let width = 0, height = 0, ratio = 1, sideX = 1, sideY = 1, image = null, words = null, look = {}, marks = [];
  let hovered = null, chosen = -1, pending = false, marked = -1;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const restyle = () => {
    look = { row: colour("--map-row"), edge: colour("--card"), ink: colour("--ink"), ring: colour("--accent") };
    look.causes = data.causes.map((c) => colour("--" + (c.key === "serving_mismatch" ? "serving" : c.key)));
    marks = look.causes.map((fill, cause) => mark(cause, fill));
  };

  // A shape for each cause, so that colour alone does not tell them apart.
  const trace = (pen, cause, r) => {
    pen.beginPath();
    const key = data.causes[cause].key;
    if (key === "ood") pen.arc(0, 0, r, 0, 7);
    else if (key === "conflict") { pen.moveTo(0, -1.25 * r); pen.lineTo(1.2 * r, 0.9 * r); pen.lineTo(-1.2 * r, 0.9 * r); }
    else if (key === "hard") pen.rect(-0.9 * r, -0.9 * r, 1.8 * r, 1.8 * r);
    else if (key === "serving_mismatch") { pen.moveTo(0, -1.35 * r); pen.lineTo(1.35 * r, 0); pen.lineTo(0, 1.35 * r); pen.lineTo(-1.35 * r, 0); }
    else { pen.moveTo(-r, -r); pen.lineTo(r, r); pen.moveTo(r, -r); pen.lineTo(-r, r); return false; }
    pen.closePath();
    return true;
  };
  const mark = (cause, fill) => {
    const size = Math.ceil(20 * ratio), one = document.createElement("canvas");
    one.width = one.height = size;
    const pen = one.getContext("2d");
    pen.translate(size / 2, size / 2);
    pen.scale(ratio, ratio);
    pen.lineJoin = "round";
    const filled = trace(pen, cause, 5);
    pen.strokeStyle = look.edge; pen.lineWidth = filled ? 3 : 5; pen.stroke();
    if (filled) { pen.fillStyle = fill; pen.fill(); } else { pen.strokeStyle = fill; pen.lineWidth = 2.2; pen.stroke(); }
    return one;
  };

  const screenX = (x) => width / 2 + (x - view.x) * sideX * view.zoom;
  const screenY = (y) => height / 2 + (y - view.y) * sideY * view.zoom;
  const mapX = (px) => view.x + (px - width / 2) / (sideX * view.zoom);
  const mapY = (py) => view.y + (py - height / 2) / (sideY * view.zoom);

  // Rows are written as pixels: 50,000 of them cost less than a thousand shapes.
  const drawRows = () => {
    words.fill(0);
    if (!off.has("rows")) {
      const w = image.width, h = image.height, scaleX = sideX * view.zoom * ratio, scaleY = sideY * view.zoom * ratio;
      const left = w / 2 - view.x * scaleX, top = h / 2 - view.y * scaleY;
      const base = Math.max(0.6, 2.5 - 0.42 * Math.log10(rowCount + 1));
      const radius = Math.min(4, base + 0.4 * Math.sqrt(view.zoom)) * ratio;
      const reach = Math.ceil(radius), rgb = rgbOf(look.row);
      const offsets = [], weights = [];
      const strength = Math.max(46, Math.min(190, 20000 / Math.sqrt(rowCount + 1) * Math.sqrt(view.zoom)));
      for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
        const cover = Math.min(1, radius + 0.5 - Math.hypot(dx, dy));
        if (cover > 0) { offsets.push(dy * w + dx); weights.push(Math.round(cover * strength)); }
      }
      const count = offsets.length;
      for (let i = 0; i < rowCount; i++) {
        const x = Math.round(left + rows[2 * i] * scaleX), y = Math.round(top + rows[2 * i + 1] * scaleY);
        if (x < reach || y < reach || x >= w - reach || y >= h - reach) continue;
        const at = y * w + x;
        for (let k = 0; k < count; k++) {
          const p = at + offsets[k], alpha = (words[p] >>> 24) + weights[k];
          words[p] = rgb | ((alpha > 255 ? 255 : alpha) << 24);
        }
      }
    }
    pixels.putImageData(image, 0, 0);
  };
  const rgbOf = (hex) => parseInt(hex.slice(1, 3), 16) | (parseInt(hex.slice(3, 5), 16) << 8) | (parseInt(hex.slice(5, 7), 16) << 16);

  const visible = (i) => !off.has(data.causes[data.cases.causes[i]].key);
  const drawCases = () => {
    ink.setTransform(1, 0, 0, 1, 0, 0);
    ink.clearRect(0, 0, canvas.width, canvas.height);
    const scale = Math.min(1.5, (caseCount > 300 ? 0.6 : 0.72) + 0.14 * Math.sqrt(view.zoom));
    for (let i = 0; i < caseCount; i++) {
      if (!visible(i)) continue;
      const x = screenX(cases[2 * i]), y = screenY(cases[2 * i + 1]);
      if (x < -12 || y < -12 || x > width + 12 || y > height + 12) continue;
      const one = marks[data.cases.causes[i]], size = one.width * scale;
      ink.drawImage(one, x * ratio - size / 2, y * ratio - size / 2, size, size);
    }
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (hovered && hovered.row !== undefined) ring(rows[2 * hovered.row], rows[2 * hovered.row + 1], 5, look.ink);
    for (const i of new Set([marked, chosen, hovered && hovered.case !== undefined ? hovered.case : -1])) {
      if (i >= 0) ring(cases[2 * i], cases[2 * i + 1], 11, i === marked ? look.ring : look.ink);
    }
  };
  const ring = (x, y, r, stroke) => {
    ink.beginPath(); ink.arc(screenX(x), screenY(y), r, 0, 7);
    ink.strokeStyle = look.edge; ink.lineWidth = 5; ink.stroke();
    ink.strokeStyle = stroke; ink.lineWidth = 2.2; ink.stroke();
  };
  const draw = () => { pending = false; drawRows(); drawCases(); box.dataset.drawn = String(1 + Number(box.dataset.drawn || 0)); };
  const redraw = () => { if (!pending) { pending = true; requestAnimationFrame(draw); } };

  const resize = () => {
    const wide = box.clientWidth, tall = box.clientHeight;
    if (!wide || !tall) return;
    const now = Math.min(2, devicePixelRatio || 1), changed = now !== ratio;
    width = wide; height = tall; ratio = now; sideX = wide - 48; sideY = tall - 48;
    for (const one of [under, canvas]) { one.width = Math.round(wide * ratio); one.height = Math.round(tall * ratio); }
    image = pixels.createImageData(under.width, under.height);
    words = new Uint32Array(image.data.buffer);
    if (changed || !marks.length) restyle();
    redraw();
  };

  const clamp = () => {
    view.zoom = Math.max(1, Math.min(200, view.zoom));
    const loose = 0.5 / view.zoom;
    view.x = Math.max(Math.min(loose, 0.5), Math.min(Math.max(1 - loose, 0.5), view.x));
    view.y = Math.max(Math.min(loose, 0.5), Math.min(Math.max(1 - loose, 0.5), view.y));
    canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";
    box.dataset.zoom = view.zoom.toFixed(2);
  };
  const zoomAt = (px, py, factor) => {
    const x = mapX(px), y = mapY(py);
    view.zoom = Math.max(1, Math.min(200, view.zoom * factor));
    view.x = x - (px - width / 2) / (sideX * view.zoom);
    view.y = y - (py - height / 2) / (sideY * view.zoom);
    clamp(); hide(); redraw();
  };
  const pan = (dx, dy) => { view.x -= dx / (sideX * view.zoom); view.y -= dy / (sideY * view.zoom); clamp(); hide(); redraw(); };
  const show = (i, zoom) => { view.zoom = Math.max(view.zoom, zoom); view.x = cases[2 * i]; view.y = cases[2 * i + 1]; clamp(); redraw(); };

  const nearest = (points, px, py, within, accept) => {
    const x = mapX(px), y = mapY(py), stepX = sideX * view.zoom, stepY = sideY * view.zoom;
    let best = within * within, found = -1;
    for (let i = 0; i < points.length / 2; i++) {
      const dx = (points[2 * i] - x) * stepX, dy = (points[2 * i + 1] - y) * stepY, far = dx * dx + dy * dy;
      if (far < best && accept(i)) { best = far; found = i; }
    }
    return found;
  };
  const at = (px, py) => {
    const one = nearest(cases, px, py, 11, visible);
    if (one >= 0) return { case: one };
    const row = off.has("rows") ? -1 : nearest(rows, px, py, 7, () => true);
    return row >= 0 ? { row } : null;
  };

  const line = (kind, text) => { const p = document.createElement("p"); p.className = kind; p.dir = "auto"; p.textContent = text; tip.append(p); };
  const hide = () => { if (hovered) { hovered = null; tip.hidden = true; canvas.style.cursor = ""; redraw(); } };
  const tell = (what, px, py) => {
    tip.replaceChildren();
    if (what.case !== undefined) {
      const i = what.case;
      line("kind", "Bad case · " + data.causes[data.cases.causes[i]].name);
      line("asked", data.cases.texts[i] || "empty prompt");
      line("answer", "Said: " + (data.cases.answers[i] || "nothing"));
      line("hint", data.cases.ids[i] ? "Click for its finding" : "Its finding is in the JSON and CSV reports");
    } else {
      line("kind", "Training row " + (what.row + 1).toLocaleString("en"));
      if (texts[what.row]) line("asked", texts[what.row]);
      if (group && group[what.row] >= 0) line("hint", data.groupNames[group[what.row]]);
    }
    tip.hidden = false;
    const wide = tip.offsetWidth, tall = tip.offsetHeight;
    tip.style.left = Math.max(4, Math.min(width - wide - 4, px + 14)) + "px";
    tip.style.top = (py + tall + 20 > height ? Math.max(4, py - tall - 12) : py + 16) + "px";
    canvas.style.cursor = what.case !== undefined && data.cases.ids[what.case] ? "pointer" : "";
  };
  const hover = (px, py) => {
    const what = at(px, py);
    if (!what) { hide(); return; }
    const same = hovered && hovered.case === what.case && hovered.row === what.row;
    hovered = what;
    tell(what, px, py);
    if (!same) redraw();
  };
  const open = (i) => { const id = data.cases.ids[i]; if (id) { marked = i; redraw(); location.hash = "finding-" + id; } };

  // Pointers: one drags, two zoom; a press that does not move opens a case.
  const pointers = new Map();
  let moved = 0, spread = 0;
  const local = (e) => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
  const gap = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
  canvas.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    canvas.setPointerCapture(e.pointerId);
    pointers.set(e.pointerId, local(e));
    if (pointers.size === 1) moved = 0;
    if (pointers.size === 2) spread = gap();
  });
  canvas.addEventListener("pointermove", (e) => {
    const [px, py] = local(e), last = pointers.get(e.pointerId);
    if (!last) { hover(px, py); return; }
    pointers.set(e.pointerId, [px, py]);
    if (pointers.size === 2) {
      const now = gap(), [a, b] = [...pointers.values()];
      if (spread > 0 && now > 0) zoomAt((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, now / spread);
      spread = now; moved = 99;
      return;
    }
    moved += Math.abs(px - last[0]) + Math.abs(py - last[1]);
    if (moved > 4) { canvas.classList.add("dragging"); pan(px - last[0], py - last[1]); }
  });
  const release = (e) => {
    if (!pointers.delete(e.pointerId) || pointers.size) return;
    canvas.classList.remove("dragging");
    const [px, py] = local(e);
    if (e.type === "pointerup" && moved <= 4) { const what = at(px, py); if (what && what.case !== undefined) open(what.case); }
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { if (!pointers.size) hide(); });
  canvas.addEventListener("dblclick", (e) => { const [px, py] = local(e); zoomAt(px, py, 2.5); });
  // The wheel scrolls the page until the map has been chosen.
  canvas.addEventListener("wheel", (e) => {
    if (document.activeElement !== canvas && !e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    const [px, py] = local(e);
    zoomAt(px, py, Math.exp(-Math.max(-120, Math.min(120, e.deltaY)) * 0.0022));
  }, { passive: false });

  const step = (by) => {
    const order = [...Array(caseCount).keys()].filter(visible).sort((a, b) => cases[2 * a] - cases[2 * b] || a - b);
    if (!order.length) return;
    const from = order.indexOf(chosen);
    chosen = order[from < 0 ? (by > 0 ? 0 : order.length - 1) : (from + by + order.length) % order.length];
    show(chosen, 4);
    hovered = { case: chosen };
    tell(hovered, screenX(cases[2 * chosen]), screenY(cases[2 * chosen + 1]));
    said.textContent = [...tip.querySelectorAll("p")].map((p) => p.textContent).join(". ");
  };
  const reset = () => { Object.assign(view, { x: 0.5, y: 0.5, zoom: 1 }); chosen = -1; clamp(); hide(); redraw(); };
  const keys = {
    ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
    "+": () => zoomAt(width / 2, height / 2, 1.5), "=": () => zoomAt(width / 2, height / 2, 1.5),
    "-": () => zoomAt(width / 2, height / 2, 1 / 1.5), 0: reset,
    n: () => step(1), p: () => step(-1), Enter: () => { if (chosen >= 0) open(chosen); }, Escape: () => { chosen = -1; hide(); redraw(); },
  };
  canvas.addEventListener("keydown", (e) => {
    const act = e.ctrlKey || e.metaKey || e.altKey ? null : keys[e.key];
    if (act) { e.preventDefault(); act(); }
  });
  canvas.addEventListener("blur", () => { chosen = -1; hide(); redraw(); });

  for (const button of document.querySelectorAll("[data-map-zoom]")) {
    button.addEventListener("click", () => {
      const by = Number(button.dataset.mapZoom);
      if (by) zoomAt(width / 2, height / 2, by); else reset();
    });
  }
  for (const button of document.querySelectorAll("[data-map-layer]")) {
    button.addEventListener("click", () => {
      const name = button.dataset.mapLayer, hidden = !off.delete(name);
      if (hidden) off.add(name);
      button.setAttribute("aria-pressed", String(!hidden));
      chosen = -1; hide(); redraw();
    });
  }
  for (const link of document.querySelectorAll("[data-map-show]")) {
    const i = data.cases.ids.indexOf(link.dataset.mapShow);
    if (i < 0) { link.hidden = true; continue; }
    link.addEventListener("click", () => { marked = i; show(i, 6); box.scrollIntoView({ block: "center", behavior: reduced.matches ? "auto" : "smooth" }); });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { restyle(); redraw(); });
  new ResizeObserver(resize).observe(box);
  clamp();
  resize();
})();
