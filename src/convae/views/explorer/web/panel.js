import { choose, select } from "./actions.js";
import { hover } from "./card.js";
import { cssColour } from "./colours.js";
import { button, byId, closing, make, swatch } from "./dom.js";
import { fileOf } from "./files.js";
import { className, data, describe, grouped, short, splitOf } from "./page_data.js";
import { namedTile, tile } from "./sheets.js";
import { state } from "./state.js";
import { worstBy } from "./worst.js";

/** Show the selected point, what the network makes of it, and its neighbours. */
export function showSelected() {
  const { selected } = state;
  const section = byId("selected");
  section.hidden = selected < 0;
  byId("itself").replaceChildren();
  byId("neighbours").replaceChildren();
  if (selected < 0) return;
  const title = make("h2", { id: "selected-title" }, `Index ${data.rows[selected]}`);
  const head = make(
    "div",
    { className: "head" },
    title,
    closing("Clear the selection", () => select(-1)),
  );
  const pictures = [
    make("figure", {}, namedTile("images", selected), make("figcaption", {}, "Image")),
    make("figure", {}, namedTile("reconstructions", selected), make("figcaption", {}, "Reconstruction")),
  ];
  const file = data.files ? [make("p", { className: "file" }, fileOf(selected))] : [];
  byId("itself").append(head, make("div", { className: "facts" }, ...pictures, facts(selected)), ...file);
  state.near.forEach(({ title, points, distances }, row) => {
    if (!points.length) return;
    const other = state.near[1 - row].points;
    const common = points.filter((i) => other.includes(i)).length;
    const note = row ? make("small", {}, `${common} of ${points.length} in common`) : "";
    byId("neighbours").append(make("h3", {}, title, note), strip(points, distances.map(short), row, other));
  });
}

/** Scroll the panel to the selected point: in a narrow window it is below the map, and has its texts above the point. */
export function scrollToSelected() {
  const panel = byId("panel");
  const narrow = panel.offsetTop > 0;
  const shown = state.selected >= 0 ? byId("selected") : state.made ? byId("made") : null;
  panel.scrollTop = narrow && shown ? shown.offsetTop - panel.offsetTop - 12 : 0;
}

/** @param {number} point @returns {HTMLElement} */
function facts(point) {
  const list = make("dl");
  const add = (/** @type {string} */ name, /** @type {(string | Node)[]} */ ...values) =>
    list.append(make("dt", {}, name), make("dd", {}, ...values));
  if (data.labels) add("Class", swatch(data.colours[data.labels[point]]), className(point));
  add("Error", short(data.errors[point]));
  if (data.same) add("Agreement", `${data.same[point]} of ${data.k}`);
  if (data.k) add("Kept", `${data.kept[point]} of ${data.k}`);
  if (data.splits.length > 1) add("Split", splitOf(point));
  return list;
}

/**
 * Make a row of images, each a button that selects its point.
 * @param {number[]} points @param {string[]} captions
 * @param {number} [row] which row of neighbours it is @param {number[]} [common] points that are to be marked
 * @returns {HTMLElement}
 */
export function strip(points, captions, row = -1, common = []) {
  const items = points.map((point, place) => {
    const also = common.includes(point);
    const caption = make("span", { title: captions[place] }, captions[place]);
    const what = row < 0 ? "" : `, distance ${captions[place]}${also ? ", in both rows" : ""}`;
    const item = button("", (event) => choose(point, event.shiftKey), {
      "aria-label": `${describe(point)}${what}`,
      className: also ? "both" : "",
    });
    item.dataset.point = String(point);
    colourItem(item);
    item.append(tile("images", point), caption);
    // Only one of a row is reached by Tab; arrow keys go along it.
    if (row >= 0 && place) item.tabIndex = -1;
    item.addEventListener("pointerenter", (event) => void (event.pointerType === "mouse" && hover(point)));
    item.addEventListener("pointerleave", () => hover(-1));
    item.addEventListener("focus", () => item.matches(":focus-visible") && hover(point));
    item.addEventListener("blur", () => hover(-1));
    return make("li", {}, item);
  });
  const list = make("ol", { className: "strip" }, ...items);
  if (row >= 0) list.dataset.row = String(row);
  return list;
}

/** Give the images in the strips the colours that their points have on the map. */
export function colourStrips() {
  for (const item of document.querySelectorAll(".strip button")) colourItem(/** @type {HTMLElement} */ (item));
}

/** @param {HTMLElement} item of a strip */
function colourItem(item) {
  item.style.setProperty("--own", cssColour(Number(item.dataset.point)));
}

/** Mark the neighbour that the arrow keys are at. */
export function markStep() {
  const current = byId("neighbours").querySelector(`[data-row="${state.row}"] li:nth-child(${state.step + 1}) button`);
  for (const item of byId("neighbours").querySelectorAll(".strip button")) {
    item.classList.toggle("current", item === current);
    /** @type {HTMLElement} */ (item).tabIndex = item === current ? 0 : -1;
  }
  if (!(current instanceof HTMLElement)) return;
  if (document.activeElement?.closest(".strip")) current.focus({ preventScroll: true });
  current.scrollIntoView({ block: "nearest" });
}

/** Show where to begin: the points that most deserve a look. */
export function showWelcome() {
  const first = (/** @type {string} */ by) => [...worstBy(by).slice(0, 10)];
  const worst = first("error");
  byId("welcome").replaceChildren(
    make("h2", {}, "Largest error"),
    strip(
      worst,
      worst.map((i) => short(data.errors[i])),
    ),
  );
  if (data.same) {
    const odd = first("same");
    byId("welcome").append(make("h2", {}, "At odds with their neighbours"), strip(odd, odd.map(className)));
  }
  if (data.copies.length) {
    const groups = data.copies.slice(0, 10);
    const captions = groups.map(({ points, others }) => `${grouped(points.length + others)} times`);
    const firsts = groups.map(({ points }) => points[0]);
    byId("welcome").append(make("h2", {}, "Equal or nearly equal images"), strip(firsts, captions));
  }
}
