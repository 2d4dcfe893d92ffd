"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const rows = [...document.querySelectorAll("table.themes tbody tr")];
  const sections = [...document.querySelectorAll("details.theme")];
  const others = [...document.querySelectorAll("tr[data-theme]")];
  const placeOf = new Map(data.themes.map(([name], place) => [name, place]));
  const themes = data.themes.map(([name, cells], place) => ({
    name, cells, row: rows[place], section: sections[place],
    title: rows[place].querySelector("bdi").textContent,
    words: rows[place].dataset.words.toLowerCase(),
    capability: rows[place].dataset.capability,
    all: rows[place].querySelector(".matching").textContent,
    total: cells.reduce((sum, cell) => sum + cell[2], 0),
    isWithheld: rows[place].dataset.withheld === "1",
    shown: true,
  }));
  const total = themes.reduce((sum, theme) => sum + theme.total, 0);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // Neighbours in the order get hues far apart; three steps of lightness tell more of them apart.
  const colour = (place) => {
    const light = (dark.matches ? 0.76 : 0.56) + 0.06 * ((place % 3) - 1);
    return `oklch(${light.toFixed(2)} 0.15 ${((place * 137.508 + 25) % 360).toFixed(1)})`;
  };
  const paintSwatches = () => {
    for (const one of document.querySelectorAll("[data-place] .swatch")) {
      one.style.background = colour(+one.closest("[data-place]").dataset.place);
    }
  };

  // Filters.
  const fields = ["search", "capability", "version", "source"].map(byId);
  const state = { words: [], capability: "", version: -1, source: -1, chosen: -1 };
  const fits = (version, source) =>
    (state.version < 0 || state.version === version) && (state.source < 0 || state.source === source);

  const apply = () => {
    const [search, capability, version, source] = fields.map((field) => field.value);
    state.words = search.toLowerCase().split(/\s+/).filter(Boolean);
    state.capability = capability;
    state.version = version === "" ? -1 : +version;
    state.source = source === "" ? -1 : +source;
    const narrow = state.version >= 0 || state.source >= 0;
    let shown = 0;
    let reports = 0;
    for (const theme of themes) {
      const count = theme.cells.reduce((sum, [v, s, n]) => sum + (fits(v, s) ? n : 0), 0);
      theme.shown = (!capability || theme.capability === capability) && (!narrow || count > 0) &&
        state.words.every((word) => theme.words.includes(word));
      theme.row.hidden = !theme.shown;
      if (theme.section) theme.section.hidden = !theme.shown;
      theme.row.querySelector(".matching").textContent =
        narrow ? `${count} of ${theme.total} reports` : theme.all;
      if (theme.shown) { shown += 1; reports += count; }
    }
    for (const row of others) row.hidden = !themes[placeOf.get(row.dataset.theme)].shown;
    byId("found").textContent =
      `${shown} of ${themes.length} themes, ${reports.toLocaleString("en")} of ${total.toLocaleString("en")} reports in them`;
    const nothing = byId("nothing");
    if (nothing) nothing.hidden = shown > 0;
    if (map) map.draw();
  };

  // Sorting: each heading becomes a button; the order of people is the one it came in.
  const sortable = () => {
    const body = document.querySelector("table.themes tbody");
    const value = {
      theme: (row) => +row.dataset.words.slice(1).split(" ")[0],
      people: (row) => -row.dataset.people,
      trend: (row) => -row.dataset.trend,
      priority: (row) => row.dataset.priority,
      owner: (row) => row.dataset.owner,
      state: (row) => row.dataset.state,
    };
    for (const head of document.querySelectorAll("th[data-sort]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const key = value[head.dataset.sort];
        const back = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        for (const other of document.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", back > 0 ? "ascending" : "descending");
        const order = rows.map((row) => [key(row), row]);
        order.sort(([a], [b]) => back * (a < b ? -1 : a > b ? 1 : 0));
        body.append(...order.map(([, row]) => row));
      });
    }
  };

  // A link to a theme opens its section, also where the browser does not do so by itself.
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const section = target && target.closest("details");
    if (!section) return;
    section.open = true;
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  };

  // The map.
  const makeMap = () => {
    const canvas = byId("canvas");
    const pen = canvas.getContext("2d");
    const pointed = byId("pointed");
    const bytes = Uint8Array.from(atob(data.points), (c) => c.charCodeAt(0));
    const count = bytes.length / 8;
    const view16 = new DataView(bytes.buffer);
    const column = (start) =>
      Uint16Array.from({ length: count }, (_, at) => view16.getUint16(start + 2 * at, true));
    const x = column(0);
    const y = column(2 * count);
    const theme = column(4 * count);
    const version = bytes.subarray(6 * count, 7 * count);
    const source = bytes.subarray(7 * count);
    // Grey dots first, so that themes lie on top; a colour is set once for each theme.
    const order = Uint32Array.from({ length: count }, (_, at) => at).sort((a, b) => theme[a] - theme[b]);
    const middles = [];
    for (let start = 0; start < count;) {
      let end = start;
      while (end < count && theme[order[end]] === theme[order[start]]) end += 1;
      const part = (axis, share) =>
        [...order.subarray(start, end)].map((at) => axis[at]).sort((a, b) => a - b)[Math.floor((end - start - 1) * share)];
      if (theme[order[start]]) middles[theme[order[start]] - 1] = [part(x, 0.5), part(y, 0.5), part(y, 0.9)];
      start = end;
    }
    let zoom = 1;
    let centre = [32767, 32767];
    let size = [0, 0];
    const scale = (axis) => zoom * size[axis] / 65535;
    const toScreen = (px, py) => [
      size[0] / 2 + (px - centre[0]) * scale(0),
      size[1] / 2 - (py - centre[1]) * scale(1),
    ];
    const visible = (at) => {
      const place = theme[at] - 1;
      if (!fits(version[at], source[at])) return false;
      if (place >= 0) return themes[place].shown;
      return !state.capability && !state.words.length;
    };
    const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

    const drawDots = () => {
      const grow = Math.sqrt(zoom);
      const radius = Math.min(7, Math.max(count > 20000 ? 1 : count > 3000 ? 1.6 : 3.4, 0.8) * grow);
      let last = -1;
      for (const at of order) {
        if (!visible(at)) continue;
        const place = theme[at] - 1;
        if (theme[at] !== last) {
          last = theme[at];
          const dim = state.chosen >= 0 && state.chosen !== place;
          pen.globalAlpha = dim ? 0.18 : place < 0 ? 0.45 : 0.85;
          pen.fillStyle = place < 0 ? style("--bar") : colour(place);
        }
        const [sx, sy] = toScreen(x[at], y[at]);
        if (sx < -9 || sy < -9 || sx > size[0] + 9 || sy > size[1] + 9) continue;
        const r = place < 0 ? radius * 0.7 : radius;
        if (count > 5000) { pen.fillRect(sx - r, sy - r, 2 * r, 2 * r); continue; }
        pen.beginPath();
        pen.arc(sx, sy, r, 0, 2 * Math.PI);
        pen.fill();
      }
      pen.globalAlpha = 1;
    };

    const lines = (text) => {
      const found = [""];
      for (const word of text.split(" ")) {
        const longer = `${found[found.length - 1]} ${word}`.trim();
        if (longer.length <= 24) found[found.length - 1] = longer;
        else if (found.length < 2) found.push(word.slice(0, 24));
        else { found[1] = `${found[1].slice(0, 23)}…`; break; }
      }
      return found.filter(Boolean);
    };

    const drawLabels = () => {
      const taken = [[size[0] - 60, 0, size[0], 145]]; // the buttons
      const most = Math.round(Math.min(28, size[0] / 50) * Math.sqrt(zoom));
      let drawn = 0;
      pen.font = "600 12px system-ui, sans-serif";
      pen.textAlign = "center";
      pen.lineJoin = "round";
      const wanted = themes.map((_, place) => place).filter((place) => middles[place] &&
        themes[place].shown && (!themes[place].isWithheld || place === state.chosen));
      if (state.chosen >= 0) wanted.sort((a, b) => (b === state.chosen) - (a === state.chosen));
      for (const place of wanted) {
        if (drawn >= most) break;
        const told = lines(`${themes[place].name} ${themes[place].title}`);
        const middle = toScreen(middles[place][0], middles[place][1]);
        const rise = middle[1] - toScreen(0, middles[place][2])[1];
        if (middle.some((at, axis) => at < 0 || at > size[axis])) continue;
        const wide = Math.max(...told.map((line) => pen.measureText(line).width)) / 2 + 6;
        const high = 15 * told.length + 4;
        // Above its dots, else below or over them, and always within the map.
        const sx = Math.min(Math.max(middle[0], wide), size[0] - wide);
        const spot = [-high - rise - 5, rise + 5, -high / 2]
          .map((shift) => Math.min(Math.max(middle[1] + shift, 0), size[1] - high))
          .map((top) => [sx - wide, top, sx + wide, top + high])
          .find((box) => taken.every((t) => box[2] < t[0] || box[0] > t[2] || box[3] < t[1] || box[1] > t[3]));
        if (!spot) continue;
        taken.push(spot);
        drawn += 1;
        pen.globalAlpha = state.chosen >= 0 && state.chosen !== place ? 0.45 : 1;
        told.forEach((line, nth) => {
          const at = spot[1] + 14 + 15 * nth;
          pen.lineWidth = 4;
          pen.strokeStyle = style("--card");
          pen.strokeText(line, sx, at);
          pen.fillStyle = style("--ink");
          pen.fillText(line, sx, at);
        });
      }
      pen.globalAlpha = 1;
    };

    let waits = false;
    const draw = () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => {
        waits = false;
        const box = canvas.getBoundingClientRect();
        const ratio = Math.min(devicePixelRatio || 1, 2);
        size = [box.width, box.height];
        canvas.width = Math.round(box.width * ratio);
        canvas.height = Math.round(box.height * ratio);
        pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        drawDots();
        drawLabels();
        canvas.dataset.drawn = String(order.reduce((sum, at) => sum + visible(at), 0));
      });
    };

    const nearest = (event) => {
      const box = canvas.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      let best = -1;
      let least = 196;
      for (let at = 0; at < count; at += 1) {
        const [sx, sy] = toScreen(x[at], y[at]);
        const far = (sx - px) ** 2 + (sy - py) ** 2;
        if (far < least && visible(at)) { best = at; least = far; }
      }
      return best;
    };
    const choose = (place) => {
      state.chosen = place;
      rows.forEach((row) => row.classList.toggle("chosen", +row.dataset.place === place));
      draw();
    };
    const tell = (at) => {
      const place = at < 0 ? -1 : theme[at] - 1;
      pointed.textContent = at < 0 ? "" : [
        place < 0 ? "In no theme" : `${themes[place].name} ${themes[place].title}`,
        data.versions[version[at]], data.sources[source[at]],
      ].filter(Boolean).join(" · ");
      canvas.style.cursor = place < 0 ? "grab" : "pointer";
      if (place !== state.chosen) choose(place);
    };
    const zoomBy = (factor) => {
      zoom = Math.min(40, Math.max(1, zoom * factor));
      if (zoom === 1) centre = [32767, 32767];
      draw();
    };
    const moveBy = (dx, dy) => {
      centre = [centre[0] - dx / scale(0), centre[1] + dy / scale(1)]
        .map((value) => Math.min(65535, Math.max(0, value)));
      draw();
    };

    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.clientX, y: event.clientY, moved: 0 };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) { tell(nearest(event)); return; }
      const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
      held = { x: event.clientX, y: event.clientY, moved: held.moved + Math.abs(dx) + Math.abs(dy) };
      if (held.moved > 4) moveBy(dx, dy);
    });
    canvas.addEventListener("pointerup", (event) => {
      const tapped = held && held.moved <= 4;
      held = null;
      if (!tapped) return;
      const at = nearest(event);
      tell(at);
      if (event.pointerType === "mouse" && at >= 0 && theme[at]) location.hash = themes[theme[at] - 1].name;
    });
    canvas.addEventListener("pointercancel", () => { held = null; });
    canvas.addEventListener("pointerleave", () => { if (!held) choose(-1); });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomBy(event.deltaY < 0 ? 1.25 : 0.8);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const act = {
        "+": () => zoomBy(1.4), "=": () => zoomBy(1.4), "-": () => zoomBy(1 / 1.4), 0: () => zoomBy(0),
        ArrowLeft: () => moveBy(60, 0), ArrowRight: () => moveBy(-60, 0),
        ArrowUp: () => moveBy(0, 60), ArrowDown: () => moveBy(0, -60),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
    });
    byId("zoom-in").addEventListener("click", () => zoomBy(1.6));
    byId("zoom-out").addEventListener("click", () => zoomBy(1 / 1.6));
    byId("zoom-all").addEventListener("click", () => zoomBy(0));
    for (const row of rows) {
      row.addEventListener("pointerenter", () => choose(+row.dataset.place));
      row.addEventListener("pointerleave", () => choose(-1));
    }
    for (const part of [canvas.parentElement, byId("map-help"), pointed]) part.hidden = false;
    new ResizeObserver(draw).observe(canvas);
    return { draw };
  };

  const map = data.points ? makeMap() : null;
  byId("filters").hidden = false;
  fields.forEach((field) => field.addEventListener("input", apply));
  byId("filters").addEventListener("reset", () => setTimeout(apply));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  dark.addEventListener("change", () => { paintSwatches(); if (map) map.draw(); });
  addEventListener("hashchange", open);
  if (rows.length) sortable();
  paintSwatches();
  apply();
  open();
})();
