"use strict";

// What comes from the server has been in mail before: it is only ever put into the
// page as text. Nothing here makes HTML out of a string.

const every = 2000; // milliseconds between two looks
const pageSize = 100; // messages asked for at once
const maxSessions = 500; // rows of sessions
const hues = { continue: 2, accept: 0, reject: 6, tempfail: 1, discard: 7, quarantine: 3, abort: 4 };

const $ = (id) => document.getElementById(id);

// ---- nodes

// el makes an element with a class and children, which are nodes or text.
function el(name, className, ...children) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

function svg(name, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// ---- numbers

function round(v) {
  return v >= 100 || Number.isInteger(v) ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
}

function time(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds === 0) return "0";
  if (seconds < 1e-3) return round(seconds * 1e6) + " µs";
  if (seconds < 1) return round(seconds * 1e3) + " ms";
  if (seconds < 60) return round(seconds) + " s";
  const s = Math.round(seconds), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  if (d > 0) return d + " d " + (h % 24) + " h";
  if (h > 0) return h + " h " + (m % 60) + " min";
  return m + " min " + (s % 60) + " s";
}

function bytes(n) {
  if (n < 1024) return n + " B";
  if (n < 1 << 20) return round(n / 1024) + " KiB";
  if (n < 1 << 30) return round(n / (1 << 20)) + " MiB";
  return round(n / (1 << 30)) + " GiB";
}

const total = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
const clock = (text) => new Date(text).toLocaleTimeString([], { hour12: false });

// ---- plots

const plane = { left: 60, right: 420 - 10, top: 10, bottom: 200 - 24 };

// scale returns where a value is between 0 and 1, and the values that the axis names.
function scale(values, log) {
  const seen = values.filter((v) => v !== null && (!log || v > 0));
  if (log) {
    const lo = Math.floor(Math.log10(Math.min(...seen, 1e-3))), hi = Math.ceil(Math.log10(Math.max(...seen, 1e-2)));
    const ticks = [];
    for (let e = lo; e <= hi; e += Math.max(1, Math.ceil((hi - lo) / 5))) ticks.push(10 ** e);
    return { at: (v) => (Math.log10(v) - lo) / (hi - lo), ticks };
  }
  const most = Math.max(...seen, 1), power = 10 ** Math.floor(Math.log10(most / 4));
  const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => s >= most / 4.001));
  const n = Math.ceil(most / step), ticks = [];
  for (let i = 0; i <= n; i++) ticks.push(i * step);
  return { at: (v) => v / (n * step), ticks };
}

// lineOf draws a curve: a line with gaps where nothing is known, and a dot for a point
// to which no line leads.
function lineOf(c, x, y, log) {
  const known = (i) => c.ys[i] !== null && c.ys[i] !== undefined && (!log || c.ys[i] > 0);
  const g = svg("g", { class: "c" + c.hue });
  let d = "";
  c.ys.forEach((v, i) => {
    if (!known(i)) return;
    const at = [x(i).toFixed(1), y(v).toFixed(1)];
    if (known(i - 1) || known(i + 1)) d += (known(i - 1) ? "L" : "M") + at.join(" ");
    else g.append(svg("circle", { class: "dot", cx: at[0], cy: at[1], r: 2 }));
  });
  g.append(svg("path", { class: "line", d }));
  return g;
}

// A plot is a figure whose curves are replaced as time goes on.
class Plot {
  constructor(title, format, log) {
    Object.assign(this, { format, log, curves: [], length: 0, pointed: -1 });
    this.note = el("span", "");
    this.legend = el("ul", "legend");
    this.picture = svg("svg", { class: "plot", viewBox: "0 0 420 200", role: "img", "aria-label": title });
    this.picture.addEventListener("pointermove", (ev) => this.point(ev));
    this.picture.addEventListener("pointerleave", () => this.point(null));
    $("plots").append(el("figure", "", el("figcaption", "", title + " ", this.note), this.legend, this.picture));
  }

  point(ev) {
    this.pointed = -1;
    if (ev) {
      const box = this.picture.getBoundingClientRect();
      const x = ((ev.clientX - box.left) / box.width) * 420;
      const i = Math.round(((x - plane.left) / (plane.right - plane.left)) * (this.length - 1));
      if (i >= 0 && i < this.length) this.pointed = i;
    }
    this.draw();
  }

  show(curves) {
    this.curves = curves;
    this.length = Math.max(...curves.map((c) => c.ys.length));
    this.draw();
  }

  draw() {
    const { picture, curves, length, log, format } = this;
    const { left, right, top, bottom } = plane;
    if (!length) return;
    const s = scale(curves.flatMap((c) => c.ys), log);
    const x = (i) => left + (i / Math.max(1, length - 1)) * (right - left), y = (v) => bottom - s.at(v) * (bottom - top);
    const parts = [];
    for (const v of s.ticks) {
      const at = y(v).toFixed(1);
      parts.push(svg("path", { class: "grid", d: `M${left} ${at}H${right}` }),
        svg("text", { class: "end", x: left - 6, y: at, dy: 4 }, format(v)));
    }
    for (let ago = 0; ago < length; ago += 60) {
      const at = x(length - 1 - ago).toFixed(1);
      parts.push(svg("path", { class: "grid", d: `M${at} ${top}V${bottom}` }),
        svg("text", { class: ago ? "middle" : "end", x: at, y: bottom + 17 }, ago ? `−${ago / 60} min` : "now"));
    }
    parts.push(svg("path", { class: "edge", d: `M${left} ${bottom}H${right}` }));
    for (const c of curves) parts.push(lineOf(c, x, y, log));
    if (this.pointed >= 0) parts.push(svg("path", { class: "edge", d: `M${x(this.pointed).toFixed(1)} ${top}V${bottom}` }));
    picture.replaceChildren(...parts);
    this.explain();
  }

  explain() {
    const i = this.pointed < 0 ? this.length - 1 : this.pointed;
    const ago = this.length - 1 - i;
    setText(this.note, this.pointed < 0 ? "" : ago ? `${ago} s ago` : "now");
    this.legend.replaceChildren(...this.curves.map((c) => {
      const key = svg("svg", { class: "c" + c.hue, viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("path", { d: "M0 4H24" }));
      const v = c.ys[i];
      return el("li", "", key, c.name + (this.pointed < 0 ? "" : " " + (v === null || v === undefined ? "–" : this.format(v))));
    }));
  }
}

const plots = {
  messages: new Plot("Messages per second", round, false),
  waits: new Plot("Time the MTA waits for a message", time, true),
  sessions: new Plot("Sessions", round, false),
};

// mean returns the mean over some seconds around each, since single ones jump.
function mean(ys) {
  return ys.map((_, i) => {
    const some = ys.slice(Math.max(0, i - 2), i + 3);
    return some.reduce((a, b) => a + b, 0) / some.length;
  });
}

function showRates(r) {
  const verdicts = Object.keys(hues).filter((v) => v === "continue" || (r.messages[v] || []).some((n) => n > 0));
  plots.messages.show(verdicts.map((v) => ({ name: v, hue: hues[v], ys: mean(r.messages[v]) })));
  plots.waits.show([{ name: "p50", hue: 0, ys: r.wait_p50_seconds }, { name: "p99", hue: 1, ys: r.wait_p99_seconds }]);
  plots.sessions.show([{ name: "alive", hue: 5, ys: r.sessions_active }]);
}

// ---- summary

let started = "";

// configText tells which configuration is in force.
function configText(c) {
  if (!c) return "";
  const failed = c.reload_failed_at ? `; the reload of ${new Date(c.reload_failed_at).toLocaleString()} failed, see the log` : "";
  return `, configuration ${c.generation} of ${new Date(c.loaded_at).toLocaleString()}${failed}`;
}

function showSummary(s) {
  if (started && started !== s.started_at) messages.reset(); // another process, with other numbers
  started = s.started_at;
  setText($("about"), `${s.version}, running for ${time(Math.round(s.uptime_seconds))}${configText(s.config)}`);
  const recent = total(s.messages_last_5_minutes);
  const held = ["reject", "tempfail", "discard", "quarantine"].reduce((n, v) => n + (s.messages_last_5_minutes[v] || 0), 0);
  const cards = [
    ["Sessions", String(s.sessions_active), "alive now"],
    ["Messages", round(s.messages_per_second) + "/s", "in the last 10 s"],
    ["MTA waits, p50", time(s.wait_p50_seconds), "in the last minute"],
    ["MTA waits, p99", time(s.wait_p99_seconds), "in the last minute"],
    ["Not let through", recent ? round((100 * held) / recent) + " %" : "–", `of ${recent} in 5 min`],
    ["Messages so far", String(total(s.messages_total)), `${s.messages_kept} kept, ${bytes(s.kept_bytes)}`],
  ];
  const list = $("cards");
  if (list.children.length !== cards.length) {
    list.replaceChildren(...cards.map(() => el("div", "", el("dt"), el("dd", "", el("b"), el("span")))));
  }
  cards.forEach(([name, value, note], i) => {
    const card = list.children[i];
    setText(card.querySelector("dt"), name);
    setText(card.querySelector("b"), value);
    setText(card.querySelector("span"), note);
  });
  addOptions($("handler"), s.handlers);
  addOptions($("verdict"), s.verdicts);
}

function addOptions(select, values) {
  const known = new Set([...select.options].map((o) => o.value));
  for (const v of values) if (!known.has(v)) select.append(new Option(v, v));
}

// choose sets a select to a value, which the server may not have named yet.
function choose(select, value) {
  addOptions(select, [value]);
  select.value = value;
}

// ---- tables

// Rows can be reached with the arrow keys; the tab key goes to one of them.
function keys(tbody, open) {
  const move = (row) => {
    if (!row) return;
    tbody.querySelectorAll('tr[tabindex="0"]').forEach((r) => (r.tabIndex = -1));
    row.tabIndex = 0;
    row.focus();
  };
  tbody.addEventListener("keydown", (ev) => {
    const row = ev.target.closest("tr");
    const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, Home: tbody.firstElementChild, End: tbody.lastElementChild };
    if (ev.key in to) {
      ev.preventDefault();
      move(to[ev.key]);
    } else if (ev.key === "Enter") {
      ev.preventDefault();
      open(row);
    }
  });
  tbody.addEventListener("click", (ev) => {
    const row = ev.target.closest("tr");
    if (ev.target.closest("a") || !row || String(getSelection())) return;
    open(row);
  });
}

// reachable makes one row the one that the tab key goes to.
function reachable(tbody) {
  const first = tbody.firstElementChild;
  if (first && !tbody.querySelector('tr[tabindex="0"]')) first.tabIndex = 0;
}

function row(id, ...cells) {
  const tr = el("tr", "", ...cells);
  tr.dataset.id = id;
  tr.tabIndex = -1;
  return tr;
}

// ---- messages

const messages = {
  body: $("messages").tBodies[0],
  generation: 0, // of the search
  pages: 1,

  query(extra) {
    const p = new URLSearchParams({ limit: pageSize, ...extra });
    for (const name of ["q", "verdict", "handler"]) if ($(name).value) p.set(name, $(name).value);
    return "/api/messages?" + p;
  },

  async ask(extra) {
    const generation = this.generation;
    const r = await get(this.query(extra));
    return generation === this.generation ? r : null; // else the search has changed meanwhile
  },

  async reset() {
    this.generation++;
    const r = await this.ask({});
    if (!r) return;
    this.pages = 1;
    this.body.replaceChildren(...r.messages.map((m) => this.row(m)));
    this.count(r);
  },

  async refresh() {
    const newest = this.body.firstElementChild;
    if (!newest) return this.reset();
    const r = await this.ask({ after: newest.dataset.id });
    if (!r || newest !== this.body.firstElementChild) return;
    if (r.messages.length >= pageSize) return this.reset(); // there are more between them
    for (const m of r.messages.reverse()) {
      const tr = this.row(m);
      tr.classList.add("fresh");
      this.body.prepend(tr);
    }
    while (this.body.children.length > this.pages * pageSize) this.body.lastElementChild.remove();
    this.count(r);
  },

  async older() {
    const oldest = this.body.lastElementChild;
    const r = oldest && (await this.ask({ before: oldest.dataset.id }));
    if (!r || oldest !== this.body.lastElementChild) return;
    this.pages++;
    this.body.append(...r.messages.map((m) => this.row(m)));
    this.count(r);
  },

  count(r) {
    const shown = this.body.children.length;
    setText($("messages-count"), `${shown} of ${r.matched}` + (r.matched < r.kept ? ` found among ${r.kept}` : ""));
    $("messages-none").hidden = shown > 0;
    setText($("messages-none"), r.kept ? "No message is found." : "There was no message yet.");
    $("older").hidden = shown >= r.matched;
    reachable(this.body);
  },

  row(m) {
    const link = el("a", "", m.queue_id || "NOQUEUE");
    link.href = "#" + m.id;
    link.tabIndex = -1;
    const more = m.recipients_total > 1 ? ` +${m.recipients_total - 1}` : "";
    return row(m.id,
      el("td", "name soft", clock(m.started_at)),
      el("td", "clip", link),
      el("td", "verdict c" + hues[m.verdict], m.verdict),
      el("td", "clip", m.from || "–"),
      el("td", "clip", (m.recipients[0] || "–") + more),
      el("td", "clip", clientOf(m)),
      el("td", "clip", m.decided_by || "–"),
      el("td", "", time(m.wait_seconds)),
      el("td", "", m.size_bytes ? bytes(m.size_bytes) : "–"));
  },
};

function clientOf(m) {
  const name = m.client_name === `[${m.client}]` ? "" : m.client_name; // an MTA writes so where it found none
  return [m.client, name].filter(Boolean).join(" ") || "–";
}

// ---- sessions

const sessions = {
  body: $("sessions").tBodies[0],
  rows: new Map(),

  async refresh() {
    this.show(await get(`/api/sessions?limit=${maxSessions}&order=${$("order").value}`));
  },

  show(r) {
    const stale = new Set(this.rows.keys());
    let at = this.body.firstElementChild;
    for (const s of r.sessions) {
      stale.delete(s.id);
      const tr = this.rows.get(s.id) || this.add(s.id);
      this.fill(tr, s);
      if (tr === at) at = at.nextElementSibling;
      else this.body.insertBefore(tr, at);
    }
    for (const id of stale) {
      this.rows.get(id).remove();
      this.rows.delete(id);
    }
    const some = r.sessions.length < r.total ? `${r.sessions.length} of ${r.total}` : String(r.total);
    setText($("sessions-count"), `${some}, ${r.pending} with an answer pending`);
    $("sessions-none").hidden = r.total > 0;
    reachable(this.body);
  },

  add(id) {
    const classes = ["name soft", "name", "", "", "", "name", "clip", "", "clip", "", ""];
    const tr = row(id, ...classes.map((c) => el("td", c)));
    this.rows.set(id, tr);
    return tr;
  },

  fill(tr, s) {
    const pending = s.pending_seconds > 0;
    const texts = [
      String(s.id), s.handler ? `${s.state}: ${s.handler}` : s.state, pending ? time(s.pending_seconds) : "–", pending ? "–" : time(s.idle_seconds), time(s.age_seconds),
      s.peer, s.listener, String(s.messages), s.queue_id || s.last_queue_id || "–", bytes(s.in_bytes), bytes(s.out_bytes),
    ];
    texts.forEach((text, i) => setText(tr.cells[i], text));
    tr.cells[2].classList.toggle("bad", s.pending_seconds >= 1);
  },
};

// ---- the timeline of a message

function facts(list) {
  const dl = el("dl", "facts");
  for (const [name, value, className] of list) if (value) dl.append(el("dt", "", name), el("dd", className || "", value));
  return dl;
}

function people(list) {
  const rest = list.total - list.first.length;
  return list.first.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function changesOf(c) {
  const of = (n, what) => (n ? `${n} ${what}${n === 1 ? "" : "s"}` : "");
  return [
    c.from && "sender to " + c.from, of(c.headers_added, "header") && of(c.headers_added, "header") + " added",
    c.headers_removed && of(c.headers_removed, "header") + " removed", c.recipients_added && of(c.recipients_added, "recipient") + " added",
    c.recipients_deleted && of(c.recipients_deleted, "recipient") + " deleted", c.body_replaced && "body replaced, " + bytes(c.new_body_bytes),
  ].filter(Boolean).join(", ");
}

// eventsOf puts the calls of handlers below the stages they belong to.
function eventsOf(m) {
  const groups = m.stages.map((s) => ({ stage: s, visits: [] }));
  const others = [];
  for (const v of m.handlers) {
    const same = groups.filter((g) => g.stage.event === v.event);
    const group = same.findLast((g) => g.stage.at_seconds <= v.at_seconds) || same[0];
    (group ? group.visits : others).push(v);
  }
  return [...groups.flatMap((g) => [g.stage, ...g.visits]), ...others];
}

function hueOf(e) {
  if (e.silent) return "soft";
  if (e.failed) return "bad";
  if (e.status === "default" || e.status === "continue") return e.handler ? "c2" : "c0";
  return e.status in hues ? "c" + hues[e.status] : "c0";
}

function timelineRows(m) {
  const events = eventsOf(m);
  const whole = Math.max(m.total_seconds, ...events.map((e) => e.at_seconds + e.took_seconds), 1e-6);
  return events.map((e) => {
    const x = Math.min(997, (e.at_seconds / whole) * 1000), width = Math.max(3, Math.min(1000 - x, (e.took_seconds / whole) * 1000));
    const hue = hueOf(e);
    const bar = svg("rect", { x: x.toFixed(1), y: 0, width: width.toFixed(1), height: 10, class: (e.count > 1 ? "many " : "") + hue });
    const status = e.silent ? "none needed" : e.status === "default" ? "no opinion" : e.status;
    const tr = el("tr", e.handler ? "visit" : "",
      el("td", "name", (e.handler || e.event) + (e.count > 1 ? ` ×${e.count}` : "")),
      el("td", "soft", "+" + time(e.at_seconds)),
      el("td", "", time(e.took_seconds)),
      el("td", "name " + hue, e.failed ? status + ", failed" : status),
      el("td", "bar", svg("svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" }, bar)));
    return tr;
  });
}

function timeline(m) {
  const table = el("table", "", el("thead", "", el("tr", "", el("th", "name", "Stage, and its handlers"), el("th", "", "At"), el("th", "", "Took"),
    el("th", "name", "Answer"), el("th", "name", "From " + clock(m.started_at)))), el("tbody", "", ...timelineRows(m)));
  const parts = [
    facts([
      ["Verdict", m.verdict, "verdict c" + hues[m.verdict]],
      ["Reply", m.reply], ["Decided by", m.decided_by], ["Quarantined", m.quarantine_reason],
      ["From", m.from || "–"], ["To", people(m.recipients_accepted)],
      ["Rejected", people(m.recipients_rejected)], ["Deferred", people(m.recipients_tempfailed)],
      ["Client", clientOf(m)], ["Helo", m.helo], ["Size", m.size_bytes && bytes(m.size_bytes)], ["Changes", changesOf(m.changes)],
      ["Begun", new Date(m.started_at).toLocaleString([], { hour12: false })],
      ["Times", `${time(m.total_seconds)} in all, ${time(m.handlers_seconds)} in handlers, the MTA waited ${time(m.wait_seconds)}`],
      ["Last state", m.state], ["Session", `${m.session_id}, ${m.peer} at ${m.listener}`], ["Trace id", m.trace_id],
    ]),
    el("h3", "", "Timeline"), el("div", "wide", table),
  ];
  if (m.errors.length) {
    const rest = m.errors_total - m.errors.length;
    parts.push(el("h3", "bad", "Errors"), ...m.errors.map((text) => el("p", "bad", text)));
    if (rest > 0) parts.push(el("p", "", `and ${rest} more`));
  }
  return parts;
}

async function openTimeline() {
  const id = location.hash.slice(1), dialog = $("timeline");
  if (!/^[0-9]+$/.test(id)) {
    dialog.close();
    return;
  }
  try {
    const m = await get("/api/messages/" + id);
    setText($("timeline-title"), "Message " + (m.queue_id || "NOQUEUE"));
    $("timeline-body").replaceChildren(...timeline(m));
  } catch (err) {
    setText($("timeline-title"), "Message " + id);
    $("timeline-body").replaceChildren(el("p", "bad", err.message));
  }
  if (location.hash.slice(1) === id && !dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

// ---- asking the server

async function get(path) {
  const r = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10000) });
  const isJSON = (r.headers.get("Content-Type") || "").startsWith("application/json");
  if (r.ok && isJSON) return r.json();
  throw new Error(isJSON ? (await r.json()).error : `${r.status} ${(await r.text()).slice(0, 200)}`);
}

let paused = false;
let timer = 0;

function say(text, bad) {
  setText($("state"), text);
  $("state").className = bad ? "bad" : "good";
}

async function look() {
  clearTimeout(timer);
  if (paused || document.hidden) return say("paused");
  try {
    await Promise.all([
      get("/api/summary").then(showSummary), get("/api/rates").then(showRates), sessions.refresh(), messages.refresh(),
    ]);
    say("live");
  } catch (err) {
    say("not up to date: " + err.message, true);
  }
  clearTimeout(timer); // somebody else may have looked meanwhile
  if (!paused && !document.hidden) timer = setTimeout(look, every);
}

// ---- what a reader does

function remember() {
  const p = new URLSearchParams();
  for (const name of ["q", "verdict", "handler"]) if ($(name).value) p.set(name, $(name).value);
  history.replaceState(null, "", location.pathname + (p.size ? "?" + p : "") + location.hash);
}

let typing = 0;

function searchSoon() {
  remember();
  clearTimeout(typing);
  typing = setTimeout(() => messages.reset().catch((err) => say(err.message, true)), 150);
}

function listen() {
  $("search").addEventListener("submit", (ev) => ev.preventDefault());
  $("sorting").addEventListener("submit", (ev) => ev.preventDefault());
  for (const name of ["q", "verdict", "handler"]) $(name).addEventListener("input", searchSoon);
  $("order").addEventListener("input", () => look());
  $("older").addEventListener("click", () => messages.older().catch((err) => say(err.message, true)));
  $("pause").addEventListener("click", () => {
    paused = !paused;
    setText($("pause"), paused ? "Go on" : "Pause");
    look();
  });
  $("close").addEventListener("click", () => $("timeline").close());
  $("timeline").addEventListener("click", (ev) => {
    if (ev.target === $("timeline")) $("timeline").close(); // beside it
  });
  $("timeline").addEventListener("close", () => history.replaceState(null, "", location.pathname + location.search));
  keys(messages.body, (tr) => (location.hash = tr.dataset.id));
  keys(sessions.body, (tr) => {
    $("q").value = "session:" + tr.dataset.id;
    searchSoon();
    $("q").focus();
  });
  document.addEventListener("keydown", (ev) => {
    const writes = ev.target.matches("input, select") || $("timeline").open;
    if (ev.key === "/" && !writes && !ev.ctrlKey && !ev.metaKey && !ev.altKey) {
      ev.preventDefault();
      $("q").focus();
      $("q").select();
    } else if (ev.key === "Escape" && ev.target === $("q") && $("q").value) {
      ev.preventDefault();
      $("q").value = "";
      searchSoon();
    }
  });
  document.addEventListener("visibilitychange", look);
  window.addEventListener("hashchange", openTimeline);
}

const asked = new URLSearchParams(location.search);
$("q").value = asked.get("q") || "";
for (const name of ["verdict", "handler"]) if (asked.get(name)) choose($(name), asked.get(name));
listen();
look();
if (location.hash) openTimeline();
