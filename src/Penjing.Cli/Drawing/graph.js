"use strict";
const svg = document.querySelector("svg.graph"), canvas = document.querySelector(".canvas"), body = document.querySelector("tbody"), list = document.querySelector(".scroll");
const boxes = [...svg.querySelectorAll(".box")], rows = [...body.rows], edges = [...svg.querySelectorAll(".edge")];
const rowOf = new Map(rows.map(row => [row.dataset.box, row]));
const natural = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
let chosen = null, scale = 1;

function choose(box, from) {
  if (chosen !== null) for (const item of [boxes[chosen], rowOf.get(String(chosen))]) item.classList.remove("chosen");
  chosen = Number(box);
  const row = rowOf.get(String(chosen)), drawn = boxes[chosen];
  for (const item of [...boxes, ...rows]) item.tabIndex = item === drawn || item === row ? 0 : -1;
  for (const item of [drawn, row]) item.classList.add("chosen");
  for (const edge of edges) edge.classList.toggle("lit", edge.dataset.from === String(chosen) || edge.dataset.to === String(chosen));
  document.getElementById("detail").replaceChildren(row.querySelector("template").content.cloneNode(true));
  if (from !== "row") reveal(row);
  if (from === "row") show(drawn);
}

// Only the canvas and the list scroll, so that the page of a phone stays where it is.
function reveal(row) {
  const at = row.getBoundingClientRect(), view = list.getBoundingClientRect();
  if (at.top < view.top + 40 || at.bottom > view.bottom - 40) list.scrollBy({ top: at.top - view.top - view.height / 3 });
}

function show(drawn) {
  const at = drawn.getBoundingClientRect(), view = canvas.getBoundingClientRect();
  canvas.scrollBy({ left: at.left + at.width / 2 - view.left - view.width / 2, top: at.top + at.height / 2 - view.top - view.height / 2 });
}

function zoom(factor) {
  scale = Math.min(3, Math.max(0.05, factor));
  svg.setAttribute("width", natural.width * scale);
  svg.setAttribute("height", natural.height * scale);
}

function neighbour(box, key) {
  const index = String(box), down = edges.filter(edge => edge.dataset.from === index).map(edge => edge.dataset.to), up = edges.filter(edge => edge.dataset.to === index).map(edge => edge.dataset.from);
  if (key === "ArrowDown") return down[0];
  if (key === "ArrowUp") return up[0];
  const aside = up.flatMap(parent => edges.filter(edge => edge.dataset.from === parent).map(edge => edge.dataset.to))
    .concat(down.flatMap(child => edges.filter(edge => edge.dataset.to === child).map(edge => edge.dataset.from)));
  const left = item => boxes[item].getBoundingClientRect().left;
  const there = [...new Set(aside)].filter(item => key === "ArrowLeft" ? left(item) < left(box) : left(item) > left(box));
  return there.sort((a, b) => Math.abs(left(a) - left(box)) - Math.abs(left(b) - left(box)))[0];
}

for (const [index, box] of boxes.entries()) {
  box.addEventListener("click", () => choose(index, "box"));
  box.addEventListener("focus", () => choose(index, "box"));
  box.addEventListener("keydown", event => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const next = neighbour(index, event.key);
    if (next === undefined) return;
    boxes[next].focus({ preventScroll: true });
    show(boxes[next]);
  });
}
for (const row of rows) {
  const box = boxes[row.dataset.box];
  row.addEventListener("focus", () => choose(row.dataset.box, "row"));
  row.addEventListener("click", () => choose(row.dataset.box, "row"));
  row.addEventListener("keydown", event => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const seen = [...body.rows].filter(other => !other.hidden);
    seen[seen.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  });
  row.addEventListener("mouseenter", () => box.classList.add("over"));
  row.addEventListener("mouseleave", () => box.classList.remove("over"));
}
for (const [column, head] of [...document.querySelectorAll("th")].entries())
  head.querySelector("button").addEventListener("click", () => {
    const now = head.getAttribute("aria-sort"), order = now === "none" ? (column === 0 ? "ascending" : "descending") : now === "descending" ? "ascending" : "descending";
    for (const other of document.querySelectorAll("th")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    const value = row => Number(row.cells[column].dataset.sort), sign = order === "ascending" ? 1 : -1;
    body.append(...rows.toSorted((a, b) => sign * (value(a) - value(b))));
  });
document.getElementById("find").addEventListener("input", event => {
  const words = event.target.value.trim().toLowerCase();
  let count = 0;
  for (const row of rows) {
    const hit = row.cells[0].innerText.toLowerCase().includes(words) || row.querySelector("template").innerHTML.toLowerCase().includes(words);
    row.hidden = !hit;
    boxes[row.dataset.box].classList.toggle("dim", !hit);
    if (hit) count++;
  }
  document.getElementById("found").value = words ? `${count} of ${rows.length}` : "";
});
document.getElementById("smaller").addEventListener("click", () => zoom(scale / 1.25));
document.getElementById("larger").addEventListener("click", () => zoom(scale * 1.25));
document.getElementById("fit").addEventListener("click", () => zoom(Math.min(1, (canvas.clientWidth - 2) / natural.width)));
if (natural.width > canvas.clientWidth) zoom(Math.max(0.5, (canvas.clientWidth - 2) / natural.width));
