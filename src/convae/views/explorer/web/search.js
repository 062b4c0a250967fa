import { choose, select, setGroup } from "./actions.js";
import { byId, make } from "./dom.js";
import { data, grouped, pointOf } from "./page_data.js";
import { state } from "./state.js";

/** @import { Group } from "./state.js" */

/** At most this many files are listed one by one. */
const MOST_FILES = 8;
/** @type {{text: string, action: () => void}[]} what the search has found */
let found = [];
let marked = 0;

/** @param {string} text @returns {typeof found} */
function findAll(text) {
  const wanted = folded(text);
  if (!wanted) return [];
  const classes = [...data.classes.keys()].filter((label) => folded(data.classes[label]).includes(wanted));
  // A class of this very name comes before the index, and the index before classes that contain its digits.
  const exact = classes.filter((label) => folded(data.classes[label]) === wanted);
  const results = exact.map(resultOf);
  const point = /^\d+$/.test(wanted) ? pointOf(Number(wanted)) : -1;
  if (point >= 0) results.push({ text: `Index ${wanted}`, action: () => choose(point) });
  results.push(...classes.filter((label) => !exact.includes(label)).map(resultOf));
  const files = filesWith(wanted);
  if (files.length > 1) {
    results.push({ text: `${grouped(files.length)} files with "${text.trim()}"`, action: () => setGroup(groupOfFiles(text)) });
  }
  for (const i of files.slice(0, MOST_FILES)) {
    results.push({ text: /** @type {string[]} */ (data.files)[i], action: () => choose(i) });
  }
  return results;
}

/** @param {number} label @returns {{text: string, action: () => void}} */
function resultOf(label) {
  return { text: `Class ${data.classes[label]}`, action: () => setGroup(groupOfClass(label)) };
}

/** @param {string} text @returns {string} in the form in which texts are compared: macOS writes accents as letters of their own */
function folded(text) {
  return text.normalize("NFC").trim().toLowerCase();
}

/** All files' names as one text, and where in it each begins; made when asked for. */
const names = { text: "", starts: new Uint32Array(0) };

/** @param {string} wanted as `folded` gives it @returns {number[]} the points whose file's name contains it */
function filesWith(wanted) {
  const files = data.files ?? [];
  if (files.length && !names.text) {
    // No name has this character. To fold one long text takes a fraction of what a million short ones take.
    names.text = `${files.join("\0").normalize("NFC").toLowerCase()}\0`;
    names.starts = new Uint32Array(files.length + 1);
    for (let i = 0; i < files.length; i++) names.starts[i + 1] = names.text.indexOf("\0", names.starts[i]) + 1;
  }
  const points = [];
  let i = 0;
  for (let at = names.text.indexOf(wanted); at >= 0; at = names.text.indexOf(wanted, names.starts[i])) {
    while (names.starts[i + 1] <= at) i++;
    points.push(i);
    i++;
    if (i === files.length) break;
  }
  return points;
}

/** @param {number} label @returns {Group} */
export function groupOfClass(label) {
  /** @type {number[]} */
  const points = [];
  for (let i = 0; i < data.count; i++) if (data.labels?.[i] === label) points.push(i);
  return { title: `Class ${data.classes[label]}`, points, polygon: null, address: ["class", String(label)] };
}

/** @param {string} text @returns {Group} */
export function groupOfFiles(text) {
  const points = filesWith(folded(text));
  return { title: `Files with "${text.trim()}"`, points, polygon: null, address: ["files", text.trim()] };
}

export function listenToSearch() {
  const query = /** @type {HTMLInputElement} */ (byId("query"));
  query.placeholder = `Search: index${data.files ? ", file" : ""}${data.labels ? ", class" : ""}`;
  query.addEventListener("input", () => showFound(findAll(query.value)));
  query.addEventListener("focus", () => showFound(findAll(query.value)));
  query.addEventListener("blur", () => showFound([]));
  query.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      marked += event.key === "ArrowDown" ? 1 : -1;
      showFound(found, (marked + found.length) % (found.length || 1));
    } else if (event.key === "Enter" && found.length) take(marked);
    else if (event.key === "Escape") query.blur();
  });
}

/** @param {number} which of what was found */
function take(which) {
  const { action } = found[which];
  const query = /** @type {HTMLInputElement} */ (byId("query"));
  query.value = "";
  query.blur();
  if (state.selected >= 0 && !state.choosing) select(-1);
  action();
}

/** @param {typeof found} results @param {number} [which] is marked */
function showFound(results, which = 0) {
  [found, marked] = [results, which];
  const query = /** @type {HTMLInputElement} */ (byId("query"));
  const items = results.map(({ text }, place) => {
    const item = make("li", { id: `found-${place}`, role: "option", "aria-selected": place === which }, text);
    // On pointerdown: at a click, the input would have lost the focus, and the list would be gone.
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      take(place);
    });
    return item;
  });
  const nothing = query.value.trim() && document.activeElement === query && !results.length;
  if (nothing) items.push(make("li", { role: "option", "aria-disabled": true, "aria-selected": false }, "Nothing found"));
  byId("found").replaceChildren(...items);
  byId("found").hidden = !items.length;
  query.setAttribute("aria-expanded", String(items.length > 0));
  if (results.length) query.setAttribute("aria-activedescendant", `found-${which}`);
  else query.removeAttribute("aria-activedescendant");
}
