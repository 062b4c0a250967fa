import { make } from "./dom.js";
import { data } from "./page_data.js";

/** @param {number} point @returns {string | HTMLElement} its file's name: a link to the file, where the page knows its folder */
export function fileOf(point) {
  const name = data.files?.[point] ?? "";
  if (data.folder === null) return name;
  const href = `${data.folder}/${name}`.split("/").map(encodeURIComponent).join("/");
  return make(
    "a",
    { href, target: "_blank", rel: "noopener", title: "Open the file: it is there if the page lies in its project" },
    name,
  );
}
