import { choose, setGroup } from "./actions.js";
import { hover } from "./card.js";
import { button, byId, closing, make, say } from "./dom.js";
import { className, data, describe, grouped, short } from "./page_data.js";
import { tile } from "./sheets.js";
import { state } from "./state.js";

/** How many images the contact sheet shows at first, and how many more each time. */
const SHEET = 60;

/** Show the group: its mean error, its classes and its images. */
export function showGroup() {
  const { group } = state;
  const section = byId("group");
  section.hidden = !group;
  section.replaceChildren();
  if (!group) return;
  const { points } = group;
  const title = make("h2", { id: "group-title" }, `${group.title}: ${grouped(points.length)} points`);
  let [sum, all] = [0, 0];
  for (const i of points) sum += data.errors[i];
  for (const error of data.errors) all += error;
  const copy = button("Copy CSV", () => void copyText(csvOf(points)).then(() => say("Copied")));
  section.append(
    make(
      "div",
      { className: "head" },
      title,
      closing("Clear", () => setGroup(null)),
    ),
    make("p", { id: "mean" }, `Mean error ${short(sum / points.length)} (of all ${short(all / data.count)})`),
    ...(data.labels ? [countsOf(points)] : []),
    make(
      "div",
      { className: "buttons" },
      copy,
      button("Save CSV", () => saveText(csvOf(points), "points.csv")),
    ),
    contactSheet(points),
  );
}

/** @param {number[]} points @returns {HTMLElement} a bar for each class that occurs, most frequent first */
function countsOf(points) {
  const labels = /** @type {Uint16Array} */ (data.labels);
  const counts = data.classes.map(() => 0);
  for (const i of points) counts[labels[i]]++;
  const order = [...counts.keys()].filter((label) => counts[label]).sort((a, b) => counts[b] - counts[a] || a - b);
  const rows = order.map((label) => {
    const bar = make("i", { "aria-hidden": "true" });
    bar.style.width = `${(100 * counts[label]) / counts[order[0]]}%`;
    bar.style.background = data.colours[label];
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, data.classes[label]),
      make("td", {}, bar),
      make("td", {}, grouped(counts[label])),
    );
  });
  const table = make("table", { "aria-label": "Points of each class" }, make("tbody", {}, ...rows));
  return make("div", { className: "counts", tabIndex: 0, role: "region", "aria-label": "Classes" }, table);
}

/** @param {number[]} points @returns {HTMLElement} their images, the first ones and more at each click */
function contactSheet(points) {
  const list = make("ol", { className: "sheet" });
  const more = button("", () => add());
  const add = () => {
    const start = list.childElementCount;
    for (const point of points.slice(start, start + SHEET)) {
      const item = button("", (event) => choose(point, event.shiftKey), { "aria-label": describe(point) });
      item.dataset.point = String(point);
      item.append(tile("images", point));
      item.addEventListener("pointerenter", (event) => void (event.pointerType === "mouse" && hover(point)));
      item.addEventListener("pointerleave", () => hover(-1));
      list.append(make("li", {}, item));
    }
    const left = points.length - list.childElementCount;
    more.hidden = left <= 0;
    more.textContent = `${grouped(left)} more`;
  };
  add();
  return make("div", {}, list, more);
}

/** @param {number[]} points @returns {string} CSV by RFC 4180 */
function csvOf(points) {
  const columns = ["index", ...(data.files ? ["file"] : []), ...(data.labels ? ["class"] : []), "error"];
  const quoted = (/** @type {string} */ text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = points.map((i) => {
    const file = data.files ? [data.files[i]] : [];
    const label = data.labels ? [className(i)] : [];
    return [String(data.rows[i]), ...file, ...label, short(data.errors[i])].map(quoted).join(",");
  });
  return [columns.join(","), ...lines, ""].join("\r\n");
}

/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without permission for the clipboard, selected text can still be copied.
    const area = make("textarea", { value: text, className: "unseen", "aria-hidden": "true" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** @param {string} text @param {string} name */
function saveText(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
