// The page that names the culprit: totals, at most ten sentences, the 25 worst hosts. It asks the
// admin API every two seconds while somebody looks, and not at all while nobody does.
"use strict";

const every = 2000; // milliseconds
const rowsShown = 25;
const sentencesShown = 10;
const failing = new Set(["suspended", "probing", "dormant", "dead"]);
const $ = (id) => document.getElementById(id);

// A link may carry the token behind '#', which no server ever sees.
const given = location.hash.match(/^#token=(.+)$/);
if (given) {
  sessionStorage.setItem("token", decodeURIComponent(given[1]));
  history.replaceState(null, "", location.pathname);
}

let timer = 0;
let asking = false;
let before = null; // the totals of the last answer, for rates
let shown = new Map(); // host name -> its row

async function call(path, options = {}) {
  const token = sessionStorage.getItem("token");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { ...options, headers, cache: "no-store" });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const failure = new Error(body.detail || `the node answered ${answer.status}`);
  failure.status = answer.status;
  throw failure;
}

const number = (value) => Number(value || 0).toLocaleString("en");

function ago(time) {
  if (!time) return "-";
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

function make(name, text, parent) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (parent) parent.append(element);
  return element;
}

function set(element, text) { // leaves alone what has not changed
  if (element.textContent !== text) element.textContent = text;
}

async function order(host, what) {
  try {
    await call(`/admin/v1/hosts/${encodeURIComponent(host)}:${what}`, { method: "POST" });
    set($("said"), `${host}: ${what} done`);
  } catch (failure) {
    set($("said"), `${host}: ${what} refused: ${failure.message}`);
  }
  refresh();
}

function orders(parent, host) {
  for (const what of host.paused ? ["resume"] : ["pause", "retry-now"]) {
    const button = make("button", what === "retry-now" ? "retry" : what, parent);
    button.setAttribute("aria-label", `${button.textContent} ${host.name}`);
    button.addEventListener("click", () => order(host.name, what));
  }
}

// Keeps the focus where it was: rows are redrawn under somebody's hands.
function redraw(parent, draw) {
  const focused = parent.contains(document.activeElement)
    ? document.activeElement.getAttribute("aria-label") : null;
  draw();
  if (focused)
    for (const button of parent.querySelectorAll("button"))
      if (button.getAttribute("aria-label") === focused) button.focus();
}

function showTotals(answer) {
  const totals = answer.totals;
  const now = Date.parse(answer.as_of);
  const rate = before && now > before.now
    ? (totals.sums.delivered - before.delivered) * 1000 / (now - before.now) : 0;
  before = { now, delivered: totals.sums.delivered };
  const unwell = Object.entries(totals.by_state)
    .reduce((sum, [state, count]) => sum + (failing.has(state) || state === "slow" ? count : 0), 0);
  const tiles = [
    ["delivered a second", number(Math.round(rate))], ["waiting", number(totals.waiting)],
    ["oldest", ago(totals.oldest_at)], ["in flight", number(totals.in_flight)],
    ["hosts not well", `${number(unwell)} of ${number(totals.hosts)}`],
    ["dead letters", number(totals.dead_letters)]];
  const place = $("totals");
  while (place.children.length < tiles.length) make("b", "", make("p", "", place));
  tiles.forEach(([name, value], index) => {
    const tile = place.children[index];
    set(tile.querySelector("b"), value);
    if (tile.childNodes.length < 2) tile.append(name);
  });
}

function showAttention(answer) {
  const list = $("attention");
  redraw(list, () => {
    list.replaceChildren();
    for (const stuck of answer.stuck_actors)
      make("li", `${stuck.actor}: has kept a thread to itself for ${ago(stuck.since)}`, list);
    for (const host of answer.attention.slice(0, sentencesShown - answer.stuck_actors.length)) {
      const item = make("li", undefined, list);
      make("span", `${host.name}: ${host.sentence}`, item);
      orders(item, host);
    }
    if (!list.children.length) make("li", "Nothing: every host takes what it is sent.", list).className = "calm";
  });
}

function showHosts(answer) {
  const body = $("hosts");
  redraw(body, () => {
    const rows = new Map();
    body.replaceChildren();
    for (const host of answer.hosts.slice(0, rowsShown)) {
      const row = make("tr", undefined, body);
      row.className = failing.has(host.state) ? "fails" : host.state === "slow" ? "slow" : "";
      if (shown.size && !shown.has(host.name)) row.classList.add("new");
      make("td", host.name, row);
      make("td", host.paused ? `${host.state}, paused` : host.state, row);
      make("td", number(host.backlog), row);
      make("td", ago(host.oldest_at), row);
      make("td", host.sentence, row);
      orders(make("td", undefined, row), host);
      rows.set(host.name, row);
    }
    shown = rows;
  });
}

async function refresh() {
  clearTimeout(timer);
  if (document.hidden || asking) return;
  asking = true;
  try {
    const query = new URLSearchParams({ sort: $("sort").value, q: $("search").value.trim(),
                                        limit: rowsShown });
    const [delivery, hosts] = await Promise.all([
      call("/admin/v1/delivery"), call(`/admin/v1/hosts?${query}`)]);
    $("login").hidden = true;
    showTotals(delivery);
    showAttention(delivery);
    showHosts(hosts);
    $("as-of").className = "";
    set($("as-of"), `as of ${new Date(delivery.as_of).toLocaleTimeString()}`);
  } catch (failure) {
    $("as-of").className = "stale";
    set($("as-of"), failure.message);
    if (failure.status === 401 || failure.status === 403) $("login").hidden = false;
  }
  asking = false;
  timer = setTimeout(refresh, every);
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  refresh();
});
$("choice").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
$("choice").addEventListener("input", () => { shown = new Map(); refresh(); });
document.addEventListener("visibilitychange", refresh);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
  event.preventDefault();
  $("search").focus();
});
refresh();
