/* The moving parts of a report. Text of the run is data: it only ever becomes textContent. No library, no request. */
"use strict";
(() => {
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const ROW = 20;             /* px of a row */
const PAPER = 690;          /* px of a page's width */
const MARGIN = 8;           /* rows drawn beyond what is in view */
const FATE = { arrived: 0, lost: 1, unseen: 2, ended: 3 };
const ROLES = ["follower", "candidate", "leader", "learner"];

function el(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}
function draw(parent, tag, attributes, text) {
  const e = document.createElementNS(SVG, tag);
  for (const name in attributes) e.setAttribute(name, attributes[name]);
  if (text !== undefined) e.textContent = text;
  parent.appendChild(e);
  return e;
}
const count = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
function duration(us) {
  if (us < 1000) return us + " us";
  if (us < 1e6) return (us / 1e3).toFixed(us < 1e4 ? 2 : 1) + " ms";
  if (us < 6e7) return (us / 1e6).toFixed(3) + " s";
  return Math.floor(us / 6e7) + " min " + String(Math.floor(us / 1e6) % 60).padStart(2, "0") + " s";
}
/* The last of ascending numbers that is not greater; -1: none. */
function lastUpTo(list, value) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/* ---- a run ---- */

class Run {
  constructor(data, number, file) {
    this.number = number;
    this.prefix = file.runs.length > 1 ? "AB"[number] + ":" : "";
    this.kinds = file.kinds;
    this.groups = file.groups;
    const { name, ...rest } = data;
    Object.assign(this, rest);
    this.title = name;
    this.count = this.events.lane.length;
    this.byEvent = Array.from({ length: this.count }, () => []);
    this.messages.from.forEach((from, i) => {
      if (from >= 0) this.byEvent[from].push(i);
      if (this.messages.to[i] >= 0) this.byEvent[this.messages.to[i]].push(i);
    });
    this.stepOf = new Map();
    this.steps.forEach((e, i) => { if (e >= 0 && !this.stepOf.has(e)) this.stepOf.set(e, i); });
    this.marks = new Map();
    if (this.cause >= 0) this.marks.set(this.cause, "cause");
    for (const f of this.findings)
      for (const e of f.events)
        if (e >= 0 && f.first && this.marks.get(e) !== "cause") this.marks.set(e, "violation");
    this.laneEvents = this.lanes.map(() => []);
    this.events.lane.forEach((lane, e) => { if (lane >= 0) this.laneEvents[lane].push(e); });
    this.termColors = this.colorTerms();
  }
  /* Terms get their colours in the order in which they matter: those of entries first. */
  colorTerms() {
    const colors = new Map();
    const add = (term) => { if (term && !colors.has(term)) colors.set(term, colors.size % 8); };
    const terms = new Set(this.log.entries.map((e) => e[1]));
    [...terms].sort((a, b) => a - b).forEach(add);
    this.states.role.forEach((role, i) => { if (role === 2) add(this.states.term[i]); });
    this.states.term.forEach(add);
    return colors;
  }
  termClass(term) { return "t" + (this.termColors.has(term) ? this.termColors.get(term) : 7); }
  name(e) { const lane = this.events.lane[e]; return (lane < 0 ? "drd" : this.lanes[lane].name) + "@" + this.events.number[e]; }
  text(e) { return this.texts[this.events.text[e]]; }
  kind(e) { return this.kinds[this.events.kind[e]]; }
  /* What is known of a node after event `cursor`; -1: nothing yet. */
  stateAt(lane, cursor) {
    const i = lastUpTo(this.laneEvents[lane], cursor);
    return i < 0 ? -1 : this.events.state[this.laneEvents[lane][i]];
  }
  isDown(lane, cursor) {
    const i = lastUpTo(this.laneEvents[lane], cursor);
    const kind = i < 0 ? "" : this.kind(this.laneEvents[lane][i]);
    return kind === "crash" || kind === "end";
  }
  role(lane, cursor) {
    if (this.lanes[lane].client) return "client";
    if (this.isDown(lane, cursor)) return "down";
    const s = this.stateAt(lane, cursor);
    return s < 0 || this.states.role[s] < 0 ? "unknown" : ROLES[this.states.role[s]];
  }
  find(name) {
    const at = name.lastIndexOf("@");
    const lane = this.lanes.findIndex((l) => l.name === name.slice(0, at));
    const number = Number(name.slice(at + 1));
    if (at < 0 || !Number.isInteger(number)) return null;
    if (lane < 0) {
      const e = name.slice(0, at) === "drd" ? this.events.lane.findIndex((l, i) => l < 0 && this.events.number[i] === number) : -1;
      return e < 0 ? null : { event: e, exact: true };
    }
    const list = this.laneEvents[lane];
    const i = lastUpTo(list.map((e) => this.events.number[e]), number);
    const e = list[Math.max(i, 0)];
    return e === undefined ? null : { event: e, exact: this.events.number[e] === number };
  }
}

/* ---- which events are in view, and in which row ---- */

class Layout {
  constructor(run, wanted, past) {
    const { events, messages } = run;
    this.run = run;
    const shown = new Uint8Array(run.count);
    const messageShown = new Uint8Array(messages.from.length);
    messages.group.forEach((group, i) => { messageShown[i] = wanted[group] ? 1 : 0; });
    for (let e = 0; e < run.count; e++) {
      const always = run.stepOf.has(e) || run.marks.has(e);
      shown[e] = always || ((wanted[events.group[e]] || run.byEvent[e].some((m) => messageShown[m])) && (!past || events.cone[e])) ? 1 : 0;
    }
    for (let i = 0; i < messageShown.length; i++) {
      const from = messages.from[i], to = messages.to[i];
      const ends = (from < 0 || shown[from]) && (to < 0 || shown[to]);
      const always = (from >= 0 && run.marks.has(from)) || (to >= 0 && run.marks.has(to));
      messageShown[i] = ends && (messageShown[i] || always) ? 1 : 0;
    }
    this.shown = shown;
    this.messageShown = messageShown;
    this.list = [];
    for (let e = 0; e < run.count; e++) if (shown[e]) this.list.push(e);
    this.place();
  }
  /* Events keep their order; those of different lanes share a row where nothing passes between them. */
  place() {
    const { run } = this, { events, messages } = run;
    this.row = new Int32Array(run.count).fill(-1);
    this.gaps = [];
    const used = new Set();
    let row = 0, last = -1, tick = [];
    for (const e of this.list) {
      const lane = events.lane[e];
      const pause = last >= 0 ? events.time[e] - events.time[last] : 0;
      const left = lane >= 0 && tick[lane] !== undefined ? events.tick[e] - tick[lane] - 1 : 0;
      const receives = run.byEvent[e].some((m) => messages.to[m] === e && messages.from[m] >= 0 && this.row[messages.from[m]] === row);
      const missing = left > 0 && this.missing(lane, e) > 0;
      if (missing || pause > 300000) {
        row += 1 + (used.size > 0);
        this.gaps.push({ row: row - 1, text: (missing ? count(this.missing(lane, e)) + " events of " + run.lanes[lane].name + " not in this file" : "") +
          (missing && pause > 300000 ? ", " : "") + (pause > 300000 ? duration(pause) + " pass" : "") });
        used.clear();
      } else if (used.has(lane) || used.has(-1) || lane < 0 || receives || used.size >= 2) {
        row++;
        used.clear();
      }
      this.row[e] = row;
      used.add(lane);
      if (lane >= 0) tick[lane] = events.tick[e];
      last = e;
    }
    this.rows = row + 2;
    this.rowsOfList = this.list.map((e) => this.row[e]);
  }
  /* Events of the lane between this one and the one before it in the file that the file does not have. */
  missing(lane, e) {
    const all = this.run.laneEvents[lane];
    const i = lastUpTo(all, e);
    return i > 0 ? Math.max(0, this.run.events.tick[e] - this.run.events.tick[all[i - 1]] - 1) : 0;
  }
  /* Of a lane: from which row it has which role and term. */
  segments(lane) {
    const { run } = this, out = [];
    let last = "", term = -1;
    for (const e of run.laneEvents[lane]) {
      const role = run.role(lane, e), s = run.events.state[e];
      const now = s < 0 || run.lanes[lane].client ? 0 : run.states.term[s];
      if (role === last && now === term) continue;
      const i = Math.min(Math.max(lastUpTo(this.list, e), 0), this.list.length - 1);
      const row = this.row[e] >= 0 ? this.row[e] : this.rowsOfList[i];
      if (out.length && out[out.length - 1].row === row) out.pop();
      out.push({ row, role, term: now, newTerm: now !== (out.length ? out[out.length - 1].term : 0) });
      last = role;
      term = now;
    }
    return out;
  }
}

/* ---- glyphs: shape says what, colour only helps ---- */

const SHAPES = {
  dot: "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0", small: "M-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0",
  square: "M-4 -4H4V4H-4Z", diamond: "M0 -5.5L5.5 0L0 5.5L-5.5 0Z", up: "M0 -6L6 5H-6Z", down: "M0 6L6 -5H-6Z", right: "M-4.5 -5.5L6 0L-4.5 5.5Z",
  star: "M0 -7L2 -2.3L7 -2.2L3 1L4.4 6L0 3.1L-4.4 6L-3 1L-7 -2.2L-2 -2.3Z", cross: "M-5 -5L5 5M5 -5L-5 5", plus: "M-5 0H5M0 -5V5",
  minus: "M-6 0H6", clock: "M-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0M0 -3.5V0L2.6 1.6", die: "M-5 -5H5V5H-5ZM-2 -2h.01M2 2h.01",
  disk: "M-5 -3a5 2 0 1 0 10 0a5 2 0 1 0 -10 0V3a5 2 0 0 0 10 0V-3", bolt: "M1 -7L-4 1H0L-1 7L4 -1H0Z", cut: "M-6 -4L6 4M-6 4L6 -4M-6 0h12",
};
const GLYPHS = {
  note: ["small", "plain"], disk: ["disk", ""], refused: ["small", "plain"], receive: ["dot", ""], send: ["dot", "full"], write: ["disk", ""],
  draw: ["die", ""], timer: ["clock", ""], configuration: ["diamond", "full"], commit: ["square", ""], apply: ["square", "full"], append: ["plus", ""],
  snapshot: ["disk", "full"], term: ["right", ""], vote: ["diamond", ""], follower: ["down", ""], candidate: ["up", "cand"], truncate: ["minus", "bad"],
  leader: ["star", "lead"], heal: ["plus", "good"], cut: ["cut", "bad"], start: ["right", "good"], end: ["square", "plain"], crash: ["cross", "bad"],
  failed: ["bolt", "bad"], fault: ["bolt", "bad"],
};
function glyph(parent, kind, x, y) {
  const [shape, style] = GLYPHS[kind] || GLYPHS.note;
  return draw(parent, "path", { d: SHAPES[shape], transform: `translate(${x} ${y})`, class: "dot " + style });
}

/* ---- the space-time diagram of one run ---- */

class View {
  constructor(app, run) {
    this.app = app;
    this.run = run;
    this.cursor = Math.max(run.landing, 0);
    this.root = el("div", "view");
    this.heads = el("div", "heads");
    const body = el("div", "body");
    this.rows = el("div", "rows");
    this.rows.tabIndex = 0;
    this.rows.setAttribute("role", "group");
    this.rows.setAttribute("aria-label", "Space-time diagram" + (run.prefix ? " of " + run.prefix.slice(0, 1) : "") + ": left and right move by event, shift by message; what is there is said");
    this.spacer = el("div", "spacer");
    this.svg = draw(this.spacer, "svg", { "aria-hidden": "true" });
    this.rows.append(this.spacer);
    this.overview = el("div", "overview");
    this.overview.setAttribute("aria-hidden", "true");
    this.overview.title = "The whole of what is in this file: click or drag to move";
    this.mini = draw(this.overview, "svg", { preserveAspectRatio: "none" });
    body.append(this.rows, this.overview);
    this.root.append(this.heads, body);
    this.rows.addEventListener("scroll", () => this.later(), { passive: true });
    this.rows.addEventListener("click", (event) => this.clicked(event));
    let held = false;
    this.overview.addEventListener("pointerdown", (e) => { held = true; this.overview.setPointerCapture(e.pointerId); this.overviewTo(e); });
    this.overview.addEventListener("pointermove", (e) => { if (held) this.overviewTo(e); });
    this.overview.addEventListener("pointerup", () => { held = false; });
  }
  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.render(); });
  }
  layOut() {
    this.layout = new Layout(this.run, this.app.wanted, this.app.past);
    this.segments = this.run.lanes.map((_, lane) => this.layout.segments(lane));
    this.height = this.layout.rows * ROW + ROW;
    this.spacer.style.height = this.height + "px";
    this.measure();
    this.renderOverview();
    this.render();
  }
  measure(width) {
    this.width = width || Math.max(this.rows.clientWidth, 200);
    const lanes = this.run.lanes.length, narrow = this.width < 480;
    this.gutter = narrow ? 44 : 70;
    const side = narrow ? 18 : Math.min(180, this.width / (lanes + 1.2));
    const room = this.width - this.gutter - 2 * side;
    this.x = this.run.lanes.map((_, i) => Math.round(this.gutter + side + (lanes > 1 ? room * i / (lanes - 1) : room / 2)));
    this.pitch = lanes > 1 ? room / (lanes - 1) : room / 2;
    this.side = side;
    this.narrow = narrow || this.pitch < 90;
  }
  y(row) { return row * ROW + ROW; }
  renderHeads() {
    this.heads.textContent = "";
    this.run.lanes.forEach((lane, i) => {
      const head = el("div", "head");
      head.style.left = this.x[i] + "px";
      head.style.maxWidth = Math.max(this.pitch, 60) + "px";
      head.append(el("strong", "", lane.name));
      const role = this.run.role(i, this.cursor), s = this.run.stateAt(i, this.cursor);
      const words = lane.client ? "client" : (this.narrow ? role.slice(0, 4) : role) + (s >= 0 ? " t" + this.run.states.term[s] : "");
      const span = el("span");
      span.append(el("i", "key " + role), document.createTextNode(words));
      head.append(span);
      this.heads.append(head);
    });
  }
  render() {
    const top = Math.max(0, Math.floor(this.rows.scrollTop / ROW) - MARGIN);
    const bottom = Math.ceil((this.rows.scrollTop + this.rows.clientHeight) / ROW) + MARGIN;
    this.paint(top, bottom);
    this.renderThumb();
  }
  paint(top, bottom) {
    const { svg, run, layout } = this;
    svg.textContent = "";
    const y0 = top * ROW;
    svg.setAttribute("width", this.width);
    svg.setAttribute("height", Math.min((bottom - top + 2) * ROW, this.height - y0));
    svg.style.top = y0 + "px";
    const g = draw(svg, "g", { transform: `translate(0 ${-y0})` });
    const cursorRow = layout.row[this.cursor];
    if (cursorRow >= 0) draw(g, "rect", { x: 0, y: this.y(cursorRow) - ROW / 2, width: this.width, height: ROW, class: "band" });
    this.paintGaps(g, top, bottom);
    this.paintLanes(g, top, bottom);
    this.paintMessages(g, top, bottom);
    this.paintEvents(g, top, bottom);
    this.painted = [top, bottom];
  }
  paintGaps(g, top, bottom) {
    for (const gap of this.layout.gaps) {
      if (gap.row < top || gap.row > bottom) continue;
      draw(g, "line", { x1: this.gutter, x2: this.width - 8, y1: this.y(gap.row), y2: this.y(gap.row), class: "gapline" });
      draw(g, "text", { x: this.x.length > 1 ? (this.x[0] + this.x[1]) / 2 : this.gutter + 60, y: this.y(gap.row) + 4, class: "gaptext words" }, gap.text);
    }
  }
  paintLanes(g, top, bottom) {
    this.segments.forEach((segments, lane) => {
      segments.forEach((s, i) => {
        const end = i + 1 < segments.length ? segments[i + 1].row : this.layout.rows;
        if (end < top || s.row > bottom) return;
        const x = this.x[lane];
        draw(g, "line", { x1: x, x2: x, y1: this.y(Math.max(s.row, top - 2)), y2: this.y(Math.min(end, bottom + 2)), class: "lane " + s.role });
      });
    });
  }
  paintMessages(g, top, bottom) {
    const { run, layout } = this, m = run.messages;
    for (let i = 0; i < m.from.length; i++) {
      if (!layout.messageShown[i]) continue;
      const from = m.from[i], to = m.to[i];
      const r1 = from >= 0 ? layout.row[from] : layout.row[to] - 1, r2 = to >= 0 ? layout.row[to] : layout.row[from] + 1;
      if (Math.max(r1, r2) < top || Math.min(r1, r2) > bottom) continue;
      this.paintMessage(g, i, r1, r2);
    }
  }
  paintMessage(g, i, r1, r2) {
    const { run } = this, m = run.messages, from = m.from[i], to = m.to[i];
    const a = m.from_lane[i], b = m.to_lane[i], edge = this.width - 12;
    const anchor = from >= 0 ? a : b, stub = Math.min(this.pitch * .4, 60) * (this.x[anchor] > (this.gutter + edge) / 2 ? 1 : -1);
    let x1 = a >= 0 ? this.x[a] : this.x[b] + stub, x2 = b >= 0 ? this.x[b] : this.x[a] + stub;
    if (a === b) x2 = x1 + 20;
    let y1 = this.y(r1), y2 = this.y(r2);
    const cls = [run.groups[m.group[i]].toLowerCase()];
    const lost = m.fate[i] === FATE.lost;
    if (lost) cls.push("lost");
    if (m.delayed[i]) cls.push("delayed");
    if (m.fate[i] === FATE.ended || m.fate[i] === FATE.unseen || from < 0 || to < 0 && !lost) cls.push("open");
    if (from === this.cursor || to === this.cursor) cls.push("chosen");
    if (lost || m.fate[i] === FATE.ended) { x2 = x1 + (x2 - x1) * .45; y2 = y1 + ROW * .8; }
    const faded = !run.events.cone[to >= 0 ? to : from] ? " faded" : "";
    const length = Math.hypot(x2 - x1, y2 - y1) || 1, ux = (x2 - x1) / length, uy = (y2 - y1) / length;
    const gap = to >= 0 ? 5 : 0;
    const tx = x2 - ux * gap, ty = y2 - uy * gap;
    const line = draw(g, "path", { d: `M${x1.toFixed(1)} ${y1}L${tx.toFixed(1)} ${ty.toFixed(1)}`, class: "arrow " + cls.join(" ") + faded });
    draw(line, "title", {}, this.app.messageWords(run, i));
    if (lost) draw(g, "path", { d: SHAPES.cross, transform: `translate(${x2.toFixed(1)} ${y2.toFixed(1)})`, class: "cross" + faded });
    else if (m.fate[i] !== FATE.ended)
      draw(g, "path", { d: `M${tx.toFixed(1)} ${ty.toFixed(1)}l${(-8 * ux - 3.4 * uy).toFixed(1)} ${(-8 * uy + 3.4 * ux).toFixed(1)}l${(6.8 * uy).toFixed(1)} ${(-6.8 * ux).toFixed(1)}Z`,
        class: "tip " + cls[0] + faded });
  }
  /* Which side of its lane an event's words go: away from its arrow. */
  wordsSide(e) {
    const { messages, lanes } = this.run, lane = this.run.events.lane[e];
    if (this.narrow) return lane && lane === lanes.length - 1 ? -1 : 1; /* there is no room for words, only for numbers */
    let left = 0, right = 0;
    for (const i of this.run.byEvent[e]) {
      if (!this.layout.messageShown[i]) continue;
      const other = messages.from[i] === e ? messages.to_lane[i] : messages.from_lane[i];
      if (other > lane) right++; else left++;
    }
    if (right && !left) return -1;
    if (left && !right) return 1;
    return lane === 0 && lanes.length > 1 ? -1 : 1;
  }
  shortWords(e) {
    const { run } = this, messages = run.byEvent[e].filter((m) => this.layout.messageShown[m]);
    const kind = run.kind(e);
    if (kind !== "send" && kind !== "receive") return run.text(e).replace(/ in term (\d+)/g, " t$1").replace(/\(term (\d+)\)/g, "t$1").replace(/, writes its vote for itself|, votes for itself/, "");
    const own = messages.filter((m) => run.messages.from[m] === e);
    if (own.length) {
      const first = own[0], lost = run.messages.fate[first] === FATE.lost;
      return run.texts[run.messages.label[first]] + (lost ? " — lost" : run.messages.delayed[first] ? " — took " + duration(run.messages.took[first]) : "");
    }
    const from = messages.length ? run.messages.from[messages[0]] : -1;
    return from >= 0 ? "" : run.text(e);
  }
  paintEvents(g, top, bottom) {
    const { run, layout } = this;
    let lastTime = -1e9, lastClock = "";
    const first = lastUpTo(layout.rowsOfList, top - 1) + 1;
    for (let i = first; i < layout.list.length; i++) {
      const e = layout.list[i], row = layout.row[e];
      if (row > bottom) break;
      const clock = this.narrow ? (run.events.time[e] / 1e6).toFixed(2) + "s" : (run.events.time[e] / 1e6).toFixed(4) + " s";
      if (row - lastTime >= 3 && clock !== lastClock) {
        lastClock = clock;
        draw(g, "text", { x: 6, y: this.y(row) + 4, class: "time" }, clock);
        lastTime = row;
      }
      this.paintEvent(g, e, row);
    }
    this.segments.forEach((segments, lane) => {
      for (const s of segments) {
        if (!s.newTerm || !s.term || s.row < top || s.row > bottom) continue;
        const x = this.x[lane], w = 20 + 6 * String(s.term).length;
        draw(g, "rect", { x: x - w / 2, y: this.y(s.row) - ROW / 2 - 7, width: w, height: 13, rx: 6.5, class: "pill " + run.termClass(s.term) });
        draw(g, "text", { x, y: this.y(s.row) - ROW / 2 + 3, class: "pilltext" }, "t" + s.term);
      }
    });
  }
  paintEvent(g, e, row) {
    const { run } = this, lane = run.events.lane[e], kind = run.kind(e), y = this.y(row);
    const faded = run.events.cone[e] ? "" : " faded";
    const step = run.stepOf.get(e), mark = run.marks.get(e) || "";
    const node = draw(g, "g", { class: "event-mark" + faded });
    if (lane < 0) {
      const words = "drd fault: " + run.text(e);
      draw(node, "path", { d: `M${this.gutter} ${y}h10M${this.gutter + 18 + 7.4 * words.length} ${y}H${this.width - 4}`, class: "fault" });
      draw(node, "text", { x: this.gutter + 14, y: y + 4, class: "words strong" }, words);
      if (e === this.cursor) draw(node, "circle", { cx: this.gutter + 5, cy: y, r: 7, class: "ring" });
      return;
    }
    const x = this.x[lane];
    draw(node, "title", {}, run.name(e) + "  " + duration(run.events.time[e]) + "\n" + run.text(e));
    glyph(node, kind, x, y);
    if (this.app.isApart(run.number, e)) draw(node, "path", { d: "M-9 -8H-12V8H-9M9 -8H12V8H9", transform: `translate(${x} ${y})`, class: "apart" });
    if (e === this.cursor) draw(node, "circle", { cx: x, cy: y, r: 10, class: "ring" });
    const side = this.wordsSide(e);
    let offset = 12;
    if (step !== undefined) {
      const cx = x + side * 18;
      draw(node, "circle", { cx, cy: y, r: 9, class: "stepdot " + mark });
      draw(node, "text", { x: cx, y: y + 4, class: "steptext" }, step + 1);
      offset = 31;
    }
    if (this.narrow) return;
    let words = this.shortWords(e);
    const edge = side < 0 ? x - this.gutter : this.width - x;
    const inner = (side < 0 && lane > 0) || (side > 0 && lane < run.lanes.length - 1) ? this.pitch - 26 : edge - 8;
    const room = Math.floor((Math.min(edge, inner) - offset) / 6.3);
    if (room < 5) return;
    if (words.length > room) words = words.slice(0, room - 1) + "…";
    if (words) draw(node, "text", { x: x + side * offset, y: y + 4, "text-anchor": side < 0 ? "end" : "start", class: "words" + (step !== undefined || mark ? " strong" : "") }, words);
  }
  renderOverview() {
    const { mini, run, layout } = this;
    const lanes = run.lanes.length, W = 100, H = 1000, scale = H / Math.max(layout.rows, 1);
    mini.textContent = "";
    mini.setAttribute("viewBox", `0 0 ${W} ${H}`);
    const x = (lane) => 14 + (W - 28) * (lanes > 1 ? lane / (lanes - 1) : .5);
    this.segments.forEach((segments, lane) => {
      const paths = {};
      segments.forEach((s, i) => {
        const end = i + 1 < segments.length ? segments[i + 1].row : layout.rows;
        paths[s.role] = (paths[s.role] || "") + `M${x(lane).toFixed(1)} ${(s.row * scale).toFixed(1)}V${(end * scale).toFixed(1)}`;
      });
      for (const role in paths) draw(mini, "path", { d: paths[role], class: "mini " + role, "vector-effect": "non-scaling-stroke" });
    });
    let ticks = "", bad = "";
    for (const e of layout.list) {
      const lane = run.events.lane[e], y = (layout.row[e] * scale).toFixed(1);
      if (run.marks.has(e) && lane >= 0) bad += `M${(x(lane) - 7).toFixed(1)} ${y}h14`;
      else if (run.stepOf.has(e) && lane >= 0) ticks += `M${(x(lane) - 7).toFixed(1)} ${y}h14`;
      else if (lane < 0) bad += `M2 ${y}h6`;
    }
    draw(mini, "path", { d: ticks, class: "minimark", "vector-effect": "non-scaling-stroke" });
    draw(mini, "path", { d: bad, class: "minimark bad", "vector-effect": "non-scaling-stroke" });
    this.thumb = draw(mini, "rect", { x: 1, width: W - 2, class: "thumb", "vector-effect": "non-scaling-stroke" });
    this.miniCursor = draw(mini, "line", { x1: 0, x2: W, class: "minicursor", "vector-effect": "non-scaling-stroke" });
    this.miniScale = scale;
  }
  renderThumb() {
    if (!this.thumb) return;
    const per = this.miniScale / ROW;
    this.thumb.setAttribute("y", (this.rows.scrollTop * per).toFixed(1));
    this.thumb.setAttribute("height", Math.max(6, this.rows.clientHeight * per).toFixed(1));
    const y = (Math.max(this.layout.row[this.cursor], 0) * this.miniScale).toFixed(1);
    this.miniCursor.setAttribute("y1", y);
    this.miniCursor.setAttribute("y2", y);
  }
  overviewTo(event) {
    const box = this.overview.getBoundingClientRect();
    const part = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 1);
    this.rows.scrollTop = part * this.height - this.rows.clientHeight / 2;
  }
  clicked(event) {
    const box = this.spacer.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const row = Math.round(y / ROW - 1);
    let best = -1, distance = 1e9;
    const first = lastUpTo(this.layout.rowsOfList, row - 1) + 1;
    for (let i = first; i < this.layout.list.length && this.layout.rowsOfList[i] === row; i++) {
      const lane = this.run.events.lane[this.layout.list[i]];
      const d = lane < 0 ? 1 : Math.abs(this.x[lane] - x);
      if (d < distance) { distance = d; best = this.layout.list[i]; }
    }
    if (best >= 0) this.app.go(this.run.number, best, { keep: true });
  }
  reveal() {
    const row = this.layout.row[this.cursor];
    const y = row >= 0 ? this.y(row) : this.y(this.layout.rowsOfList[Math.max(lastUpTo(this.layout.list, this.cursor), 0)] || 0);
    const { scrollTop, clientHeight } = this.rows;
    if (y < scrollTop + 3 * ROW || y > scrollTop + clientHeight - 4 * ROW) this.rows.scrollTop = y - clientHeight * .45;
  }
}

/* ---- the log grid ---- */

class Grid {
  constructor(runs, place) {
    this.runs = runs;
    this.columns = [];
    runs.forEach((run) => run.lanes.forEach((lane, i) => { if (!lane.client) this.columns.push({ run, lane: i }); }));
    const logs = runs.map((r) => r.log).filter((l) => l.last);
    this.first = Math.min(...logs.map((l) => l.first));
    this.last = Math.max(...logs.map((l) => l.last));
    if (!logs.length || !this.columns.length) return;
    if (this.last - this.first > 1000) { /* logs that have no index in common: those of the first run */
      this.runs = runs = [runs.find((r) => r.log.last)];
      this.columns = this.columns.filter((c) => c.run === runs[0]);
      this.first = runs[0].log.first;
      this.last = runs[0].log.last;
    }
    this.changes = this.columns.map(({ run, lane }) => {
      const list = [];
      run.log.lane.forEach((l, i) => { if (l === lane) list.push(i); });
      return list;
    });
    this.box = el("div", "grid");
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", "Logs of all nodes by index, at the cursor");
    this.build();
    const at = el("div", "at");
    this.states = el("div", "states");
    at.append(this.box, this.states);
    place.classList.remove("columns");
    place.replaceChildren(at);
  }
  build() {
    const table = el("table"), head = el("tr"), body = el("tbody");
    const corner = el("th", "", "index");
    corner.scope = "col";
    head.append(corner);
    for (const { run, lane } of this.columns) {
      const th = el("th", "", run.prefix + run.lanes[lane].name);
      th.scope = "col";
      head.append(th);
    }
    const thead = el("thead");
    thead.append(head);
    this.rows = [];
    for (let index = this.first; index <= this.last; index++) {
      const tr = el("tr"), th = el("th", "", index);
      th.scope = "row";
      tr.append(th);
      const cells = this.columns.map(() => { const td = el("td"); tr.append(td); return td; });
      body.append(tr);
      this.rows.push({ tr, th, cells, index });
    }
    table.append(thead, body);
    this.box.append(table);
    this.shown = this.columns.map(() => new Map());
    this.outlined = new Set(); /* cells that the event at the cursor changed */
  }
  /* The cells of a column at a cursor: row to change. */
  at(column, cursor) {
    const { run } = this.columns[column], cells = new Map(), offset = run.log.first - this.first;
    for (const i of this.changes[column]) {
      if (run.log.event[i] > cursor) break;
      cells.set(run.log.row[i] + offset, i);
    }
    return cells;
  }
  render(cursors) {
    if (!this.rows) return;
    const now = this.columns.map((c, i) => this.at(i, cursors[c.run.number]));
    const outlined = new Set();
    this.columns.forEach((c, i) => {
      const cursor = cursors[c.run.number];
      for (const row of new Set([...now[i].keys(), ...this.shown[i].keys()])) {
        const change = now[i].get(row), fresh = change !== undefined && c.run.log.event[change] === cursor, key = i + " " + row;
        if (fresh) outlined.add(key);
        if (change !== this.shown[i].get(row) || fresh || this.outlined.has(key)) this.renderCell(c.run, i, row, change, cursor);
      }
      this.shown[i] = now[i];
    });
    this.outlined = outlined;
    this.markRows(now);
  }
  renderCell(run, column, row, change, cursor) {
    const td = this.rows[row].cells[column];
    td.textContent = "";
    td.className = "";
    const entry = change === undefined ? -1 : run.log.entry[change], flags = change === undefined ? 0 : run.log.flags[change];
    if (entry < 0) {
      td.className = "unknown";
      td.textContent = flags & 4 ? "in a snapshot" : "·";
      return;
    }
    const [, term, type, text, digest] = run.log.entries[entry];
    const words = type === "m" ? "configuration" : type === "n" ? "no-op" : run.texts[text] || (digest ? "#" + digest : "entry");
    td.className = run.termClass(term) + (flags & 1 ? " committed" : "") + (flags & 2 ? " applied" : "") + (run.log.event[change] === cursor ? " fresh" : "");
    const mark = flags & 2 ? "●" : flags & 1 ? "✓" : "";
    if (mark) {
      const m = el("span", "mark", mark);
      m.title = flags & 2 ? "committed and applied" : "committed";
      m.setAttribute("role", "img");
      m.setAttribute("aria-label", m.title);
      td.append(m);
    }
    td.append(el("span", "term", term), document.createTextNode(" " + words));
    td.title = "index " + this.rows[row].index + ", term " + term + ": " + words;
  }
  markRows(now) {
    const finding = new Set(this.runs.map((r) => r.log.divergent));
    this.rows.forEach((row, r) => {
      const seen = new Set();
      this.columns.forEach((c, i) => {
        const change = now[i].get(r);
        const entry = change === undefined ? -1 : c.run.log.entry[change];
        if (entry >= 0) {
          const e = c.run.log.entries[entry];
          seen.add(this.runs.length > 1 ? e[1] + " " + c.run.texts[e[3]] : c.run.number + " " + e[1] + " " + (e[4] || ""));
        }
      });
      const terms = new Set([...seen].map((s) => s.split(" ").slice(0, 2).join(" ")));
      const differs = this.runs.length > 1 ? seen.size > 1 : terms.size > 1 || (seen.size > 1 && finding.has(row.index));
      const divergent = finding.has(row.index);
      const far = Math.abs(row.index - (this.runs[0].log.divergent || row.index)) > 20;
      const name = (differs ? "differs " : "") + (divergent ? "divergent" : "") + (far ? " far" : "");
      if (row.name === name) return; /* of hundreds of rows few change */
      row.name = name;
      row.tr.className = name;
      row.th.textContent = (divergent ? "✗ " : differs ? "≠ " : "") + row.index;
    });
  }
  reveal(index) {
    const row = this.rows && this.rows[index - this.first];
    if (row) this.box.scrollTop = row.tr.offsetTop - this.box.clientHeight / 2 + 30;
  }
  hint() {
    const [run] = this.runs, { log } = run;
    const all = log.highest > log.last || log.first > 1;
    return (log.divergent ? "Index " + log.divergent + (run.findings.some((f) => f.first && f.index === log.divergent) ? " is where the logs must agree and do not (✗, hatched)." : " is the first at which two logs differ (✗, hatched).") : "No two logs differ at an index.") +
      " Colours are terms; the bar at the left and ✓ mean committed, ● applied." + (all ? " Showing index " + count(this.first) + " to " + count(this.last) + " of " + count(log.highest) + "." : "");
  }
}

/* ---- the page ---- */

class App {
  constructor(file) {
    this.file = file;
    this.runs = file.runs.map((data, i) => new Run(data, i, file));
    const few = (g) => this.runs.every((r) => r.events.group.reduce((n, x) => n + (x === g), 0) <= 40);
    this.wanted = file.groups.map((name, g) => !["Heartbeats", "Disk", "Other"].includes(name) || (name === "Disk" && few(g)));
    this.past = false;
    this.active = 0;
    this.pairs = [new Map(), new Map()];
    this.apart = [new Set(), new Set()];
    if (file.diff) this.readDiff(file.diff);
    this.views = this.runs.map((run) => new View(this, run));
    this.grid = new Grid(this.runs, $("grid"));
    this.panel = el("aside", "panel");
    this.panel.setAttribute("aria-label", "At the cursor");
    this.buildTools();
    this.buildBar();
    this.buildHelp();
    this.buildLegend();
    for (const id of ["stage", "tools", "legend", "bar"]) $(id).hidden = false;
    $("stage").append(...this.views.map((v) => v.root), this.panel);
    $("grid-hint").textContent = this.grid.hint();
    this.views.forEach((v) => v.layOut());
    this.listen();
    const target = this.fromHash();
    if (target) this.go(target.run, target.event, { page: true });
    else this.go(this.firstApart && this.firstApart[0] < 0 && this.firstApart[1] >= 0 ? 1 : 0, this.views[this.firstApart && this.firstApart[0] < 0 && this.firstApart[1] >= 0 ? 1 : 0].cursor, { silent: true });
    this.views.forEach((v) => v.reveal());
    if (this.runs[0].log.divergent) this.grid.reveal(this.runs[0].log.divergent);
    document.body.dataset.ready = "true";
    performance.mark("ready");
  }
  readDiff(diff) {
    for (let i = 0; i < diff.pairs.length; i += 2) {
      this.pairs[0].set(diff.pairs[i], diff.pairs[i + 1]);
      this.pairs[1].set(diff.pairs[i + 1], diff.pairs[i]);
    }
    this.pairKeys = this.pairs.map((m) => [...m.keys()].sort((a, b) => a - b));
    this.apart = diff.apart.map((list) => new Set(list));
    diff.first.forEach((e, i) => { if (e >= 0) this.runs[i].landing = e; });
    this.firstApart = diff.first;
  }
  isApart(number, e) { return this.apart[number].has(e); }
  get run() { return this.runs[this.active]; }
  get view() { return this.views[this.active]; }

  /* --- words --- */
  messageWords(run, i) {
    const m = run.messages, end = (e, lane) => e >= 0 ? run.name(e) : lane >= 0 ? run.lanes[lane].name : run.texts[m.peer[i]] || "a node that is not recorded";
    const how = m.fate[i] === FATE.lost ? ", never received" : m.fate[i] === FATE.ended ? ", on its way when the recording ended" : m.fate[i] === FATE.unseen ? ", its receiver is not recorded" :
      m.from[i] < 0 ? ", its sending is not in this file" : m.to[i] < 0 ? ", its receipt is not in this file" : ", took " + duration(m.took[i]) + (m.delayed[i] ? " (delayed)" : "");
    return run.texts[m.label[i]] + ": " + end(m.from[i], m.from_lane[i]) + " → " + end(m.to[i], m.to_lane[i]) + how;
  }

  /* --- the cursor --- */
  go(number, event, options = {}) {
    if (event < 0 || event >= this.runs[number].count) return;
    this.active = number;
    const view = this.view;
    view.cursor = event;
    this.follow(number, event);
    if (!view.layout.shown[event]) { /* filtered: it is shown as long as the cursor is on it */
      this.wanted[this.run.events.group[event]] = true;
      this.past = false;
      this.syncTools();
      this.views.forEach((v) => v.layOut());
    }
    for (const v of this.views) {
      if (!options.keep || v !== view) v.reveal();
      v.render();
      v.renderHeads();
    }
    this.renderPanel();
    this.grid.render(this.views.map((v) => v.cursor));
    this.renderBar();
    this.markStep();
    if (!options.silent) {
      const name = "#" + this.run.prefix + encodeURIComponent(this.run.name(event)).replace(/%40/g, "@");
      if (decodeURIComponent(location.hash) !== decodeURIComponent(name)) history.replaceState(null, "", name);
      $("said").textContent = this.run.prefix + this.run.name(event) + ": " + this.run.text(event);
    }
    if (options.page) $("space").scrollIntoView({ block: "start" });
  }
  /* In the other run: the event that is the same one, or the last before it that both have. */
  follow(number, event) {
    if (!this.pairKeys) return;
    const keys = this.pairKeys[number], i = lastUpTo(keys, event);
    if (i >= 0) this.views[1 - number].cursor = this.pairs[number].get(keys[i]);
  }
  markStep() {
    document.querySelectorAll(".step").forEach((li) => {
      const run = Number(li.dataset.run), here = this.runs[run].steps[Number(li.dataset.step)] === this.views[run].cursor;
      li.classList.toggle("here", here);
      if (here) li.setAttribute("aria-current", "step"); else li.removeAttribute("aria-current");
    });
  }
  /* The next event of the list in view for which `test` holds. */
  next(direction, test) {
    const { list } = this.view.layout;
    let i = lastUpTo(list, this.view.cursor);
    if (direction > 0) i++; else if (list[i] === this.view.cursor) i--;
    for (; i >= 0 && i < list.length; i += direction)
      if (!test || test(list[i])) return this.go(this.active, list[i]);
    this.say("Nothing further " + (direction > 0 ? "down" : "up"));
  }
  isMessage(e) { return this.run.byEvent[e].some((m) => this.view.layout.messageShown[m]); }
  divergences() {
    const set = new Set(this.apart[this.active]);
    for (const f of this.run.findings) f.events.forEach((e) => { if (e >= 0) set.add(e); });
    if (this.run.cause >= 0) set.add(this.run.cause);
    return [...set].sort((a, b) => a - b);
  }
  nextDivergence(direction) {
    const list = this.divergences();
    if (!list.length) return this.say("No divergence in this run");
    const cursor = this.view.cursor;
    const found = direction > 0 ? list.find((e) => e > cursor) : [...list].reverse().find((e) => e < cursor);
    this.go(this.active, found === undefined ? (direction > 0 ? list[0] : list[list.length - 1]) : found);
    const index = this.run.log.divergent;
    if (index) this.grid.reveal(index);
  }
  nextStep(direction) {
    const list = this.run.steps.filter((e) => e >= 0).sort((a, b) => a - b);
    const found = direction > 0 ? list.find((e) => e > this.view.cursor) : [...list].reverse().find((e) => e < this.view.cursor);
    if (found !== undefined) this.go(this.active, found);
  }
  say(words) { $("said").textContent = words; this.status.textContent = words; }

  /* --- the panel at the right --- */
  renderPanel() {
    const { run, view } = this, e = view.cursor;
    this.panel.textContent = "";
    const title = el("h3");
    title.append(this.link(run, e), document.createTextNode("  " + run.kind(e)));
    this.panel.append(title, el("p", "", run.text(e)));
    const list = el("dl");
    const put = (name, value) => { const dd = el("dd"); dd.append(value); list.append(el("dt", "", name), dd); };
    put("time", (run.events.time[e] / 1e6).toFixed(6) + " s");
    if (run.stepOf.has(e)) put("chain", "step " + (run.stepOf.get(e) + 1));
    if (!run.events.cone[e]) put("order", "not before the violation");
    for (const m of run.byEvent[e]) {
      const out = run.messages.from[m] === e, other = out ? run.messages.to[m] : run.messages.from[m];
      const value = el("span");
      if (other >= 0) value.append(this.link(run, other), document.createTextNode(" "));
      value.append(document.createTextNode(this.messageWords(run, m)));
      put(out ? "sent" : "received", value);
    }
    this.panel.append(list, ...this.runs.map((r, i) => this.stateTable(r, this.views[i].cursor, true)));
    if (this.grid.states) this.grid.states.replaceChildren(...this.runs.map((r, i) => this.stateTable(r, this.views[i].cursor)));
  }
  stateTable(run, cursor, small) {
    const table = el("table", small ? "small" : ""), head = el("tr");
    table.append(el("caption", "", "Each node at " + run.prefix + run.name(cursor)));
    for (const name of ["node", "role", "term", "vote", "last", "commit", "applied"]) {
      const th = el("th", "", small ? { commit: "comm", applied: "appl" }[name] || name : name);
      th.title = name;
      th.scope = "col";
      head.append(th);
    }
    const thead = el("thead"), body = el("tbody");
    thead.append(head);
    run.lanes.forEach((lane, i) => {
      if (lane.client) return;
      const tr = el("tr"), th = el("th", "", lane.name), s = run.stateAt(i, cursor), role = run.role(i, cursor), st = run.states;
      th.scope = "row";
      const td = el("td");
      td.append(el("i", "key " + role), document.createTextNode(small ? role.slice(0, 4) : role));
      td.title = role;
      tr.append(th, td);
      const cell = (text, cls) => tr.append(el("td", cls || "", s < 0 ? "?" : text));
      cell(st.term[s], s < 0 ? "" : run.termClass(st.term[s]));
      cell(st.vote[s] || "–");
      cell(st.last[s]);
      cell(st.commit[s]);
      cell(st.applied[s]);
      body.append(tr);
    });
    table.append(thead, body);
    return table;
  }
  link(run, e) {
    const a = el("a", "event", run.prefix + run.name(e));
    a.href = "#" + run.prefix + encodeURIComponent(run.name(e)).replace(/%40/g, "@");
    return a;
  }

  /* --- tools above the diagram --- */
  buildTools() {
    const set = el("fieldset"), legend = el("legend", "hidden-text", "Show");
    set.append(legend);
    const numbers = this.file.groups.map((_, g) => this.runs.reduce((sum, r) => sum + r.events.group.reduce((n, x) => n + (x === g), 0), 0));
    this.boxes = this.file.groups.map((name, g) => {
      const label = el("label"), box = el("input");
      box.type = "checkbox";
      box.checked = this.wanted[g];
      box.dataset.group = name;
      box.addEventListener("change", () => { this.wanted[g] = box.checked; this.refilter(); });
      label.append(box, document.createTextNode(name + " "), el("span", "label", count(numbers[g])));
      if (numbers[g]) set.append(label);
      return box;
    });
    const label = el("label");
    this.pastBox = el("input");
    this.pastBox.type = "checkbox";
    this.pastBox.addEventListener("change", () => { this.past = this.pastBox.checked; this.refilter(); });
    label.append(this.pastBox, document.createTextNode("only what led to the violation"));
    if (this.runs.some((r) => r.events.cone.some((c) => !c))) set.append(label);
    const form = el("form");
    form.setAttribute("role", "search");
    this.search = el("input");
    this.search.type = "search";
    this.search.placeholder = "Search (/): n1@317, leader …";
    this.search.setAttribute("aria-label", "Search events");
    this.search.addEventListener("keydown", (e) => {
      if (e.key === "Escape") this.search.blur();
      if (e.key === "Enter") { e.preventDefault(); this.find(e.shiftKey ? -1 : 1); }
    });
    form.addEventListener("submit", (e) => { e.preventDefault(); });
    form.append(this.search);
    this.status = el("span", "label");
    $("tools").append(set, form, this.status);
    this.countShown();
  }
  syncTools() {
    this.boxes.forEach((box, g) => { box.checked = this.wanted[g]; });
    this.pastBox.checked = this.past;
  }
  countShown() {
    if (!this.views[0].layout) return;
    const shown = this.views.reduce((n, v) => n + v.layout.list.length, 0), all = this.runs.reduce((n, r) => n + r.count, 0);
    this.status.textContent = count(shown) + " of " + count(all) + " events in view";
  }
  refilter() {
    this.views.forEach((v) => { v.layOut(); v.reveal(); v.render(); v.renderHeads(); });
    this.countShown();
    this.renderBar();
  }
  find(direction) {
    const words = this.search.value.trim().toLowerCase();
    if (!words) return;
    const exact = /^(?:([ab]):)?(.+@\d+)$/i.exec(this.search.value.trim());
    const run = this.run, n = run.count;
    if (exact) {
      const found = run.find(exact[2]);
      if (found) { this.go(this.active, found.event); return this.say(found.exact ? "" : "That event is not in this file; this is the one before it"); }
    }
    const hits = [];
    for (let e = 0; e < n; e++)
      if ((run.name(e) + " " + run.kind(e) + " " + run.text(e)).toLowerCase().includes(words)) hits.push(e);
    if (!hits.length) return this.say("Nothing found");
    const cursor = this.view.cursor;
    let hit = direction > 0 ? hits.find((e) => e > cursor) : [...hits].reverse().find((e) => e < cursor);
    if (hit === undefined) hit = direction > 0 ? hits[0] : hits[hits.length - 1];
    this.go(this.active, hit);
    this.say(count(hits.indexOf(hit) + 1) + " of " + count(hits.length) + " found");
  }

  /* --- the bar at the bottom --- */
  buildBar() {
    const bar = $("bar"), button = (words, title, fn) => {
      const b = el("button", "", words);
      b.type = "button";
      b.title = title;
      b.setAttribute("aria-label", title);
      b.addEventListener("click", fn);
      return b;
    };
    const buttons = el("div", "buttons");
    buttons.append(button("◀", "Previous event (left arrow)", () => this.next(-1)), button("▶", "Next event (right arrow)", () => this.next(1)),
      button("✗ next", "Next divergence (d)", () => this.nextDivergence(1)), button("?", "Help (?)", () => $("help").showModal()));
    this.range = el("input");
    this.range.type = "range";
    this.range.min = 0;
    this.range.setAttribute("aria-label", "Event");
    this.range.addEventListener("input", () => this.go(this.active, this.view.layout.list[Number(this.range.value)]));
    this.now = el("span", "now");
    bar.append(this.range, this.now, buttons);
  }
  renderBar() {
    const { list } = this.view.layout, e = this.view.cursor, i = Math.max(lastUpTo(list, e), 0);
    this.range.max = Math.max(list.length - 1, 0);
    this.range.value = i;
    const words = this.run.prefix + this.run.name(e) + ": " + this.run.text(e);
    this.range.setAttribute("aria-valuetext", words);
    this.now.textContent = "";
    this.now.append(this.link(this.run, e), document.createTextNode(" " + this.run.text(e)));
    this.now.title = words;
  }
  buildHelp() {
    const keys = [["←  →", "previous, next event"], ["Shift + ←  →", "previous, next message"], ["[  ]", "previous, next step of the chain"], ["d  D", "next, previous divergence"],
      ["Home  End", "first, last event"], ["/", "search; Enter for the next hit"], ["?", "this help"]];
    if (this.runs.length > 1) keys.push(["t", "change between A and B"]);
    const list = el("dl"), title = el("h2", "", "Keys"), close = el("button", "", "Close");
    title.id = "help-title";
    for (const [key, words] of keys) {
      const dt = el("dt");
      key.split("  ").forEach((k, i) => { if (i) dt.append(" "); dt.append(el("kbd", "", k)); });
      list.append(dt, el("dd", "", words));
    }
    close.type = "button";
    close.addEventListener("click", () => $("help").close());
    $("help").append(title, list, el("p", "", "Click an event to move there, a step of the chain to see it in the diagram; drag the overview at the right of the diagram. The address of this page names the event at the cursor: send it along."), close);
  }
  buildLegend() {
    const legend = $("legend"), add = (words, fn) => {
      const span = el("span"), svg = draw(span, "svg", { viewBox: "0 0 34 14", "aria-hidden": "true" });
      fn(svg);
      span.append(words);
      legend.append(span);
    };
    const line = (cls) => (svg) => draw(svg, "line", { x1: 17, x2: 17, y1: 0, y2: 14, class: "lane " + cls });
    add("follower", line("follower"));
    add("candidate", line("candidate"));
    add("leader", line("leader"));
    add("not running", line("down"));
    add("message", (svg) => { draw(svg, "path", { d: "M2 7H26", class: "arrow" }); draw(svg, "path", { d: "M32 7l-8 -3.4v6.8Z", class: "tip" }); });
    add("lost", (svg) => { draw(svg, "path", { d: "M2 7H24", class: "arrow lost" }); draw(svg, "path", { d: SHAPES.cross, transform: "translate(26 7)", class: "cross" }); });
    add("delayed", (svg) => draw(svg, "path", { d: "M2 7H32", class: "arrow delayed" }));
    const names = { candidate: "becomes candidate", leader: "becomes leader", vote: "votes", append: "appends", truncate: "cuts its log", commit: "commits", apply: "applies",
      disk: "on disk", timer: "timer fires", draw: "draws at random", cut: "cut", heal: "healed", crash: "crashes", start: "starts" };
    for (const kind in names) add(names[kind], (svg) => glyph(svg, kind, 17, 7));
  }

  /* --- keys, links, copying --- */
  fromHash() {
    let text;
    try { text = decodeURIComponent(location.hash.slice(1)); } catch (error) { return null; }
    const two = this.runs.length > 1 && /^[AB]:/.test(text);
    const run = two ? "AB".indexOf(text[0]) : 0;
    const found = text.includes("@") ? this.runs[run].find(two ? text.slice(2) : text) : null;
    return found ? { run, event: found.event, exact: found.exact } : null;
  }
  listen() {
    addEventListener("hashchange", () => {
      const target = this.fromHash();
      if (!target) return;
      this.go(target.run, target.event, { page: true });
      if (!target.exact) this.say("That event is not in this file; this is the one before it");
    });
    document.addEventListener("click", (event) => {
      const a = event.target.closest && event.target.closest("a.event");
      if (!a) return;
      event.preventDefault();
      history.replaceState(null, "", a.getAttribute("href"));
      const target = this.fromHash();
      if (target) this.go(target.run, target.event, { page: !a.closest("#space, #bar") });
      if (target && !target.exact) this.say("That event is not in this file; this is the one before it");
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.views.forEach((v) => { v.measure(); v.render(); v.renderHeads(); }));
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    document.querySelectorAll("button.copy").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => this.copy(button));
    });
  }
  key(event) {
    const field = event.target.matches && event.target.matches("input[type=search], textarea");
    if (field || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const diagram = this.views.some((v) => v.rows === event.target);
    const actions = {
      ArrowRight: () => this.next(1, event.shiftKey && ((e) => this.isMessage(e))), ArrowLeft: () => this.next(-1, event.shiftKey && ((e) => this.isMessage(e))),
      d: () => this.nextDivergence(1), D: () => this.nextDivergence(-1), "]": () => this.nextStep(1), "[": () => this.nextStep(-1),
      "/": () => { this.search.focus(); this.search.select(); }, "?": () => $("help").showModal(),
      t: () => { if (this.runs.length > 1) this.go(1 - this.active, this.views[1 - this.active].cursor); },
    };
    if (diagram) {
      actions.ArrowDown = actions.ArrowRight;
      actions.ArrowUp = actions.ArrowLeft;
      actions.Home = () => this.go(this.active, this.view.layout.list[0]);
      actions.End = () => this.go(this.active, this.view.layout.list[this.view.layout.list.length - 1]);
    }
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }
  async copy(button) {
    const node = $(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(node.textContent);
    } catch (error) {
      const range = document.createRange();
      range.selectNodeContents(node);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }
  /* On paper: what is around the cursor, as much as fits two pages. */
  print(on) {
    for (const v of this.views) {
      const row = Math.max(v.layout.row[v.cursor], 0), top = Math.max(0, row - 28), bottom = Math.min(v.layout.rows, row + 8);
      v.spacer.style.height = (on ? (bottom - top + 2) * ROW : v.height) + "px";
      v.measure(on ? PAPER : 0);
      v.renderHeads();
      if (!on) { v.render(); continue; }
      v.paint(top, bottom);
      v.svg.style.top = "0px";
    }
  }
}

async function begin() {
  const data = $("data");
  try {
    const app = new App(await unpack(data.textContent));
    app.countShown();
  } catch (error) {
    const trouble = $("trouble");
    trouble.hidden = false;
    trouble.textContent = "The diagram cannot be drawn by this browser (" + error.message + "). What is above is complete.";
    document.body.dataset.ready = "failed";
    throw error;
  }
}
begin();
})();
