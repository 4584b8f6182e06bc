"use strict";
// Colours that people with colour blindness can tell apart (Paul Tol's bright scheme, and greys).
const CAUSE_COLOURS = {
  "kernel": "#4477aa", "loop": "#b8c4d2", "drive": "#ccbb44", "barrier": "#8d99a8",
  "wait for load": "#ee6677", "wait for store": "#aa3377", "wait for NPU": "#a5c8a5",
};
const TRACK_COLOURS = { "cores": "#4477aa", "DMA in": "#228833", "DMA out": "#66ccee", "NPU": "#5d8f5d" };
const DARK = ["kernel", "wait for store"];
const NEST_COLOURS = ["#dbe6f2", "#f0e3cf", "#dcebdc", "#eedde6", "#e3e1f2", "#e6e6dc"];

const $ = (id) => document.getElementById(id);
const count = (n) => Math.round(n).toLocaleString("en");
const percent = (x) => (100 * x).toFixed(1) + " %";
const time = (cycles) => DATA.clock ? ` (${(1e6 * cycles / DATA.clock).toPrecision(4)} µs)` : "";
const tip = $("tip");

function showTip(event, text) {
  tip.style.display = text ? "block" : "none";
  if (!text) return;
  tip.textContent = text;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.min(event.clientX + 14, innerWidth - box.width - 8) + "px";
  tip.style.top = Math.min(event.clientY + 14, innerHeight - box.height - 8) + "px";
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// --- Causes and engines --------------------------------------------------------------------------

function stack(causes, total, small) {
  const bar = element("div", { class: small ? "stack small" : "stack" });
  DATA.causes.forEach((name, i) => {
    if (causes[i]) bar.append(element("div", {
      style: `width:${100 * causes[i] / total}%;background:${CAUSE_COLOURS[name]}`,
      title: `${name}: ${count(causes[i])} cycles, ${percent(causes[i] / total)}`,
    }));
  });
  return bar;
}

function showCauses() {
  const totals = DATA.causes.map((_, i) => DATA.nests.reduce((sum, nest) => sum + nest.causes[i], 0));
  $("causes").replaceWith(Object.assign(stack(totals, DATA.cycles, false), { id: "causes" }));
  DATA.causes.forEach((name, i) => totals[i] && $("legend").append(element(
    "span", { style: `--c:${CAUSE_COLOURS[name]}` },
    `${name} ${count(totals[i])} (${percent(totals[i] / DATA.cycles)})`)));
}

function showEngines() {
  const rows = DATA.tracks.map((track) => element("tr", {},
    element("td", {}, track.name),
    element("td", { class: "number" }, percent(track.busy / DATA.cycles)),
    element("td", { class: "number" }, track.bytes ? count(track.bytes) + " bytes" : ""),
    element("td", { class: "wide" }, element("div", { class: "bar",
      style: `width:${100 * track.busy / DATA.cycles}%;background:${TRACK_COLOURS[track.name]}` }))));
  $("engines").append(...rows);
}

// --- Time: one window for the timeline and the maps of the memories ---------------------------------

const LEFT = 76;
const view = { from: 0, to: DATA.cycles };
const charts = [];

class Chart {
  constructor(canvas, height, draw, describe, pick) {
    Object.assign(this, { canvas, height, draw, describe, pick });
    canvas.style.height = height + "px";
    let drag = null;
    canvas.addEventListener("wheel", (event) => {
      if (event.deltaY > 0 && view.to - view.from >= DATA.cycles) return; // the page scrolls
      event.preventDefault();
      const at = this.cycle(event.offsetX), factor = Math.exp(event.deltaY * 0.0015);
      show(at - (at - view.from) * factor, at + (view.to - at) * factor);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      drag = { x: event.offsetX, from: view.from, to: view.to, moved: false };
      canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("drag");
    });
    canvas.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved && this.pick) this.pick(event.offsetX, event.offsetY);
      drag = null;
      canvas.classList.remove("drag");
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) return showTip(event, this.describe(event.offsetX, event.offsetY));
      const by = (drag.x - event.offsetX) / (this.width - LEFT) * (drag.to - drag.from);
      drag.moved ||= Math.abs(drag.x - event.offsetX) > 3;
      show(drag.from + by, drag.to + by);
    });
    canvas.addEventListener("pointerleave", (event) => showTip(event, null));
    canvas.addEventListener("dblclick", () => show(0, DATA.cycles));
    charts.push(this);
  }
  get width() { return this.canvas.clientWidth; }
  x(cycle) { return LEFT + (cycle - view.from) / (view.to - view.from) * (this.width - LEFT); }
  cycle(x) { return view.from + (x - LEFT) / (this.width - LEFT) * (view.to - view.from); }
  paint() {
    const ratio = devicePixelRatio || 1, canvas = this.canvas;
    canvas.width = this.width * ratio;
    canvas.height = this.height * ratio;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.font = "11px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    this.draw(this, ctx);
  }
  label(ctx, text, x, y, room, colour = "#1c2430") {
    if (room < 30) return;
    const most = Math.floor(room / 6.2);
    ctx.fillStyle = colour;
    ctx.fillText(text.length <= most ? text : text.slice(0, Math.max(1, most - 1)) + "…", x, y);
  }
  clip(ctx, paint) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT, 0, this.width - LEFT, this.height);
    ctx.clip();
    paint();
    ctx.restore();
  }
}

function show(from, to) {
  const span = Math.min(Math.max(to - from, 20), DATA.cycles);
  view.from = Math.min(Math.max(0, from), DATA.cycles - span);
  view.to = view.from + span;
  requestAnimationFrame(() => charts.forEach((chart) => chart.paint()));
}

function step(span, pieces) {
  const power = 10 ** Math.floor(Math.log10(span / pieces));
  return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= span / pieces);
}

function axis(chart, ctx, y) {
  const by = Math.max(1, step(view.to - view.from, Math.max(2, (chart.width - LEFT) / 120)));
  ctx.fillStyle = "#64707f";
  ctx.textAlign = "center";
  for (let tick = Math.ceil(view.from / by) * by; tick <= view.to; tick += by) {
    const x = chart.x(tick);
    ctx.fillRect(x, y - 4, 1, 4);
    ctx.fillText(count(tick), Math.min(Math.max(x, LEFT + 14), chart.width - 26), y + 8);
  }
  ctx.textAlign = "left";
  ctx.fillText("cycles", 6, y + 8);
}

// --- Timeline ------------------------------------------------------------------------------------

const ROW = 30, NEST_ROW = 26;
const rows = DATA.tracks.map((track, i) => ({ ...track, index: i, y: NEST_ROW + 8 + i * ROW, events: [] }));
for (let i = 0; i < DATA.events.length; i += 5) {
  const [track, kind, nest, start, length] = DATA.events.slice(i, i + 5);
  rows[track].events.push({ kind, nest, start, end: start + length });
}

function colour(row, event) {
  return row.name === "cores" ? CAUSE_COLOURS[DATA.kinds[event.kind]] : TRACK_COLOURS[row.name];
}

function ink(row, event) {
  return row.name === "cores" && !DARK.includes(DATA.kinds[event.kind]) ? "#1c2430" : "#fff";
}

function firstAfter(events, cycle) {
  let low = 0, high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle].end <= cycle) low = middle + 1; else high = middle;
  }
  return low;
}

let chosen = null;

const timeline = new Chart($("timeline"), NEST_ROW + 8 + rows.length * ROW + 22, (chart, ctx) => {
  ctx.fillStyle = "#64707f";
  ctx.fillText("nests", 6, NEST_ROW / 2 + 2);
  rows.forEach((row) => ctx.fillText(row.name, 6, row.y + ROW / 2));
  chart.clip(ctx, () => {
    for (const [i, start, end] of DATA.spans) {
      const x = chart.x(start), width = chart.x(end) - x;
      if (x > chart.width || x + width < LEFT) continue;
      ctx.fillStyle = i === chosen ? "#ffd76a" : NEST_COLOURS[i % NEST_COLOURS.length];
      ctx.fillRect(x, 2, Math.max(width - 0.5, 0.5), NEST_ROW - 2);
      const left = Math.max(x, LEFT);
      chart.label(ctx, DATA.nests[i].short, left + 4, NEST_ROW / 2 + 2, x + width - left - 6);
    }
    for (const row of rows) {
      ctx.fillStyle = "#f4f6f8";
      ctx.fillRect(LEFT, row.y + 3, chart.width, ROW - 6);
      let filled = -1;
      for (let i = firstAfter(row.events, view.from); i < row.events.length; i++) {
        const event = row.events[i];
        if (event.start > view.to) break;
        const x = chart.x(event.start), end = Math.max(chart.x(event.end), x + 0.6);
        if (end < filled + 0.4) continue;
        ctx.fillStyle = colour(row, event);
        ctx.fillRect(x, row.y + 3, end - x - (end - x > 4 ? 0.5 : 0), ROW - 6);
        filled = end;
        const left = Math.max(x, LEFT);
        chart.label(ctx, eventName(row, event), left + 4, row.y + ROW / 2, end - left - 6, ink(row, event));
      }
    }
  });
  axis(chart, ctx, chart.height - 16);
}, (x, y) => {
  const at = timeline.cycle(x);
  if (x < LEFT) return null;
  if (y < NEST_ROW) {
    const index = nestAt(at);
    return index === undefined ? null : describeNest(DATA.nests[index]);
  }
  const row = rows.find((r) => r.y <= y && y < r.y + ROW);
  const event = row && row.events[firstAfter(row.events, at)];
  if (!event || event.start > at) return null;
  const cycles = event.end - event.start;
  return `${DATA.nests[event.nest].label}\n${DATA.kinds[event.kind]}: ${count(cycles)} cycles` +
    `${time(cycles)} from ${count(event.start)}`;
}, (x, y) => {
  const at = timeline.cycle(x);
  const index = y < NEST_ROW ? nestAt(at) : undefined;
  if (index !== undefined) choose(index, false);
});

function nestAt(cycle) {
  return DATA.spans.find(([, start, end]) => start <= cycle && cycle < end)?.[0];
}

function eventName(row, event) {
  const kind = DATA.kinds[event.kind];
  return row.name === "cores" && kind !== "kernel" ? kind : DATA.nests[event.nest].short;
}

function describeNest(nest) {
  return `${nest.label}\n${nest.ops} on ${nest.engine}, tile ${nest.tile}\n` +
    `${count(nest.cycles)} cycles${time(nest.cycles)}, ${count(nest.bytes)} bytes moved\n` +
    DATA.causes.map((name, i) => nest.causes[i] ? `${name} ${percent(nest.causes[i] / nest.cycles)}` : "")
      .filter(Boolean).join(", ");
}

// --- Memories ------------------------------------------------------------------------------------

function showMemory(memory) {
  const canvas = element("canvas");
  memory.buffers.forEach((buffer, index) => { buffer.index = index; });
  const height = 210, bottom = height - 8, top = 20;
  const limit = memory.peak > memory.size / 2 ? memory.size : memory.peak;
  const y = (address) => bottom - address / limit * (bottom - top);
  $("memories").append(canvas);
  const chart = new Chart(canvas, height, (chart, ctx) => {
    ctx.fillStyle = "#1c2430";
    ctx.fillText(`${memory.name}: ${count(memory.peak)} of ${count(memory.size)} bytes used ` +
      `(${percent(memory.peak / memory.size)})`, LEFT, 9);
    ctx.fillStyle = "#64707f";
    const by = step(limit, 4);
    for (let tick = 0; tick <= limit; tick += by) {
      ctx.fillText(count(tick), 6, Math.min(y(tick), bottom - 4));
      ctx.fillRect(LEFT - 4, y(tick), 4, 1);
    }
    chart.clip(ctx, () => {
      ctx.fillStyle = "#f4f6f8";
      ctx.fillRect(LEFT, top, chart.width, bottom - top);
      for (const buffer of memory.buffers) {
        const x = chart.x(buffer.first), width = chart.x(buffer.last) - x;
        if (x > chart.width || x + width < LEFT) continue;
        const high = y(buffer.offset + buffer.bytes), tall = y(buffer.offset) - high;
        ctx.fillStyle = buffer.constant ? "#c3cad3" : `hsl(${buffer.index * 137.5 % 360} 48% 76%)`;
        ctx.fillRect(x, high, Math.max(width, 0.7), Math.max(tall - 0.5, 0.5));
        const left = Math.max(x, LEFT);
        if (tall > 11) chart.label(ctx, buffer.name, left + 3, high + tall / 2, x + width - left - 6);
      }
    });
  }, (x, cursor) => {
    const at = chart.cycle(x), address = (bottom - cursor) / (bottom - top) * limit;
    const buffer = memory.buffers.find((b) => b.first <= at && at < b.last &&
      b.offset <= address && address < b.offset + b.bytes);
    return buffer && x > LEFT ? `${buffer.name}${buffer.constant ? " (constant)" : ""}\n` +
      `${count(buffer.bytes)} bytes at ${count(buffer.offset)}` : null;
  });
}

// --- Roofline ------------------------------------------------------------------------------------

const speedOf = (nest) => nest.operations / Math.max(nest.duration, 1);

function showRoofline() {
  const svg = $("roofline"), width = svg.clientWidth, height = 330;
  const left = 62, right = width - 60, still = width - 26, top = 12, bottom = height - 34;
  const dots = DATA.nests.map((nest, index) => ({ nest, index,
    intensity: nest.operations / Math.max(nest.bytes, 1), speed: speedOf(nest) }))
    .filter((dot) => dot.speed > 0);
  if (!dots.length) return;
  const peak = Math.max(...DATA.peaks.map((p) => p.speed), ...dots.map((d) => d.speed));
  const most = Math.max(1e3, ...dots.map((d) => d.nest.bytes ? d.intensity : 1)) * 2;
  const least = Math.min(0.5, ...dots.map((d) => d.intensity)) / 2;
  const slow = Math.min(0.5, ...dots.map((d) => d.speed)) / 2;
  const scale = (value, a, b, from, to) =>
    from + (Math.log(value) - Math.log(a)) / (Math.log(b) - Math.log(a)) * (to - from);
  const px = (v) => scale(Math.min(v, most), least, most, left, right);
  const py = (v) => scale(v, slow, peak * 2, bottom, top);
  const parts = [];
  const line = (x1, y1, x2, y2, style) => parts.push(
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" style="${style}"/>`);
  const text = (x, y, content, more = "") => parts.push(
    `<text x="${x}" y="${y}" font-size="11" fill="#64707f" ${more}>${content}</text>`);
  for (let p = Math.ceil(Math.log10(least)); 10 ** p <= most; p++) {
    line(px(10 ** p), top, px(10 ** p), bottom, "stroke:#eceff3");
    text(px(10 ** p), bottom + 14, (10 ** p).toLocaleString("en"), 'text-anchor="middle"');
  }
  for (let p = Math.ceil(Math.log10(slow)); 10 ** p <= peak * 2; p++) {
    line(left, py(10 ** p), right, py(10 ** p), "stroke:#eceff3");
    text(left - 6, py(10 ** p) + 4, (10 ** p).toLocaleString("en"), 'text-anchor="end"');
  }
  line(still, top, still, bottom, "stroke:#eceff3");
  text(still, bottom + 14, "no bytes", 'text-anchor="middle"');
  text((left + right) / 2, height - 4, "operations for each byte moved", 'text-anchor="middle"');
  text(0, 0, "operations per cycle", `transform="translate(12 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle"`);
  const roof = peak / DATA.bandwidth;
  const start = Math.max(least, slow / DATA.bandwidth);
  line(px(start), py(start * DATA.bandwidth), px(Math.min(roof, most)), py(Math.min(roof, most) * DATA.bandwidth),
    "stroke:#228833;stroke-width:1.5");
  text(px(start) + 8, py(start * DATA.bandwidth) - 10, `${DATA.bandwidth} bytes per cycle`);
  for (const { name, speed } of DATA.peaks) {
    line(px(speed / DATA.bandwidth), py(speed), width, py(speed), "stroke:#4477aa;stroke-width:1.5");
    text(right, py(speed) - 5, `${name}: ${count(speed)} operations per cycle at best`, 'text-anchor="end"');
  }
  const largest = Math.max(...dots.map((d) => d.nest.duration));
  for (const { nest, index, intensity, speed } of dots.sort((a, b) => b.nest.duration - a.nest.duration)) {
    const radius = 2.5 + 13 * Math.sqrt(nest.duration / largest);
    parts.push(`<circle data-nest="${index}" cx="${nest.bytes ? px(intensity) : still}" cy="${py(speed)}" ` +
      `r="${radius}" fill="${CAUSE_COLOURS[nest.bound]}" fill-opacity="0.55" stroke="#fff"/>`);
  }
  svg.innerHTML = parts.join("");
  for (const circle of svg.querySelectorAll("circle")) {
    const index = Number(circle.dataset.nest), nest = DATA.nests[index];
    circle.style.cursor = "pointer";
    circle.addEventListener("pointermove", (event) => showTip(event, describeNest(nest) +
      `\n${speedOf(nest).toFixed(2)} operations per cycle`));
    circle.addEventListener("pointerleave", (event) => showTip(event, null));
    circle.addEventListener("click", () => choose(index, true));
  }
}

// --- Table of nests ------------------------------------------------------------------------------

const COLUMNS = [
  { name: "#", key: (n) => n.index, show: (n) => n.index },
  { name: "node", key: (n) => n.label, show: (n) => n.short, text: true, style: "name", title: (n) => n.label },
  { name: "op", key: (n) => n.ops, show: (n) => n.ops, text: true, style: "ops", title: (n) => n.ops },
  { name: "engine", key: (n) => n.engine, show: (n) => n.engine, text: true },
  { name: "tile", key: (n) => n.tile, show: (n) => n.tile, text: true, style: "tile", title: (n) => n.tile },
  { name: "tiles", key: (n) => n.tiles, show: (n) => count(n.tiles) },
  { name: "cycles", key: (n) => n.cycles, show: (n) => count(n.cycles) },
  { name: "share", key: (n) => n.cycles, show: (n) => percent(n.cycles / DATA.cycles) },
  { name: "planned", key: (n) => n.planned, show: (n) => n.planned ? count(n.planned) : "" },
  { name: "bytes", key: (n) => n.bytes, show: (n) => count(n.bytes) },
  { name: "at work", key: (n) => n.work / n.cycles, show: (n) => percent(n.work / n.cycles) },
  { name: "stalls", key: (n) => n.stalls / n.cycles, show: (n) => percent(n.stalls / n.cycles) },
  { name: "op/cycle", key: speedOf, show: (n) => speedOf(n).toFixed(2) },
  { name: "most time in", key: (n) => n.bound, show: (n) => n.bound, text: true },
  { name: "time", key: (n) => n.cycles, show: (n) => stack(n.causes, n.cycles || 1, true), text: true },
];
const order = { column: 6, down: true };

function choose(index, zoom) {
  chosen = index;
  const nest = DATA.nests[index], room = (nest.last - nest.first) * 0.1 + 10;
  if (zoom) {
    show(nest.first - room, nest.last + room);
    $("timeline").scrollIntoView({ block: "center" });
  } else show(view.from, view.to);
  for (const row of document.querySelectorAll("#nests tr.chosen")) row.classList.remove("chosen");
  const row = document.querySelector(`#nests tr[data-nest="${index}"]`);
  if (row) {
    row.classList.add("chosen");
    const box = row.closest(".scroll");
    box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }
}

function showNests() {
  const { key } = COLUMNS[order.column], words = $("filter").value.toLowerCase();
  const kept = DATA.nests.filter((n) => `${n.label} ${n.ops} ${n.engine}`.toLowerCase().includes(words));
  kept.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.index - b.index) * (order.down ? -1 : 1));
  const head = element("tr");
  COLUMNS.forEach((column, i) => {
    const direction = i === order.column ? (order.down ? "down" : "up") : "";
    const cell = element("th", { class: `${column.text ? "" : "number"} ${direction}` }, column.name);
    cell.addEventListener("click", () => {
      order.down = i === order.column ? !order.down : !column.text;
      order.column = i;
      showNests();
    });
    head.append(cell);
  });
  const lines = kept.map((nest) => {
    const line = element("tr", { "data-nest": nest.index });
    if (nest.index === chosen) line.classList.add("chosen");
    for (const column of COLUMNS) {
      const cell = element("td", { class: column.style || (column.text ? "" : "number") });
      cell.append(column.show(nest));
      if (column.title) cell.title = column.title(nest);
      line.append(cell);
    }
    line.addEventListener("click", () => choose(nest.index, true));
    return line;
  });
  $("nests").replaceChildren(head, ...lines);
}

DATA.nests.forEach((nest, index) => { nest.index = index; });
showCauses();
showEngines();
DATA.memories.forEach(showMemory);
showRoofline();
showNests();
$("filter").addEventListener("input", showNests);
addEventListener("resize", () => { show(view.from, view.to); showRoofline(); });
show(0, DATA.cycles);
